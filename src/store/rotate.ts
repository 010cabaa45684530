import { everyNoun } from '../model/every-noun.ts';
import { Secret } from '../model/secret.ts';
import type { Database } from './database.ts';
import type { Keyring } from './keyring.ts';
import { columnOf, secretPlace } from './rows.ts';

/** Opens every secret and seals it with the keyring's first key. Returns how many there were. */
export async function sealAnew(database: Database, keyring: Keyring): Promise<number> {
  let sealed = 0;
  for (const noun of everyNoun) {
    for (const [name, field] of Object.entries(noun.fields)) {
      if (field.kind !== 'secret') continue;
      const column = columnOf(name, field);
      const rows = await database
        .selectFrom(noun.table)
        .select(['id', column])
        .where(column, 'is not', null)
        .execute();
      for (const row of rows) {
        const place = secretPlace(noun.table, row.id as number, column);
        const text = keyring.open(row[column] as Buffer, place);
        const value = keyring.seal(new Secret(text), place);
        await database
          .updateTable(noun.table)
          .set({ [column]: value })
          .where('id', '=', row.id)
          .execute();
        sealed++;
      }
    }
  }
  return sealed;
}
