import { everyNoun } from '../model/every-noun.ts';
import type { Noun } from '../model/field.ts';
import { snake } from '../model/field.ts';
import type { Holder } from './constraints.ts';
import type { Database } from './database.ts';

/** The object of the tenant that users reach by dialling this: by its extension, or as an emergency number. */
export async function holderOf(
  database: Database,
  ref: { tenant: string | null; name: string },
  dialled: unknown,
): Promise<Holder | null> {
  if (typeof dialled !== 'string') return null;
  for (const noun of everyNoun) {
    const column = dialledColumn(noun);
    if (column === null) continue;
    const row = await database
      .selectFrom(noun.table)
      .innerJoin('tenants', 'tenants.id', `${noun.table}.tenant_id`)
      .select(`${noun.table}.${snake(noun.key)} as name`)
      .where('tenants.name', '=', ref.tenant)
      .where(`${noun.table}.${column}`, '=', dialled)
      .executeTakeFirst();
    if (row !== undefined) return { noun: noun.name, name: row.name as string };
  }
  return null;
}

const dialledColumn = (noun: Noun): string | null =>
  noun.name === 'emergency' ? 'number' : 'extension' in noun.fields ? 'extension' : null;
