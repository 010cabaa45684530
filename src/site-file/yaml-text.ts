import { stringify } from 'yaml';
import type { Tree } from './write.ts';

/** Where editors find what may stand in a site file. */
const modeline = '# yaml-language-server: $schema=sipctl.schema.json\n';

/** The tree of a site file as YAML: the same bytes for the same tree. */
export const siteYaml = (tree: Tree): string =>
  // Texts that other readers of YAML take for numbers or yes and no are quoted.
  modeline +
  (Object.keys(tree).length === 0
    ? '{}\n'
    : stringify(tree, { lineWidth: 0, compat: 'yaml-1.1', aliasDuplicateObjects: false }));
