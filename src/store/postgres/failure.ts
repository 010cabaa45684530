import { type Outcome, SipctlError } from '../../errors.ts';
import { noDatabase } from '../opening.ts';

interface Meaning {
  /** SQLSTATE (PostgreSQL's manual, appendix A), or the code of an error of Node's. */
  codes: RegExp;
  outcome: Outcome;
  code: string;
  message: string;
  hint: string;
}

const meanings: readonly Meaning[] = [
  {
    codes: /^(ECONN\w+|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|ENOENT|08\w{3}|57P0\w)$/,
    outcome: 'unreachable',
    code: 'database_unreachable',
    message: 'does not answer',
    hint: 'check host and port in SIPCTL_DB, that the server runs and listens there, and the network to it',
  },
  {
    codes: /^28\w{3}$/,
    outcome: 'refused',
    code: 'database_login',
    message: 'does not let us in',
    hint: 'check the user in SIPCTL_DB and its password: PGPASSWORD, ~/.pgpass (PGPASSFILE), or in the address; and pg_hba.conf',
  },
  {
    codes: /^(\w*CERT\w*|UNABLE_TO_\w+|ERR_TLS_\w+|EPROTO)$/,
    outcome: 'refused',
    code: 'database_untrusted',
    message: 'shows a certificate that is not trusted',
    hint: 'name its authority with sslrootcert=<file>, and the host as its certificate does',
  },
  {
    codes: /^NO_TLS$/,
    outcome: 'refused',
    code: 'database_plain',
    message: 'does not speak TLS, which sslmode demands',
    hint: 'set ssl = on at the server, or sslmode=disable where nobody else is on the way to it',
  },
  {
    codes: /^42501$/,
    outcome: 'refused',
    code: 'database_not_allowed',
    message: 'does not allow this',
    hint: 'sipctl access list says what you may do, and an admin grants more; the owner alone brings tables up to date',
  },
  {
    codes: /^25006$/,
    outcome: 'refused',
    code: 'database_read_only',
    message: 'cannot be written: it is a standby, or set to read only',
    hint: 'name the primary server in SIPCTL_DB',
  },
  {
    codes: /^(55P03|40001|40P01)$/,
    outcome: 'conflict',
    code: 'database_busy',
    message: 'is kept busy by another process',
    hint: 'wait until that one is done, then run the command again',
  },
  {
    codes: /^53300$/,
    outcome: 'unreachable',
    code: 'database_full_up',
    message: 'takes no more connections',
    hint: 'run the command again later, or raise max_connections',
  },
  {
    codes: /^(53\w{3}|58\w{3}|54000)$/,
    outcome: 'failed',
    code: 'database_io',
    message: 'cannot be written or read in full',
    hint: 'nothing of this command was kept; the log of the server says more',
  },
  {
    codes: /^XX\w{3}$/,
    outcome: 'failed',
    code: 'database_damaged',
    message: 'is damaged',
    hint: 'the log of the server says more',
  },
];

/** What an error of a PostgreSQL server, or of the way to it, means to an operator; null when it says that sipctl is wrong. */
export function postgresFailure(error: unknown, url: string, login?: string): SipctlError | null {
  if (!(error instanceof Error)) return null;
  const code = codeOf(error);
  if (code === '3D000') return noDatabase(url, error);
  const found = meanings.find(({ codes }) => codes.test(code));
  if (found === undefined) return null;
  const whom = code === '42501' && login !== undefined ? ` to '${login}'` : '';
  const message = `the database ${url} ${found.message}${whom} (${saidBy(error)})`;
  return new SipctlError(
    found.outcome,
    { code: found.code, message, field: 'db', hint: found.hint },
    { cause: error },
  );
}

// The driver has words and no codes for some of what can happen.
function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return code;
  if (
    /timeout|terminated|Connection ended|not queryable|has encountered a connection error/i.test(
      error.message,
    )
  )
    return 'ETIMEDOUT';
  if (/does not support SSL/.test(error.message)) return 'NO_TLS';
  return /password|SASL|SCRAM/i.test(error.message) ? '28P01' : '';
}

// Of several addresses of one host, each has an error of its own.
const saidBy = (error: Error): string =>
  error.message !== ''
    ? error.message
    : ((error as AggregateError).errors ?? []).map((one: Error) => one.message).join('; ');
