import { everyNoun, nounNamed } from '../model/every-noun.ts';
import type { Field, Noun, Value } from '../model/field.ts';
import type { ObjectEdit } from '../plan/edits.ts';
import type { Writer } from '../store/writer.ts';

/** In this order each object finds what its references lead to. */
const order = [
  'tenant',
  'user',
  'schedule',
  'trunk',
  'number',
  'group',
  'ivr',
  'conference',
  'route',
  'emergency',
  'twilioAccount',
  'twilioTrunk',
  'twilioOrigination',
  'livekit',
  'node',
];

const rank = new Map(
  [...everyNoun].map(({ name }) => [name, order.includes(name) ? order.indexOf(name) : order.length]),
);
const rankOf = ({ noun }: ObjectEdit): number => rank.get(noun.name) as number;

const keyOf = (noun: string, tenant: string | null, name: Value | undefined): string =>
  `${noun}\n${tenant ?? ''}\n${name}`;

/**
 * Writes edits inside a transaction, so that at no step two objects have what one may have, nor a reference leads to
 * what is gone: first what is let go, then what is removed, then what is added and changed.
 */
export async function writeEdits(writer: Writer, edits: readonly ObjectEdit[]): Promise<void> {
  const deletes = edits
    .filter(({ action }) => action === 'delete')
    .toSorted((one, other) => rankOf(other) - rankOf(one));
  const gone = new Set(deletes.map(({ noun, tenant, name }) => keyOf(noun.name, tenant, name)));
  const held = await letGo(writer, edits, gone);
  await vacateTaken(writer, edits);
  for (const edit of deletes)
    if (!held.has(keyOf(edit.noun.name, edit.tenant, edit.name))) await remove(writer, edit);
  const written = edits.filter(({ action }) => action !== 'delete');
  for (const edit of written.toSorted(
    (one, other) => rankOf(one) - rankOf(other) || domainFirst(one, other),
  )) {
    const ref = { tenant: edit.tenant, name: edit.name };
    if (edit.action === 'create') await writer.add(edit.noun, ref, edit.values);
    else await writer.set(edit.noun, ref, edit.values);
  }
  for (const edit of deletes)
    if (held.has(keyOf(edit.noun.name, edit.tenant, edit.name))) await remove(writer, edit);
}

const remove = (writer: Writer, { noun, tenant, name }: ObjectEdit): Promise<void> =>
  writer.remove(noun, { tenant, name });

// A tenant that gets a domain takes its users out of the names that all tenants share, before another one puts some in.
const domainFirst = (one: ObjectEdit, other: ObjectEdit): number =>
  Number((one.values.domain ?? null) === null) - Number((other.values.domain ?? null) === null);

/** Unsets references to what will be gone. What cannot do without stays until the end: its keys are answered. */
async function letGo(
  writer: Writer,
  edits: readonly ObjectEdit[],
  gone: ReadonlySet<string>,
): Promise<Set<string>> {
  const held = new Set<string>();
  for (const { action, noun, tenant, name, fields } of edits) {
    if (action !== 'update') continue;
    for (const { field, from } of fields) {
      const { kind, to, required } = noun.fields[field] ?? ({} as Partial<Field>);
      if (kind !== 'reference' || from === null || !gone.has(keyOf(to as string, tenant, from))) continue;
      if (required === true) held.add(keyOf(to as string, tenant, from));
      else await writer.set(noun, { tenant, name }, { [field]: null });
    }
  }
  for (const key of [...held]) await letGoOfHeld(writer, key, gone, held);
  return held;
}

// What stays until the end may itself lead to what goes before.
async function letGoOfHeld(
  writer: Writer,
  key: string,
  gone: ReadonlySet<string>,
  held: Set<string>,
): Promise<void> {
  const [nounName = '', tenant = '', name = ''] = key.split('\n');
  const noun: Noun = nounNamed(nounName);
  const object = (await writer.get(noun, { tenant, name })) as unknown as Record<string, Value>;
  for (const [field, { kind, to, required }] of Object.entries(noun.fields)) {
    const target = keyOf(to ?? '', tenant, object[field]);
    if (kind !== 'reference' || !gone.has(target)) continue;
    if (required === true) held.add(target);
    else await writer.set(noun, { tenant, name }, { [field]: null });
  }
}

/** Takes extensions and domains away from objects that change theirs, where another one gets what they had. */
async function vacateTaken(writer: Writer, edits: readonly ObjectEdit[]): Promise<void> {
  const written = edits.filter(({ action }) => action !== 'delete');
  const wanted = new Set(written.flatMap((edit) => claimsOf(edit, 'to')));
  for (const edit of written) {
    if (edit.action !== 'update') continue;
    for (const field of ['extension', 'domain']) {
      if (!claimsOf(edit, 'from', field).some((claim) => wanted.has(claim))) continue;
      await writer.vacate(edit.noun, { tenant: edit.tenant, name: edit.name }, field);
    }
  }
}

/** What an edit gets (`to`) or gives up (`from`) that there is once. */
function claimsOf(
  { noun, tenant, name, fields, action }: ObjectEdit,
  side: 'from' | 'to',
  only?: string,
): string[] {
  const own = noun.name === 'emergency' && action === 'create' ? [`extension\n${tenant}\n${name}`] : [];
  const changed = fields.filter(
    ({ field }) => (field === 'extension' || field === 'domain') && (only ?? field) === field,
  );
  return [
    ...own,
    ...changed.flatMap((edit) =>
      edit[side] === null ? [] : [`${edit.field}\n${edit.field === 'domain' ? '' : tenant}\n${edit[side]}`],
    ),
  ];
}
