import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { SipctlError } from '../errors.ts';

/** User and group names of this machine, and their numbers. */
export interface Accounts {
  /** @throws SipctlError `invalid` where there is no such user */
  userId(name: string): Promise<number>;
  /** @throws SipctlError `invalid` where there is no such group */
  groupId(name: string): Promise<number>;
  /** The number itself, as text, where it has no name. */
  userName(uid: number): Promise<string>;
  groupName(gid: number): Promise<string>;
}

type Database = 'passwd' | 'group';

/** Accounts from the local files (passwd(5), group(5)), then from the directory service through getent(1). */
export function localAccounts(): Accounts {
  const byName = async (database: Database, name: string): Promise<number> => {
    if (/^[0-9]+$/.test(name)) return Number(name);
    const entry = await find(database, name, (fields) => fields[0] === name);
    if (entry !== null) return Number(entry[2]);
    const [word, flag] = database === 'passwd' ? ['user', 'owner'] : ['group', 'group'];
    throw new SipctlError('invalid', {
      code: `unknown_${word}`,
      message: `this machine has no ${word} ${name}`,
      field: flag,
      hint: `getent ${database} lists them; the PBX’s own is often asterisk; set it with --${flag}`,
    });
  };
  const byId = once(async (key: string): Promise<string> => {
    const [database, id] = key.split(' ') as [Database, string];
    return (await find(database, id, (fields) => fields[2] === id))?.[0] ?? id;
  });
  return {
    userId: (name) => byName('passwd', name),
    groupId: (name) => byName('group', name),
    userName: (uid) => byId(`passwd ${uid}`),
    groupName: (gid) => byId(`group ${gid}`),
  };
}

async function find(
  database: Database,
  key: string,
  matches: (fields: string[]) => boolean,
): Promise<string[] | null> {
  const local = await readFile(`/etc/${database}`, 'utf8').catch(() => '');
  return entryOf(local, matches) ?? entryOf(await askDirectory(database, key), matches);
}

function entryOf(text: string, matches: (fields: string[]) => boolean): string[] | null {
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    if (fields.length >= 3 && /^[0-9]+$/.test(fields[2] ?? '') && matches(fields)) return fields;
  }
  return null;
}

const run = promisify(execFile);

// An unknown key, and a machine without getent, both mean: no such account.
async function askDirectory(database: Database, key: string): Promise<string> {
  try {
    return (await run('getent', ['--', database, key], { timeout: 5000 })).stdout;
  } catch {
    return '';
  }
}

function once(work: (key: string) => Promise<string>): (key: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  return (key) => {
    const answer = known.get(key) ?? work(key);
    known.set(key, answer);
    return answer;
  };
}
