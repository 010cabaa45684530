import {
  type OwnedValue,
  type OwnedValues,
  own,
  ownedChanges,
  ownedCreated,
} from '../../../plan/owned-values.ts';
import type { ObjectChange } from '../../../plan/plan.ts';
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
  if (before === null) return ownedCreated(tenant, ownersIn(after));
  return ownedChanges(tenant, objectsOf(tenant, file, before), objectsOf(tenant, file, after));
}

// Whom a line belongs to stands behind it; in a value, the semicolon would have a backslash.
const ownerBehind = / ; (\S+ \S+)$/gm;

const ownersIn = (text: Buffer | null): string[] =>
  [...(text?.toString('utf8').matchAll(ownerBehind) ?? [])].map(([, id = '']) => id);

function objectsOf(tenant: string, file: string, content: Buffer | null): OwnedValues {
  const objects: OwnedValues = new Map();
  const text = content?.toString('utf8') ?? '';
  const put: Put = (id, value) => own(objects, id, value);
  if (file === callsFile) putDialplan(tenant, text, put);
  else if (file === boxesFile) putBoxes(tenant, text, put);
  else putRooms(text, put);
  return objects;
}

type Put = (id: string, value: OwnedValue) => void;

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
