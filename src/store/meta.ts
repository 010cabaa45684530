import type { Database } from './database.ts';

/** What a database says about itself, by key. */
export async function readMeta(database: Database): Promise<Map<string, string>> {
  const rows = await database.selectFrom('meta').select(['key', 'value']).execute();
  return new Map(rows.map((row) => [row.key as string, row.value as string]));
}

/** Notes a value unless there is one; answers the one that is there then. */
export async function noteOnce(database: Database, key: string, value: string): Promise<string> {
  await database
    .insertInto('meta')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  const row = await database.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value as string;
}

/** Puts a value in the place of the one that is there. */
export async function replaceMeta(database: Database, key: string, value: string): Promise<void> {
  await database.updateTable('meta').set({ value }).where('key', '=', key).execute();
}
