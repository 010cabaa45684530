import { type Problem, SipctlError } from '../errors.ts';
import { listing, table } from '../report/table.ts';
import type { ChainState } from '../store/audit-verify.ts';
import type { Store } from '../store/store.ts';
import { type CommandSpec, integerOption, type Run } from './command.ts';
import { limitOf } from './history.ts';
import { asDocument, asLines, streamRows } from './row-stream.ts';

const list: Run = async (app, input) => {
  const store = await app.store();
  const { allTenants, noun } = input.options;
  const entries = await store.listAudit({
    limit: limitOf(input),
    ...(allTenants === true ? {} : { tenant: app.config.tenant }),
    ...(typeof noun === 'string' ? { noun } : {}),
  });
  return {
    data: { entries, count: entries.length },
    text: (style) =>
      entries.length === 0
        ? `nothing was changed yet in tenant '${app.config.tenant}': --all-tenants shows everything\n`
        : table(
            entries,
            [
              { title: 'AT', value: ({ at }) => at },
              { title: 'BY', value: ({ actor }) => actor },
              { title: 'ACTION', value: ({ action }) => action },
              { title: 'OBJECT', value: ({ noun: kind, name }) => `${kind} ${name}` },
              { title: 'TENANT', value: ({ tenant }) => tenant ?? '-' },
              { title: 'FIELDS', value: ({ detail }) => Object.keys(detail).join(',') },
            ],
            style,
          ),
  };
};

const verify: Run = async (app, { options }) => {
  const expected = options.expect === undefined ? null : receiptOf(String(options.expect));
  const store = await app.store();
  await expectWholeTrail(store);
  const state = await store.verifyAudit(expected);
  const errors = [...breakOf(state), ...unexpected(state, expected)];
  const { rows, head, anchored, broken, expectedAt } = state;
  return {
    data: { rows, head, anchored, broken, ...(expected === null ? {} : { expected, expectedAt }) },
    text: (style) =>
      listing(
        [
          ['rows', `${rows}, ${broken === null ? style.good('unbroken') : style.bad('then broken')}`],
          ...(anchored === 0
            ? []
            : [['anchored', `rows up to ${anchored} are older than the chain`] as const]),
          ...(expectedAt === null ? [] : [['expected', `row ${expectedAt}`] as const]),
          ...(broken === null ? [['receipt', head.hash] as const] : []),
        ],
        style,
      ),
    ...(errors.length === 0 ? {} : { outcome: 'failed' as const, errors }),
  };
};

// A chain of which one sees some links only looks broken.
async function expectWholeTrail({ opened }: Store): Promise<void> {
  const own = await opened.access?.own();
  if (own === undefined || own.reads === 'all') return;
  throw new SipctlError('refused', {
    code: 'audit_not_whole',
    message: `'${own.login}' sees the audit trail of its own tenants only, and the chain goes through all of it`,
    field: 'audit',
    hint: 'a login that may read every tenant can follow it: sipctl access list',
  });
}

function receiptOf(text: string): string {
  const receipt = text.trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(receipt)) return receipt;
  throw new SipctlError('invalid', {
    code: 'invalid_expect',
    message: 'expect: this is no receipt',
    field: 'expect',
    hint: 'give the 64 hexadecimal digits that sipctl audit verify printed',
  });
}

const breakOf = ({ broken }: ChainState): Problem[] =>
  broken === null
    ? []
    : [
        {
          code: `audit_${broken.kind}`,
          message: `the audit trail was changed past sipctl: ${broken.message}`,
          field: 'audit',
          hint: 'rows before are as they were written; compare the rest with an export or a backup',
        },
      ];

const unexpected = ({ expectedAt, broken }: ChainState, expected: string | null): Problem[] =>
  expected === null || expectedAt !== null
    ? []
    : [
        {
          code: 'audit_receipt',
          message: `no row ${broken === null ? '' : 'before the break '}has the hash that was expected`,
          field: 'expect',
          hint: 'rows were rewritten or taken away since that receipt, or a backup from before it was restored',
        },
      ];

const exportRows: Run = async (app, input) => {
  const after = integerOption(input, 'after', 0, 'give the id of the last row that you have') ?? 0;
  const entries = (await app.store()).auditEntries(after);
  return streamRows(app, entries, app.config.json ? asDocument('entries') : asLines);
};

export const audit: CommandSpec = {
  name: 'audit',
  summary: 'who changed what',
  alone: 'list',
  verbs: [
    {
      name: 'list',
      summary: 'who changed what; the verb that is meant where none is given',
      options: [
        ['--all-tenants', 'of every tenant, and what belongs to none'],
        ['--noun <noun>', 'only changes of one noun'],
        ['--limit <rows>', 'newest first (default: 20)'],
      ],
      run: list,
    },
    {
      name: 'verify',
      summary: 'follow the chain of hashes: was a row changed, added or taken away',
      options: [['--expect <receipt>', 'and is there what an earlier verify gave this receipt for']],
      examples: ['sipctl audit verify --expect "$(cat receipt)"'],
      run: verify,
    },
    {
      name: 'export',
      summary: 'write every row of every tenant as JSON, one a line, the oldest first',
      options: [['--after <id>', 'only rows after this one']],
      examples: ['sipctl audit export > audit.ndjson'],
      run: exportRows,
    },
  ],
};
