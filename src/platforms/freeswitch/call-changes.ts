import { type OwnedValues, own, ownedChanges, ownedCreated } from '../../plan/owned-values.ts';
import type { ObjectChange } from '../../plan/plan.ts';
import { deliveredElements } from './delivered.ts';
import { callsFile, menusFile, roomsFile } from './delivered-files.ts';
import { attributeOf, type Element } from './xml/element.ts';

/**
 * What differs between two texts of an artifact that says where calls go, by the objects of sipctl that its extensions,
 * menus and rooms belong to; what all of them share belongs to the tenant. A missing side is null, secrets are masked.
 */
export function callChanges(
  tenant: string,
  file: string,
  before: Buffer | null,
  after: Buffer | null,
): ObjectChange[] {
  // All of a new file is new: its names are enough, and a first apply has a hundred thousand of them.
  if (before === null) return ownedCreated(tenant, ownersIn(file, after));
  return ownedChanges(tenant, valuesOf(tenant, file, before), valuesOf(tenant, file, after));
}

/** Extensions are called by whom they belong to, and what for: `user ann`, `ivr main, key 1`, `limits`. */
const owner = /^((?:user|group|ivr|conference|schedule|route|emergency) [^\s,]+|number \+[0-9]+)/;

const opening: Readonly<Record<string, RegExp>> = {
  [callsFile]: /^ *<extension name="([^"]*)"/gm,
  [menusFile]: /^ *<menu name="[^".]*\.([^"]*)"/gm,
  [roomsFile]: /^ *<profile name="[^".]*\.([^"]*)"/gm,
};

const kinds: Readonly<Record<string, string>> = { [menusFile]: 'ivr', [roomsFile]: 'conference' };

function ownersIn(file: string, text: Buffer | null): string[] {
  const pattern = opening[file];
  if (pattern === undefined || text === null) return [];
  const names = [...text.toString('utf8').matchAll(pattern)].map(([, name = '']) => name);
  const kind = kinds[file];
  if (kind !== undefined) return names.map((name) => `${kind} ${name}`);
  return names.flatMap((name) => owner.exec(name)?.[1] ?? []);
}

function valuesOf(tenant: string, file: string, text: Buffer | null): OwnedValues {
  const values: OwnedValues = new Map();
  if (text === null) return values;
  for (const element of deliveredElements(text)) {
    const name = (attributeOf(element, 'name') ?? '').replace(/^(?:t-)?[^.]*\./, '');
    const kind = kinds[file];
    if (kind !== undefined) {
      put(values, `${kind} ${name}`, kind === 'ivr' ? 'menu' : 'room', element);
      continue;
    }
    // The extensions of a context, or those of the context that all tenants share.
    for (const extension of element.name === 'context' ? element.children : [element]) {
      const called = attributeOf(extension, 'name') ?? '';
      put(values, owner.exec(called)?.[1] ?? `tenant ${tenant}`, `${name}, ${called}`, extension);
    }
  }
  return values;
}

/** Each attribute of a menu or a room, and each line in it or in an extension. */
function put(values: OwnedValues, id: string, section: string, element: Element): void {
  const line = (option: string, text: string): void =>
    own(values, id, { section, option, text, secret: holdsSecret.test(text) });
  if (element.name !== 'extension')
    for (const [name, value] of element.attributes) if (name !== 'name') line(name, value);
  for (const [at, text] of linesIn(element).entries()) line(`line ${at + 1}`, text);
}

const linesIn = ({ children }: Element): string[] =>
  children.flatMap((child) => [child.attributes.map(([, value]) => value).join(' '), ...linesIn(child)]);

/** PINs, and what names a trunk's own contact, stand in the expressions that they are held against. */
const holdsSecret = /sipctl_pin|sip_req_params/;
