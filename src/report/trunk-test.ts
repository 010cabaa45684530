import type { Problem } from '../errors.ts';
import { plain, type Style } from './style.ts';

/** One stage as it is shown. */
export interface ShownStage {
  stage: string;
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  cause: string | null;
  detail: string;
  ms: number;
  facts: Readonly<Record<string, unknown>>;
}

/** One tested trunk or user. */
export interface ShownTest {
  tenant: string;
  name: string;
  /** `trunk`, or `user`. */
  kind: string;
  status: ShownStage['status'];
  stages: readonly ShownStage[];
  causes: readonly Problem[];
}

/** A staged report: what each stage did, and below it why it failed and what to do. */
export function testText(tests: readonly ShownTest[], style: Style = plain): string {
  if (tests.length === 0) return nothing;
  const parts = tests.map((test) => {
    const widest = Math.max(0, ...test.stages.map(({ stage }) => stage.length));
    const stages = test.stages.map(
      ({ stage, status, detail, ms }) =>
        `  ${mark(status, style)}  ${stage.padEnd(widest)}  ${style.dim(`${ms} ms`.padStart(8))}  ${detail}\n`,
    );
    return `${heading(test, style)}\n${stages.join('')}${causes(test.causes, style)}`;
  });
  const counted = tests.length < 2 ? '' : `\n${summary(tests)}\n`;
  return parts.join('\n') + counted;
}

/** Only why, and what to do. */
export function explanationsText(tests: readonly ShownTest[], style: Style = plain): string {
  if (tests.length === 0) return nothing;
  return tests
    .map((test) => {
      const said = causes(test.causes, style);
      return `${heading(test, style)}\n${said === '' ? '\n  nothing is wrong with it\n' : said}`;
    })
    .join('\n');
}

const nothing = 'no enabled trunk: nothing was tested\n';

const heading = ({ tenant, name, kind, status }: ShownTest, style: Style): string =>
  `${style.bold(`${kind} ${name}`)} ${style.dim(`(tenant ${tenant})`)}: ${paint(status, style)(status === 'ok' ? 'passed' : status)}`;

function causes(all: readonly Problem[], style: Style): string {
  const lines = all.map(({ message, field, hint }) => {
    const where = field === undefined ? '' : style.dim(` [${field}]`);
    return `  ${message}${where}\n${hint === undefined ? '' : `    → ${hint}\n`}`;
  });
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}

function summary(tests: readonly ShownTest[]): string {
  const of = (status: ShownStage['status']): number => tests.filter((test) => test.status === status).length;
  return `${tests.length} tested: ${of('ok')} passed, ${of('warning')} with warnings, ${of('failed')} failed`;
}

function mark(status: ShownStage['status'], style: Style): string {
  return paint(status, style)(status.padEnd(7));
}

function paint(status: ShownStage['status'], style: Style): (text: string) => string {
  return { ok: style.good, warning: style.warn, failed: style.bad, skipped: style.dim }[status];
}

/**
 * One line as the Monitoring Plugins guidelines want it, with performance data, and the rest as long text; the exit code is
 * 0, 1, 2, or 3 where there was nothing to test. A blank or a bar in a name would end a label.
 */
export function nagios(tests: readonly ShownTest[]): { text: string; code: 0 | 1 | 2 | 3 } {
  // Where nothing is tested nothing is known, and somebody may count on it.
  if (tests.length === 0) return { text: 'TRUNK UNKNOWN - no enabled trunk\n', code: 3 };
  const failed = tests.filter(({ status }) => status === 'failed');
  const warned = tests.filter(({ status }) => status === 'warning');
  const code = failed.length > 0 ? 2 : warned.length > 0 ? 1 : 0;
  const word = ['OK', 'WARNING', 'CRITICAL'][code];
  const [worst] = [...failed, ...warned];
  const passed = tests.length - failed.length - warned.length;
  const label = labels(tests);
  const said =
    tests.length === 1
      ? `${tests[0]?.name}: ${worst === undefined ? 'passed' : firstReason(worst)}`
      : `${passed} of ${tests.length} passed${worst === undefined ? '' : `; ${label(worst)}: ${firstReason(worst)}`}`;
  const figures = tests.flatMap((test) =>
    test.stages
      .filter(({ status }) => status !== 'skipped')
      .map(({ stage, ms }) => `'${tests.length === 1 ? stage : `${label(test)} ${stage}`}'=${ms}ms;;;0`),
  );
  const long = tests.flatMap((test) =>
    test.stages.map(({ stage, status, detail }) => `${label(test)} ${stage}: ${status}, ${oneLine(detail)}`),
  );
  return { text: `TRUNK ${word} - ${oneLine(said)} | ${figures.join(' ')}\n${long.join('\n')}\n`, code };
}

/** Tenants may have trunks of the same name, and a label must mean one thing. */
function labels(tests: readonly ShownTest[]): (test: ShownTest) => string {
  const isOneTenant = new Set(tests.map(({ tenant }) => tenant)).size < 2;
  return ({ tenant, name }) => (isOneTenant ? name : `${tenant}/${name}`);
}

const firstReason = ({ causes: [first] }: ShownTest): string => first?.message ?? 'failed';

const oneLine = (text: string): string => text.replace(/[\r\n|]+/g, ' ');
