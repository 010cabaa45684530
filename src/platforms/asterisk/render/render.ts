import { createHash } from 'node:crypto';
import type { ResolvedSite } from '../../../model/site.ts';
import { type Artifact, artifactKey, type HeldArtifact, storePath } from '../../../plan/generation.ts';
import type { RenderRecipe } from '../../target.ts';
import { deliveredFiles } from '../delivered-files.ts';
import { trunksFile, usersFile } from '../pjsip-object.ts';
import { renderCalls } from './calls.ts';
import { loadTemplates, type ObjectFile, type Templates } from './compiled.ts';
import { checkName, type TransportNames, trunkContext, userContext } from './contexts.ts';
import { GrowingText } from './growing-text.ts';
import { withRawOptions } from './raw-options.ts';
import { checkBlock } from './self-check.ts';

export interface RenderSettings {
  /** The names of the node's transport objects; `transport-udp` and its kin where one is not named. */
  transports: TransportNames;
  templates: Templates;
}

/** Renders as the node does that the recipe is of. */
export async function asteriskRenderer(recipe: RenderRecipe): Promise<(site: ResolvedSite) => Artifact[]> {
  const { catalog, version, transports } = recipe;
  const templates = await loadTemplates(catalog, version);
  return (site) => renderTenant(site, { transports, templates });
}

/**
 * One artifact per file of the tenant that is not empty, objects in the order of their names. A pure function: same
 * input, same bytes.
 * @throws SipctlError `invalid` for a value that no line of a .conf file can hold
 */
export function renderTenant(site: ResolvedSite, settings: RenderSettings): Artifact[] {
  const { transports, templates } = settings;
  const tenant = site.tenant.name;
  checkName(tenant, `tenant ${tenant}`);
  return [
    ...renderFile(tenant, trunksFile, site.trunks, {
      kind: 'trunk',
      nameOf: (trunk) => trunk.name,
      fileOf: (trunk) => templates.trunk(trunk.template),
      contextOf: (trunk) => trunkContext(trunk, transports),
      version: templates.version,
    }),
    ...renderFile(tenant, usersFile, site.users, {
      kind: 'user',
      nameOf: (user) => user.username,
      fileOf: (user) => templates.user(user.template),
      contextOf: userContext,
      version: templates.version,
    }),
    ...renderCalls(site.flow, templates),
  ];
}

/** The files of a generation's own folder: each includes what all tenants have in the store, and may be empty. */
export function renderIndexes(
  artifacts: Readonly<Record<string, HeldArtifact>>,
  templates: Templates,
): Map<string, string> {
  const keys = Object.keys(artifacts).sort();
  const index = templates.index();
  const indexes = new Map(deliveredFiles.map(({ file }) => [file, index.header({ tenant: '' })]));
  for (const key of keys) {
    const artifact = artifacts[key] as HeldArtifact;
    const line = index.block({ path: `sipctl/${storePath(artifact)}` });
    indexes.set(artifact.file, `${indexes.get(artifact.file) ?? ''}${line}`);
  }
  return indexes;
}

interface Rendering<Item, Context> {
  kind: 'trunk' | 'user';
  nameOf: (item: Item) => string;
  fileOf: (item: Item) => ObjectFile<Context>;
  contextOf: (item: Item) => Context;
  version: string;
}

const scratch = new GrowingText();

function renderFile<Item extends { id: string; options: readonly string[] }, Context extends object>(
  tenant: string,
  file: string,
  items: readonly Item[],
  { kind, nameOf, fileOf, contextOf, version }: Rendering<Item, Context>,
): Artifact[] {
  const [first] = items;
  if (first === undefined) return [];
  scratch.clear();
  scratch.add(fileOf(first).header({ tenant }));
  for (const item of sortedBy(items, nameOf)) {
    const { block, intended } = fileOf(item);
    const context = contextOf(item);
    const object = `${kind} ${nameOf(item)}`;
    const text = withRawOptions(block(context), item.options, object, version);
    checkBlock(text, object, item.id, intended, context as Readonly<Record<string, unknown>>);
    scratch.add(text);
  }
  const text = scratch.copy();
  const sha256 = createHash('sha256').update(text).digest('hex');
  return [{ key: artifactKey(tenant, file), tenant, file, sha256, objects: items.length, text }];
}

// By code unit, so that the order is the same on every machine.
function sortedBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  return [...items].sort((one, other) => {
    const a = nameOf(one);
    const b = nameOf(other);
    return a < b ? -1 : a > b ? 1 : 0;
  });
}
