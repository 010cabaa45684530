import type { Problem } from '../errors.ts';
import type { Declared } from '../model/declared.ts';
import type { Value } from '../model/field.ts';
import type { Reading, SourceText } from '../model/reading.ts';
import { sameValue } from '../plan/edits.ts';
import { storePath } from '../plan/generation.ts';
import type { ReadableFile, Target } from '../platforms/target.ts';
import { type DeliveredText, deliveredTexts, wasEdited } from './delivered-texts.ts';
import { type DriftSite, driftOf } from './drift.ts';
import type { PlannedTarget } from './make-plan.ts';
import { meantGeneration } from './meant-generation.ts';

/** Reads delivered texts back: those of one tenant, for a node’s engine. */
export type ReadBack = (
  target: Target,
  tenant: string,
  file: ReadableFile,
  text: SourceText,
) => Promise<Reading>;

/** What of the hand edits of a node the database can take. */
export interface Adoption {
  declared: Declared[];
  problems: Problem[];
  /** What is edited, or runs, and cannot be taken. */
  left: Problem[];
}

/**
 * What was edited by hand in the files of a node, as changes of the objects of the database: what was delivered is read
 * back as well as what stands there now, and only the fields in which they differ count. An object that was taken out of a
 * file is disabled, and not removed.
 * @param asked objects as `user:ann`; none: all. One that is asked for is taken from the file also where the database has
 * changed since it was delivered
 * @throws SipctlError where the node cannot be read
 */
