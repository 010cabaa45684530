import { SipctlError } from '../errors.ts';

/** The error for a place where nothing was made yet. */
export const noDatabase = (file: string, cause?: unknown): SipctlError =>
  new SipctlError(
    'notFound',
    {
      code: 'no_database',
      message: `there is no sipctl database at ${file}`,
      field: 'db',
      hint: 'run: sipctl init, or name another one with --db or SIPCTL_DB',
    },
    { cause },
  );

/** The error for another program's database, which must not get our tables by a slip in `--db`. */
export const notOurs = (file: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'database_foreign',
    message: `${file} is a database, but not one of sipctl`,
    field: 'db',
    hint: 'check --db and SIPCTL_DB',
  });

/** The error for a schema that this sipctl does not know yet. */
export const madeByNewer = (file: string): SipctlError =>
  new SipctlError('refused', {
    code: 'database_newer',
    message: `${file} was made by a newer sipctl`,
    hint: 'upgrade sipctl on this machine',
  });

/** The error for a copy of a database that is no file. */
export const notAFile = (file: string): SipctlError =>
  new SipctlError('refused', {
    code: 'database_not_a_file',
    message: `${file} is no file: PostgreSQL has its own backups`,
    field: 'db',
    hint: 'pg_dump and pg_restore do it; or: sipctl db copy <from> <to>',
  });
