import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { canonicalIn } from '../model/flow/dialled.ts';
import { numberingPlan } from '../model/flow/numbering.ts';
import * as nouns from '../model/nouns.ts';
import type { CallRecordFilter, StoredCallRecord } from '../store/call-records.ts';
import { directions, oneOf } from './call-list.ts';
import type { Input, OptionSpec } from './command.ts';
import { bareNumber, momentOf } from './tenant-flow.ts';

/** The kept call of this number or id, or of the beginning or the end of its id. @throws SipctlError `notFound`, `invalid` */
export async function pickRecord(app: App, id: string, allTenants: boolean): Promise<StoredCallRecord> {
  const store = await app.store();
  const tenant = allTenants ? undefined : app.config.tenant;
  const [found, ...more] = await store.findCallRecords(id, { tenant, limit: 6 });
  if (found === undefined) {
    throw new SipctlError('notFound', {
      code: 'cdr_not_found',
      message: `there is no call '${id}' among those that were kept`,
      field: 'cdr',
      hint: 'sipctl cdr list shows them; --tenant names whose, --all-tenants all',
    });
  }
  if (more.length === 0) return found;
  throw new SipctlError('invalid', {
    code: 'cdr_ambiguous',
    message: `cdr: '${id}' may be ${[found, ...more].map((one) => `${one.id} (${one.call} on ${one.node})`).join(', ')}`,
    field: 'cdr',
    hint: 'give the number that cdr list shows first',
  });
}

/** What every command for kept calls takes to say which. */
export const recordFilterOptions: readonly OptionSpec[] = [
  ['--all-tenants', 'calls of every tenant, and of nobody'],
  ['--from <time>', 'that began then or later: 2026-05-04, or 2026-05-04T10:00+02:00; UTC where not said'],
  ['--to <time>', 'that began before; a day is meant with all its hours'],
  ['--number <number>', 'from or to this number, or one that has these digits'],
  ['--direction <direction>', 'only inbound, outbound or internal'],
  ['--trunk <trunk>', 'only over this trunk'],
  ['--user <user>', 'only those that this user made or took'],
  ['--cause <cause>', 'that ended so: a code of Q.850 or SIP, or part of the words'],
  ['--answered', 'only those that were answered'],
  ['--unanswered', 'only those that were not'],
  ['--node <node>', 'only those of this node'],
];

/** The calls that the flags mean. @throws SipctlError `invalid` */
export async function recordFilter(app: App, { options }: Input): Promise<CallRecordFilter> {
  const text = (name: string): string | undefined =>
    typeof options[name] === 'string' ? (options[name] as string) : undefined;
  const everywhere = options.allTenants === true;
  if (options.answered === true && options.unanswered === true) throw bothAnswers();
  const [from, to, number] = [text('from'), text('to'), text('number')];
  return {
    tenant: everywhere ? undefined : app.config.tenant,
    node: text('node'),
    from: from === undefined ? undefined : moment(from, 'from').toISOString(),
    before: to === undefined ? undefined : after(to).toISOString(),
    number: number === undefined ? undefined : await numberIn(app, number, everywhere),
    direction: oneOf(options.direction, directions, 'direction') ?? undefined,
    trunk: text('trunk'),
    user: text('user'),
    cause: text('cause'),
    answered: options.answered === true ? true : options.unanswered === true ? false : undefined,
  };
}

const bothAnswers = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: '--answered and --unanswered leave nothing',
    hint: 'give one of them, or none',
  });

// Numbers are kept in E.164, and asked for as people write them.
async function numberIn(app: App, text: string, everywhere: boolean): Promise<string> {
  const bare = bareNumber(text);
  const store = await app.store();
  const tenant = everywhere
    ? null
    : await store.records.find(nouns.tenant, { tenant: null, name: app.config.tenant });
  const { country } = (tenant ?? { country: '' }) as unknown as Pick<nouns.Tenant, 'country'>;
  return canonicalIn(numberingPlan(country), bare);
}

/** A moment as ISO 8601 has it. @throws SipctlError `invalid` naming the flag */
function moment(text: string, field: string): Date {
  try {
    return momentOf(text);
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    const hint = 'write a day, 2026-05-04, or a moment, 2026-05-04T10:00+02:00';
    throw new SipctlError('invalid', {
      code: `invalid_${field}`,
      message: `${field}: '${text}' is not a moment`,
      field,
      hint,
    });
  }
}

const dayMs = 86_400_000;

const after = (text: string): Date => {
  const begin = moment(text, 'to');
  return /^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ? new Date(begin.getTime() + dayMs) : begin;
};

/** Before which moment something is older than this: `90d`, `12w`, or a day. @throws SipctlError `invalid` */
export function olderThan(text: string, now: Date): Date {
  const [, count, unit = 'd'] = /^(\d{1,5})([dw])?$/.exec(text) ?? [];
  if (count === undefined) {
    if (/^\d{4}-/.test(text)) return moment(text, 'older-than');
    throw new SipctlError('invalid', {
      code: 'invalid_older_than',
      message: `older-than: '${text}' is no age`,
      field: 'older-than',
      hint: 'write days, 90d, weeks, 12w, or a day, 2026-05-04',
    });
  }
  return new Date(now.getTime() - Number(count) * (unit === 'w' ? 7 : 1) * dayMs);
}
