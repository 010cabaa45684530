import { CompiledQuery } from 'kysely';
import type { Database, NewRows, OpenDatabase } from '../database.ts';

/** Values that one statement may have. */
const mostValues = 65_535;

type Step = OpenDatabase['step'];

/** Adds rows in as few statements as can be. Where one of them fails, they are tried one by one, to say which. */
export async function insertRows(
  database: Database,
  { table, columns, rows }: NewRows,
  step: Step,
): Promise<{ at: number; error: unknown } | null> {
  const run = (some: NewRows['rows']): Promise<unknown> =>
    step(database, () =>
      database.executeQuery(CompiledQuery.raw(statement(table, columns, some.length), some.flat())),
    );
  const atOnce = Math.floor(mostValues / columns.length);
  for (let from = 0; from < rows.length; from += atOnce) {
    const some = rows.slice(from, from + atOnce);
    try {
      await run(some);
    } catch {
      for (const [index, row] of some.entries()) {
        try {
          await run([row]);
        } catch (error) {
          return { at: from + index, error };
        }
      }
    }
  }
  return null;
}

function statement(table: string, columns: readonly string[], count: number): string {
  let at = 0;
  const row = (): string => `(${columns.map(() => `$${++at}`).join(', ')})`;
  const names = columns.map((column) => `"${column}"`).join(', ');
  return `INSERT INTO "${table}" (${names}) VALUES ${Array.from({ length: count }, row).join(', ')}`;
}
