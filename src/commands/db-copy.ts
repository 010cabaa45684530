import { resolve } from 'node:path';
import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { isPostgresUrl, withoutPassword } from '../model/database-url.ts';
import { Secret } from '../model/secret.ts';
import { table } from '../report/table.ts';
import { type ComparedTable, compareDatabases, copyDatabase, isSame } from '../store/copy.ts';
import type { OpenDatabase, OpenOptions } from '../store/database.ts';
import { isHeld } from '../store/leases.ts';
import { openDatabase } from '../store/open-database.ts';
import type { Result, Run, VerbSpec } from './command.ts';
import { leaseView } from './lease.ts';

const run: Run = async (app, { args, options }) => {
  const verify = options.verify === true;
  const [from, to] = [placeOf(app, args[0] as string, 'from'), placeOf(app, args[1] as string, 'to')];
  if (from.file === to.file) throw onlyOne(from.file);
  const source = await openDatabase({ ...from, migrate: false, now: app.now });
  try {
    await expectReadable(source);
    if (!verify) await expectNobodyAtWork(app, source);
    const target = await openDatabase({ ...to, create: !verify, migrate: !verify, now: app.now });
    try {
      await (verify ? expectReadable(target) : expectOwner(target));
      const compared = await (verify ? compareDatabases : copyDatabase)(source, target);
      return answerOf(compared, { from: source.file, to: target.file, verify });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
};

type Place = Pick<OpenOptions, 'file' | 'password'>;

/** A path, an address, or the name of a variable that holds one. @throws SipctlError `invalid` */
function placeOf(app: App, text: string, field: string): Place {
  const variable = /^env:(.+)$/.exec(text)?.[1];
  const place = variable === undefined ? text : app.env[variable];
  if (place === undefined || place === '') throw invalid(field, `${text} is not set`, 'check its name');
  if (!isPostgresUrl(place)) return { file: resolve(place) };
  const { url, password } = withoutPassword(place);
  if (variable === undefined && password !== null) {
    const hint = 'leave it to PGPASSWORD or ~/.pgpass, or put the address into a variable: env:NAME';
    throw invalid(field, 'everyone on this machine can read the password of a command line', hint);
  }
  const usual = app.env.PGPASSWORD ? new Secret(app.env.PGPASSWORD) : null;
  return { file: url, password: password ?? usual };
}

const invalid = (field: string, message: string, hint: string): SipctlError =>
  new SipctlError('invalid', { code: `invalid_${field}`, message: `${field}: ${message}`, field, hint });

const onlyOne = (file: string): SipctlError => invalid('to', `${file} is both ends`, 'name two databases');

// Of what a session does not see there would be no copy, and no word of it.
async function expectReadable(opened: OpenDatabase): Promise<void> {
  const { pending } = await opened.schemaState();
  if (pending.length > 0) {
    throw new SipctlError('conflict', {
      code: 'database_older',
      message: `${opened.file} was made by an older sipctl`,
      hint: `sipctl db migrate --db ${opened.file}`,
    });
  }
  const own = await opened.access?.own();
  if (own === undefined || own.reads === 'all') return;
  throw notAllowed(opened.file, `${own.login} does not see all of it`);
}

async function expectOwner(opened: OpenDatabase): Promise<void> {
  const own = await opened.access?.own();
  if (own === undefined || own.isOwner) return;
  throw notAllowed(opened.file, `${own.login} is not its owner`);
}

const notAllowed = (file: string, why: string): SipctlError =>
  new SipctlError('refused', {
    code: 'copy_not_allowed',
    message: `${file} cannot be copied: ${why}`,
    field: 'db',
    hint: 'log in as the owner of the database',
  });

// A run that is at work writes to the one database, and would be looked for in the other.
async function expectNobodyAtWork(app: App, { kysely, file }: OpenDatabase): Promise<void> {
  const leases = await kysely.selectFrom('leases').selectAll().orderBy('name').execute();
  const held = leases.filter((lease) => isHeld(lease, leaseView(app)));
  if (held.length === 0) return;
  const problems = held.map(
    ({ name, holder }): Problem => ({
      code: 'locked',
      message: `${file}: ${name} is being changed by ${holder}`,
      hint: 'wait until that run has ended',
    }),
  );
  throw new SipctlError('conflict', problems);
}

function answerOf(
  compared: readonly ComparedTable[],
  { from, to, verify }: { from: string; to: string; verify: boolean },
): Result {
  const differing = compared.filter((one) => !isSame(one));
  const rows = compared.reduce((sum, one) => sum + one.from.rows, 0);
  const digest = (one: ComparedTable['from']): string => `${one.digest.slice(0, 12)} (${one.rows})`;
  return {
    data: { from, to, rows, tables: compared, same: differing.length === 0 },
    changed: !verify,
    text: (style) =>
      table(
        compared,
        [
          { title: 'TABLE', value: (one) => one.table },
          { title: 'ROWS', value: ({ from: { rows: count } }) => String(count), align: 'right' },
          {
            title: 'COPY',
            value: (one) => (isSame(one) ? 'same' : `${digest(one.from)} ≠ ${digest(one.to)}`),
            style: (one) => style[isSame(one) ? 'good' : 'bad'],
          },
        ],
        style,
      ) +
      (verify
        ? `${rows} rows compared\n`
        : `${rows} rows copied; their key is the same: keep the key file\nnext: SIPCTL_DB=${to} sipctl db status\n`),
    ...(differing.length === 0
      ? {}
      : {
          outcome: 'failed' as const,
          errors: differing.map((one) => ({
            code: 'copy_differs',
            message: `${one.table} is not the same in both databases`,
            field: 'db',
            hint: 'one of them was written to since the copy was made',
          })),
        }),
  };
}

export const dbCopy: VerbSpec = {
  name: 'copy',
  summary: 'copy everything into an empty database of either kind, and compare both',
  args: '<from> <to>',
  options: [['--verify', 'copy nothing: compare two databases, table by table']],
  examples: [
    'sipctl db copy ~/.local/share/sipctl/sipctl.db postgres://sipctl@db.example/sipctl',
    'sipctl db copy env:TEAM_DB backup.db',
  ],
  run,
};
