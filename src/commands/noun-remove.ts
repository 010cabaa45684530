import { SipctlError } from '../errors.ts';
import { nounNamed } from '../model/every-noun.ts';
import { commandOf, type Noun, snake, titleOf } from '../model/field.ts';
import { defaultTenant } from '../model/identity.ts';
import { type Remainder, withoutMentions } from '../model/mentions.ts';
import type { Mentioner } from '../store/mentions.ts';
import type { NamedObject, ObjectRef, Records } from '../store/records.ts';
import type { Stored } from '../store/rows.ts';
import { applyAfterWrite } from './apply-after-write.ts';
import type { Result, Run } from './command.ts';
import { confirm } from './confirm.ts';
import { refOf } from './object-ref.ts';

/** What a removal takes: what refers to the object goes too; what only names it stays, without the name. */
interface Removal {
  /** In the order in which they can go; the object itself is the last. */
  objects: NamedObject[];
  changes: (NamedObject & Remainder & { places: string[] })[];
}

/** Removes an object. What refers to it or names it stops that; with `--cascade` it follows, or lets the name go. */
export const remove =
  (noun: Noun): Run =>
  async (app, input) => {
    const ref = refOf(noun, app, input);
    if (noun.name === 'tenant' && ref.name === defaultTenant) throw defaultStays();
    const cascade = input.options.cascade === true;
    const store = await app.store();
    const foreseen = await removalOf(store.records, noun, ref);
    refuse(foreseen, cascade);
    await confirm(app, questionOf(foreseen));
    const removal = await store.write(async (writer) => {
      // What came in between must not go unasked.
      const now = await removalOf(writer, noun, ref);
      refuse(now, cascade);
      for (const change of now.changes) await writer.set(change.noun, change.ref, change.patch);
      await writer.removeAll(now.objects);
      return now;
    });
    const removed = removal.objects.map(label);
    const changed = removal.changes.map(label);
    const result: Result = {
      changed: true,
      data: { removed, changed },
      text: (style) =>
        removal.changes.map((one) => `${style.bold(label(one))} lost ${one.places.join(', ')}\n`).join('') +
        removed.map((one) => `${style.bold(one)} removed\n`).join(''),
    };
    return applyAfterWrite(app, input, result);
  };

async function removalOf(records: Records, noun: Noun, ref: ObjectRef): Promise<Removal> {
  const objects = [...(await allDependents(records, noun, ref)), { noun, ref }];
  const gone = new Set(objects.map(keyOf));
  const changes = new Map<string, Removal['changes'][number]>();
  for (const mentioner of await records.mentioners(objects)) {
    const named = { noun: nounNamed(mentioner.noun), ref: mentioner.ref };
    const known = changes.get(keyOf(named));
    if (known !== undefined) known.places.push(placeOf(mentioner));
    else {
      const values = (await records.get(named.noun, named.ref)) as unknown as Stored;
      const remainder = withoutMentions(named.noun, values, (one) => gone.has(`${one.noun} ${one.name}`));
      changes.set(keyOf(named), { ...named, ...remainder, places: [placeOf(mentioner)] });
    }
  }
  return { objects, changes: [...changes.values()] };
}

// Depth first, so that nothing is removed before what refers to it.
async function allDependents(records: Records, noun: Noun, ref: ObjectRef): Promise<NamedObject[]> {
  const found = new Map<string, NamedObject>();
  for (const dependent of await records.dependents(noun, ref)) {
    const object = { noun: nounNamed(dependent.noun), ref: dependent.ref };
    for (const one of [...(await allDependents(records, object.noun, object.ref)), object])
      if (!found.has(keyOf(one))) found.set(keyOf(one), one);
  }
  return [...found.values()];
}

const label = ({ noun, ref }: NamedObject): string => `${titleOf(noun)} ${ref.name}`;

const keyOf = ({ noun, ref }: NamedObject): string => `${noun.name} ${ref.name}`;

/** `members ann`, `keys 1=user:ann`: by which field, and with which text. */
const placeOf = ({ field, text }: Mentioner): string => `${field} ${text}`;

const named = (change: Removal['changes'][number]): string =>
  `${label(change)} (${change.places.join(', ')})`;

function refuse({ objects, changes }: Removal, cascade: boolean): void {
  const dependents = objects.slice(0, -1);
  const target = objects.at(-1) as NamedObject;
  if (dependents.length + changes.length === 0) return;
  if (!cascade) throw inUse(target, dependents, changes);
  const stuck = changes.filter((change) => change.stuck.length > 0);
  if (stuck.length > 0)
    throw new SipctlError(
      'conflict',
      stuck.map((change) => cannotDoWithout(target, change)),
    );
}

function inUse(
  target: NamedObject,
  dependents: readonly NamedObject[],
  changes: Removal['changes'],
): SipctlError {
  const used = dependents.length === 0 ? [] : [`used by ${dependents.map(label).join(', ')}`];
  const mentioned = changes.length === 0 ? [] : [`named by ${changes.map(named).join(', ')}`];
  const cascade = [
    ...(dependents.length > 0 ? [`removes ${dependents.map(label).join(', ')} with it`] : []),
    ...(changes.length > 0 ? [`takes it out of ${changes.map(label).join(', ')}`] : []),
  ];
  const isStuck = changes.some(({ stuck }) => stuck.length > 0);
  return new SipctlError('conflict', {
    code: `${snake(target.noun.name)}_in_use`,
    message: `${titleOf(target.noun)} '${target.ref.name}' is ${[...used, ...mentioned].join(', and ')}`,
    hint: `change or remove those first${isStuck ? '' : `; --cascade ${cascade.join(', and ')}`}`,
  });
}

function cannotDoWithout(
  target: NamedObject,
  change: Removal['changes'][number],
): SipctlError['problems'][0] {
  const [field = ''] = change.stuck;
  const flag = change.noun.fields[field]?.flag ?? field;
  const at = `${change.ref.name} --tenant ${change.ref.tenant}`;
  return {
    code: `${snake(target.noun.name)}_in_use`,
    message: `${label(change)} would be left without ${change.stuck.join(', ')} (${change.places.join(', ')})`,
    field,
    hint: `sipctl ${commandOf(change.noun)} set ${at} --${flag} … puts others there; sipctl ${commandOf(change.noun)} remove ${at} removes it`,
  };
}

function questionOf({ objects, changes }: Removal): string {
  const dependents = objects.slice(0, -1).map(label);
  const target = label(objects.at(-1) as NamedObject);
  const too = dependents.length > 0 ? ` and ${dependents.join(', ')}` : '';
  const out = changes.length > 0 ? `, and take what goes out of ${changes.map(named).join(', ')}` : '';
  return `Remove ${target}${too}${out}?`;
}

const defaultStays = (): SipctlError =>
  new SipctlError('refused', {
    code: 'default_tenant',
    message: `the tenant '${defaultTenant}' stays: it is the one that is meant where none is named`,
    hint: `sipctl tenant disable ${defaultTenant} leaves it out of every PBX`,
  });
