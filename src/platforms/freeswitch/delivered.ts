import type { Artifact } from '../../plan/generation.ts';
import { deliveredPath, directoryFile, gatewaysFile } from './delivered-files.ts';
import { attributeOf, childrenNamed, type Element } from './xml/element.ts';
import { parseXml } from './xml/parse.ts';

/** One delivered object with the words in which a finding or a change speaks of it. */
export interface Delivered {
  kind: 'trunk' | 'user';
  /** As sipctl calls it. */
  name: string;
  tenant: string;
  /** Path below the configuration folder. */
  file: string;
  /** The gateway, or the user of a domain. */
  element: Element;
}

/** The outermost elements of a delivered text, read back from the text itself. */
export const deliveredElements = (text: Buffer): readonly Element[] =>
  parseXml(text.toString('utf8')).flatMap(({ children }) => children);

/** The names of the outermost elements of a delivered text, without reading all that is in them. */
export const outermostNames = (text: Buffer): string[] =>
  [...text.toString('utf8').matchAll(/^ {2}<[a-z]+ name="([^"]*)"/gm)].map(([, name = '']) => name);

/** The trunks and users of a delivered text. */
export function deliveredObjects(
  artifact: Pick<Artifact, 'tenant' | 'file' | 'sha256' | 'text' | 'objects'>,
): Delivered[] {
  const { tenant } = artifact;
  const file = deliveredPath(artifact);
  const elements = deliveredElements(artifact.text);
  switch (artifact.file) {
    case gatewaysFile:
      return elements.map((element) => ({
        kind: 'trunk',
        name: trunkOf(element, tenant),
        tenant,
        file,
        element,
      }));
    case directoryFile:
      return elements.flatMap(usersOf).map((element) => ({
        kind: 'user',
        name: attributeOf(element, 'id') ?? '',
        tenant,
        file,
        element,
      }));
    default:
      return [];
  }
}

/** The users of a domain, in whatever groups. */
export const usersOf = (domain: Element): Element[] =>
  childrenNamed(domain, 'groups')
    .flatMap((groups) => childrenNamed(groups, 'group'))
    .flatMap((group) => childrenNamed(group, 'users'))
    .flatMap((users) => childrenNamed(users, 'user'));

/** The name of a gateway: `acme.main`. */
export const gatewayName = (gateway: Element): string => attributeOf(gateway, 'name') ?? '';

const trunkOf = (gateway: Element, tenant: string): string =>
  gatewayName(gateway).replace(new RegExp(`^${tenant}\\.`), '');
