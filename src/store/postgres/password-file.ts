import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Whose password is looked for. */
export interface Login {
  host: string;
  port: number;
  database: string;
  user: string;
}

/**
 * The password that libpq would take from its file (PostgreSQL's manual, 34.16): of the first line that fits.
 * A file that others can read is passed over, as there. null where none is found.
 */
export function passwordFromFile(login: Login, env: NodeJS.ProcessEnv): string | null {
  const file = env.PGPASSFILE || join(homedir(), '.pgpass');
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0) return null;
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const wanted = [login.host, String(login.port), login.database, login.user];
  for (const line of text.split(/\r?\n/)) {
    const [password, ...fields] = fieldsOf(line).reverse();
    if (line.startsWith('#') || password === undefined || fields.length !== wanted.length) continue;
    if (fields.reverse().every((field, at) => field === '*' || isMeant(field, wanted[at] as string)))
      return password;
  }
  return null;
}

// Where a socket is used, its file names the host localhost.
const isMeant = (field: string, value: string): boolean =>
  field === value || (field === 'localhost' && value.startsWith('/'));

// Colons divide; a backslash takes the meaning from the character after it.
const fieldsOf = (line: string): string[] =>
  line.split(/(?<!(?<!\\)(?:\\\\)*\\):/).map((field) => field.replace(/\\(.)/g, '$1'));
