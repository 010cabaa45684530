import { optionChanges } from '../../plan/option-changes.ts';
import type { ArtifactChange, ObjectChange, ReloadStep } from '../../plan/plan.ts';
import { callChanges } from './call-changes.ts';
import { type Delivered, deliveredObjects, gatewayName } from './delivered.ts';
import { directoryFile, gatewaysFile } from './delivered-files.ts';
import { attributeOf, type Element, isSame } from './xml/element.ts';

/** What differs between two texts of one artifact, object by object; a missing side is null. */
export function objectChanges(key: string, before: Buffer | null, after: Buffer | null): ObjectChange[] {
  const [tenant = '', file = ''] = key.split('/');
  if (file !== gatewaysFile && file !== directoryFile) return callChanges(tenant, file, before, after);
  // All of a new file is new: its names are enough, and a first apply has a hundred thousand of them.
  if (before === null) return created(tenant, file, after);
  const old = objectsOf(tenant, file, before);
  const fresh = objectsOf(tenant, file, after);
  const changes: ObjectChange[] = [];
  for (const [name, one] of old) {
    const next = fresh.get(name) ?? null;
    if (next !== null && isSame(one.element, next.element)) continue;
    const replaced = one.kind === 'trunk' ? { unregisters: [gatewayName(one.element)] } : {};
    const options =
      next === null ? [] : optionChanges(valuesOf(one.element), valuesOf(next.element), isSecret);
    changes.push({
      action: next === null ? 'delete' : 'update',
      kind: one.kind,
      tenant,
      name,
      options,
      ...replaced,
    });
  }
  for (const [name, { kind }] of fresh) {
    if (!old.has(name)) changes.push({ action: 'create', kind, tenant, name, options: [] });
  }
  return changes.sort((one, other) => (one.name < other.name ? -1 : 1));
}

const opening: Readonly<Record<string, RegExp>> = {
  [gatewaysFile]: /^ *<gateway name="([^"]*)"/gm,
  [directoryFile]: /^ *<user id="([^"]*)"/gm,
};

function created(tenant: string, file: string, text: Buffer | null): ObjectChange[] {
  const pattern = opening[file];
  if (pattern === undefined) return [];
  const kind = file === gatewaysFile ? 'trunk' : 'user';
  const own = new RegExp(`^${tenant}\\.`);
  return [...(text?.toString('utf8') ?? '').matchAll(pattern)].map(([, name = '']) => ({
    ...{ action: 'create', kind, tenant, options: [] },
    name: kind === 'trunk' ? name.replace(own, '') : name,
  }));
}

function objectsOf(tenant: string, file: string, text: Buffer | null): Map<string, Delivered> {
  if (text === null) return new Map();
  const objects = deliveredObjects({ tenant, file, sha256: '', objects: 0, text });
  return new Map(objects.map((one) => [one.name, one]));
}

const secrets = new Set(['password', 'a1-hash', 'vm-password', 'contact-params']);
/** Whether a value of the directory or of a gateway is one that no output may show. */
export const isSecret = (option: string): boolean => secrets.has(option);

/** `param realm`, `variable accountcode`, `user number-alias` → value, of an object and of all in it. */
function valuesOf(object: Element): Map<string, string> {
  const values = new Map<string, string>();
  const named = attributeOf(object, 'name') !== undefined && attributeOf(object, 'value') !== undefined;
  if (named) values.set(`${object.name} ${attributeOf(object, 'name')}`, attributeOf(object, 'value') ?? '');
  else for (const [name, value] of object.attributes) values.set(`${object.name} ${name}`, value);
  for (const child of object.children) for (const [key, value] of valuesOf(child)) values.set(key, value);
  return values;
}

type Reload = Extract<ReloadStep, { kind: 'reload-module' }>;

/** Reads all XML again; FreeSWITCH asks it anew for each call and registration, gateways excepted. */
export const reloadXmlStep: Reload = { kind: 'reload-module', module: 'xml' };
/** The same, and adds the gateways that the profile does not have. */
const newGatewaysStep: ReloadStep = { kind: 'reload-module', module: 'gateways' };
/** The same, and those are made anew that may run with other values. */
export const allGatewaysStep: Reload = { kind: 'reload-module', module: 'all-gateways' };

/**
 * The smallest reload that makes changes run: nothing for nothing. A gateway that runs is not changed by any reload, so
 * one that changes or vanishes is ended first; its calls go on.
 */
export function reloadFor(changes: readonly ArtifactChange[]): ReloadStep[] {
  if (changes.length === 0) return [];
  const gateways = changes.some(({ key }) => key.endsWith(`/${gatewaysFile}`));
  if (!gateways) return [reloadXmlStep];
  const ended = changes
    .flatMap(({ objects }) => objects.flatMap(({ unregisters }) => unregisters ?? []))
    .sort();
  return [
    ...ended.map((registration): ReloadStep => ({ kind: 'unregister', registration })),
    newGatewaysStep,
  ];
}

/** What makes everything that is delivered run: nothing tells of a gateway with which password it was made. */
export const reloadAll = (): ReloadStep[] => [allGatewaysStep];
