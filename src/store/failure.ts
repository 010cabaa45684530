import { type Outcome, SipctlError } from '../errors.ts';

interface Meaning {
  /** SQLite's result codes and their extended forms: https://www.sqlite.org/rescode.html */
  codes: RegExp;
  outcome: Outcome;
  code: string;
  message: string;
  hint: string;
}

const meanings: readonly Meaning[] = [
  {
    codes: /^SQLITE_(BUSY|LOCKED)/,
    outcome: 'conflict',
    code: 'database_busy',
    message: 'is kept busy by another process',
    hint: 'wait until that one is done, then run the command again',
  },
  {
    codes: /^SQLITE_(READONLY|PERM|AUTH)/,
    outcome: 'refused',
    code: 'database_read_only',
    message: 'cannot be written',
    hint: 'sipctl needs to write the file and its folder: check their owner and mode, and the mount',
  },
  {
    codes: /^SQLITE_(FULL|IOERR|NOLFS|TOOBIG)/,
    outcome: 'failed',
    code: 'database_io',
    message: 'cannot be written or read in full: the disk is full, or a limit of file sizes is reached',
    hint: 'nothing of this command was kept; df -h and ulimit -f show what is short',
  },
  {
    codes: /^SQLITE_(CORRUPT|NOTADB|FORMAT)/,
    outcome: 'failed',
    code: 'database_damaged',
    message: 'is damaged, or no database at all',
    hint: 'check --db and SIPCTL_DB, or put a backup in its place: sipctl db restore <file>',
  },
  {
    codes: /^SQLITE_CANTOPEN/,
    outcome: 'refused',
    code: 'database_unopened',
    message: 'cannot be opened',
    hint: 'sipctl needs to write the file and its folder: check --db, their owner and mode',
  },
];

/** What an error of SQLite means to an operator; null when it is none, or says that sipctl itself is wrong. */
export function databaseFailure(error: unknown, file: string): SipctlError | null {
  if (!(error instanceof Error) || error.name !== 'SqliteError') return null;
  const found = meanings.find(({ codes }) => codes.test(String((error as { code?: unknown }).code)));
  if (found === undefined) return null;
  const { outcome, code, message, hint } = found;
  return new SipctlError(
    outcome,
    { code, message: `the database ${file} ${message} (${error.message})`, field: 'db', hint },
    { cause: error },
  );
}
