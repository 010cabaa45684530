import type { ObjectChange, OptionChange } from '../../../plan/plan.ts';
import { boxesFile, callsFile } from '../delivered-files.ts';
import { parseSections } from '../dialplan/sections.ts';
import { parseDialplan } from '../dialplan/text.ts';

/**
 * What differs between two texts of an artifact that says where calls go, by the objects of sipctl that its parts
 * belong to; what all of them share belongs to the tenant. A missing side is null, and secrets are masked.
 */
export function callChanges(
  tenant: string,
  file: string,
  before: Buffer | null,
  after: Buffer | null,
): ObjectChange[] {
  // All of a new file is new: its names are enough, and a first apply has a hundred thousand of them.
  if (before === null) return created(tenant, after);
  const old = objectsOf(tenant, file, before);
  const fresh = objectsOf(tenant, file, after);
  const shared = after !== null;
  const changes: ObjectChange[] = [];
  for (const id of new Set([...old.keys(), ...fresh.keys()])) {
    const [kind = '', name = ''] = id.split(' ');
    // The parts that all share come and go with the first and the last object.
    if (kind === 'tenant' && !shared) continue;
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

// Whom a line belongs to stands behind it; in a value, the semicolon would have a backslash.
const ownerBehind = / ; (\S+) (\S+)$/gm;

function created(tenant: string, text: Buffer | null): ObjectChange[] {
  const ids = new Map<string, ObjectChange>();
  for (const [id, kind = '', name = ''] of text?.toString('utf8').matchAll(ownerBehind) ?? [])
    if (!ids.has(id)) ids.set(id, { kind, tenant, name, action: 'create', options: none });
  return [...ids.values()].sort(byKindAndName);
}

/** Shared by all that come or go: a first apply has a hundred thousand of them. */
const none: OptionChange[] = [];

const byKindAndName = (one: ObjectChange, other: ObjectChange): number =>
  compare(one.kind, other.kind) || compare(one.name, other.name);

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** One value of an object; those of a secret are compared, and never shown. */
interface Value {
  section: string;
  option: string;
  text: string;
  secret: boolean;
}

/** `user ann` → section and option → value. */
type Objects = Map<string, Map<string, Value>>;

function objectsOf(tenant: string, file: string, content: Buffer | null): Objects {
  const objects: Objects = new Map();
  const text = content?.toString('utf8') ?? '';
  const put = (id: string, value: Value): void => {
    const values = objects.get(id) ?? new Map<string, Value>();
    objects.set(id, values.set(`${value.section} ${value.option}`, value));
  };
  if (file === callsFile) putDialplan(tenant, text, put);
  else if (file === boxesFile) putBoxes(tenant, text, put);
  else putRooms(text, put);
  return objects;
}

type Put = (id: string, value: Value) => void;

function putDialplan(tenant: string, text: string, put: Put): void {
  const all = `tenant ${tenant}`;
  for (const { name, owner, includes, extensions } of parseDialplan(text)) {
    const section = name.replace(`t-${tenant}.`, '');
    const whose = owner === '' ? all : owner;
    for (const one of includes) put(whose, { section, option: `include ${one}`, text: one, secret: false });
    for (const { pattern, owner: own, steps } of extensions) {
      for (const [at, { application, data }] of steps.entries()) {
        const value = { section, option: `${pattern},${at + 1}`, text: `${application}(${data})` };
        put(own === '' ? whose : own, { ...value, secret: false });
      }
    }
  }
}

const boxFields = ['password', 'name', 'email', 'pager', 'options'];

function putBoxes(tenant: string, text: string, put: Put): void {
  for (const { name: section, entries } of parseSections(text)) {
    for (const { key, value, owner } of entries) {
      if (owner === '') {
        put(`tenant ${tenant}`, { section, option: key, text: value, secret: false });
        continue;
      }
      const fields = value.split(',');
      for (const [at, option] of boxFields.entries()) {
        const field = fields[at] ?? '';
        if (field === '') continue;
        put(owner, { section, option: `${key} ${option}`, text: field, secret: option === 'password' });
      }
    }
  }
}

function putRooms(text: string, put: Put): void {
  for (const { name, owner, entries } of parseSections(text)) {
    const role = /\.(participant|moderator)$/.exec(name)?.[1] ?? 'room';
    for (const { key, value } of entries) {
      put(owner, { section: role, option: key, text: value, secret: key === 'pin' });
    }
  }
}

function optionChanges(before: Map<string, Value>, after: Map<string, Value>): OptionChange[] {
  const changes: OptionChange[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    const one = was ?? is;
    if (one === undefined || was?.text === is?.text) continue;
    changes.push({ section: one.section, option: one.option, before: shown(was), after: shown(is) });
  }
  return changes;
}

const shown = (value: Value | undefined): string | null =>
  value === undefined ? null : value.secret ? '[secret]' : value.text;
