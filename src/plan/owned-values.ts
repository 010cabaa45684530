import { masked } from '../model/secret.ts';
import type { ObjectChange, OptionChange } from './plan.ts';

/** One value of an object of sipctl in a rendered file; those of a secret are compared, and never shown. */
export interface OwnedValue {
  section: string;
  option: string;
  text: string;
  secret: boolean;
}

/** `user ann` → section and option → value; what all objects of a tenant share belongs to `tenant acme`. */
export type OwnedValues = Map<string, Map<string, OwnedValue>>;

/** Takes one value of an object in. */
export function own(values: OwnedValues, id: string, value: OwnedValue): void {
  const all = values.get(id) ?? new Map<string, OwnedValue>();
  values.set(id, all.set(`${value.section} ${value.option}`, value));
}

/** The objects of a tenant that are all new, each of which may be named several times. */
export const ownedCreated = (tenant: string, ids: Iterable<string>): ObjectChange[] =>
  [...new Set(ids)]
    .map((id): ObjectChange => {
      const [kind = '', name = ''] = id.split(' ');
      return { kind, tenant, name, action: 'create', options: none };
    })
    .sort(byKindAndName);

/** What differs between two sets of objects of a tenant, of which one is empty where all is new or all goes. */
export function ownedChanges(tenant: string, old: OwnedValues, fresh: OwnedValues): ObjectChange[] {
  const changes: ObjectChange[] = [];
  for (const id of new Set([...old.keys(), ...fresh.keys()])) {
    const [kind = '', name = ''] = id.split(' ');
    // The parts that all share come and go with the first and the last object.
    if (kind === 'tenant' && (old.size === 0 || fresh.size === 0)) continue;
    const [was, is] = [old.get(id), fresh.get(id)];
    const change = { kind, tenant, name };
    if (was === undefined) changes.push({ ...change, action: 'create', options: none });
    else if (is === undefined) changes.push({ ...change, action: 'delete', options: none });
    else {
      const options = optionChanges(was, is);
      if (options.length > 0) changes.push({ ...change, action: 'update', options });
    }
  }
  return changes.sort(byKindAndName);
}

/** Shared by all that come or go: a first apply has a hundred thousand of them. */
const none: OptionChange[] = [];

const byKindAndName = (one: ObjectChange, other: ObjectChange): number =>
  compare(one.kind, other.kind) || compare(one.name, other.name);

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

function optionChanges(before: Map<string, OwnedValue>, after: Map<string, OwnedValue>): OptionChange[] {
  const changes: OptionChange[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    const one = was ?? is;
    if (one === undefined || was?.text === is?.text) continue;
    changes.push({ section: one.section, option: one.option, before: shown(was), after: shown(is) });
  }
  return changes;
}

const shown = (value: OwnedValue | undefined): string | null =>
  value === undefined ? null : value.secret ? masked : value.text;
