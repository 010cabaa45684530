import { optionChanges } from '../../../plan/option-changes.ts';
import type { ObjectChange, OptionChange } from '../../../plan/plan.ts';
import { parseRendered } from '../conf/rendered.ts';
import { isSecret } from '../expected-values.ts';
import type { PjsipGroup, PjsipObject } from '../pjsip-object.ts';
import { registrationChanges } from '../reload.ts';

/** Shared by all created objects: a first apply has a hundred thousand of them. */
const none: OptionChange[] = [];

/** What differs between two texts of one artifact, trunk by trunk and user by user; a missing side is null. */
export function objectChanges(tenant: string, before: Buffer | null, after: Buffer | null): ObjectChange[] {
  // All of a new file is new: its names are enough, and a first apply has a hundred thousand of them.
  if (before === null)
    return markers(after).map(({ kind, name }) => ({ action: 'create', kind, tenant, name, options: none }));
  const [oldText, freshText] = differingBlocks(before.toString('utf8'), after?.toString('utf8') ?? '');
  const old = parseRendered(oldText);
  const fresh = parseRendered(freshText);
  const freshByName = new Map(fresh.map((group) => [group.name, group]));
  const oldNames = new Set(old.map(({ name }) => name));
  const changes: ObjectChange[] = [];
  for (const group of old) {
    const next = freshByName.get(group.name);
    const change = changeOf(group, next, tenant);
    if (change !== null) changes.push({ ...change, ...registrationChanges(group, next) });
  }
  for (const { kind, name } of fresh) {
    if (!oldNames.has(name)) changes.push({ action: 'create', kind, tenant, name, options: [] });
  }
  return changes.sort((one, other) => (one.name < other.name ? -1 : 1));
}

// Most of a file is the same before and after: only the blocks that are not are read closely.
function differingBlocks(before: string, after: string): [string, string] {
  const old = blocks(before);
  const fresh = blocks(after);
  const differing = (from: Map<string, string>, to: Map<string, string>): string =>
    [...from].map(([name, text]) => (to.get(name) === text ? '' : text)).join('');
  return [differing(old, fresh), differing(fresh, old)];
}

/** Object → its text, from its opening marker to the next one. */
function blocks(text: string): Map<string, string> {
  const found = [...text.matchAll(marker)];
  return new Map(
    found.map((match, at) => [
      `${match[1]} ${match[2]}`,
      text.slice(match.index, found[at + 1]?.index ?? text.length),
    ]),
  );
}

function changeOf(before: PjsipGroup, after: PjsipGroup | undefined, tenant: string): ObjectChange | null {
  const { kind, name } = before;
  if (after === undefined) return { action: 'delete', kind, tenant, name, options: [] };
  const options = optionChanges(valuesOf(before.objects), valuesOf(after.objects), isSecret);
  return options.length === 0 ? null : { action: 'update', kind, tenant, name, options };
}

// An object that changes its name, as with a new domain of the tenant, shows that in each of its sections.
function valuesOf(objects: readonly PjsipObject[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const { type, id, options } of objects) {
    values.set(`${type} name`, id);
    for (const [option, value] of options) {
      const key = `${type} ${option}`;
      const known = values.get(key);
      values.set(key, known === undefined ? value : `${known}, ${value}`);
    }
  }
  return values;
}

const marker = /^; === (TRUNK|SIP USER): (\S+)/gm;

function markers(text: Buffer | null): { kind: string; name: string }[] {
  const found = (text?.toString('utf8') ?? '').matchAll(marker);
  return [...found].map(([, kind, name]) => ({
    kind: kind === 'TRUNK' ? 'trunk' : 'user',
    name: name as string,
  }));
}