export async function adoptionOf(
  site: DriftSite,
  planned: PlannedTarget,
  readBack: ReadBack,
  asked: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<Adoption> {
  const { target } = planned;
  const { manifest } = await meantGeneration(target);
  if (manifest === null) return { declared: [], problems: [], left: [] };
  const texts = await deliveredTexts(site.render, target, manifest);
  const adoption: Adoption = { declared: [], problems: [], left: [] };
  for (const [tenant, edited] of byTenant(texts.filter(wasEdited))) {
    const found = await adoptTenant(site, target, readBack, { tenant, edited, asked });
    adoption.declared.push(...found.declared);
    adoption.problems.push(...found.problems);
    adoption.left.push(...found.left);
  }
  const isTaken = new Set(adoption.declared.map(idOf));
  const drift = await driftOf(site, planned, signal);
  if (drift.error !== null) throw drift.error;
  for (const { object, tenant, differs, message } of drift.findings) {
    if (!differs.includes('running') || differs.includes('files') || isTaken.has(`${tenant} ${object}`))
      continue;
    if (asked.size > 0 && !asked.has(object.replace(' ', ':'))) continue;
    adoption.left.push({
      code: 'not_taken_over',
      message: `${target.node}: ${object}: ${message}: no file says it, so it is not taken over`,
      field: object,
      hint: `sipctl drift revert --node ${target.node} reloads what was delivered`,
    });
  }
  return adoption;
}

/** `user:ann`, as objects are asked for. */
const nameOf = ({ noun, name }: Declared): string => `${noun.name}:${name}`;

const idOf = ({ tenant, noun, name }: Declared): string => `${tenant} ${noun.name} ${name}`;

function byTenant(texts: readonly DeliveredText[]): Map<string, DeliveredText[]> {
  const tenants = new Map<string, DeliveredText[]>();
  for (const text of texts) {
    const list = tenants.get(text.artifact.tenant) ?? [];
    tenants.set(text.artifact.tenant, list);
    list.push(text);
  }
  return tenants;
}

interface Edited {
  tenant: string;
  edited: readonly DeliveredText[];
  asked: ReadonlySet<string>;
}

async function adoptTenant(
  site: DriftSite,
  target: Target,
  readBack: ReadBack,
  { tenant, edited, asked }: Edited,
): Promise<Adoption> {
  const left: Problem[] = [];
  const adoption: Adoption = { declared: [], problems: [], left };
  for (const text of edited) {
    const { key, artifact, onNode } = text;
    const source = `${target.files.place}/sipctl/${storePath(artifact)}`;
    if (onNode === null) {
      left.push(notTaken(target, key, 'the file is gone, which says nothing of its objects'));
      continue;
    }
    const file = target.readsBack[artifact.file];
    if (file === undefined) {
      left.push(
        notTaken(target, key, 'call flows are made of many objects, and cannot be read back from it'),
      );
      continue;
    }
    const base = text.delivered ?? (asked.size > 0 ? await renderedNow(site, target, text) : null);
    if (base === null) {
      left.push(
        notTaken(target, key, 'the database has changed since it was delivered: name the objects to adopt'),
      );
      continue;
    }
    const was = await readBack(target, tenant, file, { source, text: base.toString('utf8') });
    const is = await readBack(target, tenant, file, { source, text: onNode.toString('utf8') });
    const found = differencesOf(was, is).filter((one) => asked.size === 0 || asked.has(nameOf(one)));
    for (const one of found) adoption.declared.push(await withOptions(site, one, was));
    adoption.problems.push(...newOnes(was.problems, is.problems).filter((one) => isAbout(one, asked)));
    left.push(
      ...newOnes(was.differences, is.differences),
      ...unsaid(target, text, base, onNode, found, asked),
    );
  }
  return adoption;
}

// Raw options are many in one field: those that the edit neither added nor removed stay as the database has them.
async function withOptions({ store }: DriftSite, changed: Declared, was: Reading): Promise<Declared> {
  const { noun, tenant, name, values } = changed;
  if (!('options' in values)) return changed;
  const held = (await store.records.find(noun, { tenant, name })) as { options?: Value } | null;
  const lists = [
    held?.options,
    was.declared.find((one) => idOf(one) === idOf(changed))?.values.options,
    values.options,
  ];
  const [own, old, next] = lists.map((list) => (Array.isArray(list) ? (list as string[]) : []));
  if (own === undefined || old === undefined || next === undefined || own.length === 0) return changed;
  const kept = own.filter((one) => next.includes(one) || !old.includes(one));
  const options = [...kept, ...next.filter((one) => !old.includes(one) && !kept.includes(one))];
  return { ...changed, values: { ...values, options: options.length === 0 ? null : options } };
}

async function renderedNow(
  { render }: DriftSite,
  target: Target,
  { key, artifact }: DeliveredText,
): Promise<Buffer | null> {
  const [tenant] = await render(target, [artifact.tenant]);
  return tenant?.artifacts.find((one) => one.key === key)?.text ?? null;
}

/** What the second reading says otherwise than the first, field by field. */
function differencesOf(was: Reading, is: Reading): Declared[] {
  const before = new Map(was.declared.map((one) => [idOf(one), one]));
  const after = new Map(is.declared.map((one) => [idOf(one), one]));
  const gone = was.declared.filter((one) => !after.has(idOf(one)) && !isComplained(one, is));
  return [
    ...is.declared.flatMap((one) => {
      const old = before.get(idOf(one));
      if (old === undefined) return [one];
      const values = changedValues(old, one);
      return Object.keys(values).length === 0 ? [] : [{ ...one, values, generated: [] }];
    }),
    ...gone.map((one) => ({ ...one, values: { enabled: false }, generated: [], places: {} })),
  ];
}

// What is there and cannot be read was not taken out.
const isComplained = ({ noun, name }: Declared, { problems }: Reading): boolean =>
  problems.some(({ message }) => message.startsWith(`${noun.name} ${name}:`));

function changedValues(was: Declared, is: Declared): Record<string, Value> {
  const changed: Record<string, Value> = {};
  for (const name of new Set([...Object.keys(was.values), ...Object.keys(is.values)])) {
    const [old, value] = [was.values[name] ?? null, is.values[name] ?? null];
    if (!sameValue(old, value)) changed[name] = value;
  }
  return changed;
}

// What is wrong with others does not stop the objects that are asked for.
const isAbout = ({ message }: Problem, asked: ReadonlySet<string>): boolean =>
  asked.size === 0 || [...asked].some((name) => message.startsWith(`${name.replace(':', ' ')}:`));

// Complaints that what was delivered gives as well are none of the edit’s.
function newOnes(was: readonly Problem[], is: readonly Problem[]): Problem[] {
  const known = new Set(was.map(({ message }) => message));
  return is.filter(({ message }) => !known.has(message));
}

/** Objects that the edit changes and no field nor option of the database does. */
function unsaid(
  target: Target,
  { key, artifact }: DeliveredText,
  base: Buffer,
  onNode: Buffer,
  found: readonly Declared[],
  asked: ReadonlySet<string>,
): Problem[] {
  const taken = new Set(found.map(nameOf));
  return changesBetween(target, key, base, onNode)
    .filter(({ kind, name }) => !taken.has(`${kind}:${name}`))
    .map(({ kind, name }) => {
      const isAsked = asked.size === 0 || asked.has(`${kind}:${name}`);
      const why = isAsked
        ? `no field of it says what was edited in ${artifact.file}`
        : 'was edited, too, and was not asked for: the next apply takes that away';
      return {
        code: 'not_taken_over',
        message: `${target.node}: ${kind} ${name}${isAsked ? ':' : ''} ${why}`,
        field: `${kind}:${name}`,
        hint: isAsked
          ? `sipctl drift revert --node ${target.node} takes the edit away`
          : `sipctl drift adopt ${kind}:${name} --node ${target.node}`,
      };
    });
}

// A file that was edited may be no XML any more: the reading has complained of that.
function changesBetween(
  target: Target,
  key: string,
  base: Buffer,
  onNode: Buffer,
): ReturnType<Target['objectChanges']> {
  try {
    return target.objectChanges(key, base, onNode);
  } catch {
    return [];
  }
}

const notTaken = ({ node }: Target, key: string, why: string): Problem => ({
  code: 'not_taken_over',
  message: `${node}: ${key} was edited, and is not taken over: ${why}`,
  field: key,
  hint: `sipctl drift revert --node ${node} takes the edit away`,
});
