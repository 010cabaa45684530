import { type Problem, SipctlError } from '../errors.ts';
import { nearest } from '../model/check.ts';
import { everyNoun, nounNamed } from '../model/every-noun.ts';
import type { Mention, Noun, Value } from '../model/field.ts';
import { snake } from '../model/field.ts';
import { type MentionPlace, mentionFields, mentionsIn } from '../model/mentions.ts';
import type { Database } from './database.ts';

/** An object that names another one of its tenant, and where. */
export interface Mentioner extends MentionPlace {
  noun: string;
  ref: { tenant: string; name: string };
}

interface Ref {
  tenant: string | null;
  name: string;
}

/** Every place of a tenant where one of its objects names another. */
export async function mentionersOf(database: Database, tenant: string): Promise<Mentioner[]> {
  const found: Mentioner[] = [];
  for (const noun of everyNoun) {
    const fields = mentionFields(noun);
    if (fields.length === 0) continue;
    const columns = fields.map(([name]) => snake(name));
    const rows = await database
      .selectFrom(noun.table)
      .innerJoin('tenants', 'tenants.id', `${noun.table}.tenant_id`)
      .select([`${noun.table}.${snake(noun.key)} as name`])
      .select(columns.map((column) => `${noun.table}.${column} as ${column}`))
      .where('tenants.name', '=', tenant)
      .where(({ or, eb }) => or(columns.map((column) => eb(`${noun.table}.${column}`, 'is not', null))))
      .orderBy(`${noun.table}.${snake(noun.key)}`)
      .execute();
    for (const row of rows) {
      const values = Object.fromEntries(
        fields.map(([name, field]) => [name, asValue(row[snake(name)], field.kind === 'list')]),
      );
      const ref = { tenant, name: row.name as string };
      for (const place of mentionsIn(noun, values)) found.push({ noun: noun.name, ref, ...place });
    }
  }
  return found;
}

function asValue(stored: unknown, isList: boolean): Value {
  if (typeof stored !== 'string') return null;
  return isList ? stored.split(',') : stored;
}

/** Whether a place names this object. */
const isNamed = (mention: Mention, noun: Noun, ref: Ref): boolean =>
  mention.noun === noun.name && mention.name === ref.name;

/** @throws SipctlError `notFound` with every object that the values name and the tenant does not have */
export async function expectMentioned(
  database: Database,
  noun: Noun,
  ref: Ref,
  values: Readonly<Record<string, Value>>,
): Promise<void> {
  // A menu may lead back to itself before it is there.
  const places = mentionsIn(noun, values).filter(({ mention }) => !isNamed(mention, noun, ref));
  const problems: Problem[] = [];
  for (const kind of new Set(places.map(({ mention }) => mention.noun))) {
    const ofKind = places.filter(({ mention }) => mention.noun === kind);
    const names = ofKind.map(({ mention }) => mention.name);
    const known = await namesOf(database, nounNamed(kind), ref.tenant, names);
    const lost = ofKind.filter(({ mention }) => !known.includes(mention.name));
    if (lost.length === 0) continue;
    const all = await namesOf(database, nounNamed(kind), ref.tenant);
    for (const { field, mention } of lost) problems.push(noSuch(field, mention, ref, all));
  }
  if (problems.length > 0) throw new SipctlError('notFound', problems);
}

async function namesOf(
  database: Database,
  noun: Noun,
  tenant: string | null,
  among?: readonly string[],
): Promise<string[]> {
  const key = `${noun.table}.${snake(noun.key)}`;
  let query = database
    .selectFrom(noun.table)
    .innerJoin('tenants', 'tenants.id', `${noun.table}.tenant_id`)
    .select(`${key} as name`)
    .where('tenants.name', '=', tenant);
  if (among !== undefined) query = query.where(key, 'in', among);
  return (await query.execute()).map((row) => row.name as string);
}

function noSuch(field: string, { noun, name }: Mention, ref: Ref, known: readonly string[]): Problem {
  const near = nearest(name, known);
  const list = `sipctl ${noun} list --tenant ${ref.tenant}`;
  return {
    code: `${noun}_not_found`,
    message: `${field}: there is no ${noun} '${name}' in tenant '${ref.tenant}'`,
    field,
    hint: near === null ? list : `did you mean '${near}'? See ${list}`,
  };
}
