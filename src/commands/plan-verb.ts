import { writeFileSync } from 'node:fs';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { isPlanPending, type Plan } from '../plan/site-plan.ts';
import { planData, planText } from '../report/plan.ts';
import { planMarkdown } from '../report/plan-markdown.ts';
import { type Input, lines, type Result, type Run, type VerbSpec } from './command.ts';
import { foresee } from './foresee.ts';
import { diffsOf, planned, planOptions, planRequest, planWarnings } from './plan.ts';
import { expectSources, namesSources, sourceOptions } from './site-source.ts';

const run: Run = async (app, input) => {
  const asMarkdown = reportAsked(input);
  if (namesSources(input)) return ofFiles(app, input, asMarkdown);
  expectSources(input);
  const { plan, targets } = await planned(app, planRequest(input));
  const pending = isPlanPending(plan);
  const { out, diff, detailedExitcode } = input.options;
  const written = typeof out === 'string' ? savePlan(out, plan, app) : '';
  const diffs = diff === true || asMarkdown ? await diffsOf(plan, targets) : new Map<string, string>();
  const failed = [...plan.failures, ...plan.serviceFailures].map(({ error }) => error as SipctlError);
  const warnings = await planWarnings(app, plan, targets);
  const result: Result = {
    data: planData(plan, diffs),
    text: (style) =>
      asMarkdown ? planMarkdown({ plan, diffs, warnings }) : planText(plan, diffs, style) + written,
    warnings,
  };
  const [first] = failed;
  if (first !== undefined)
    return { ...result, outcome: first.outcome, errors: failed.flatMap((error) => error.problems) };
  return pending && detailedExitcode === true ? { ...result, outcome: 'pending' } : result;
};

/** The plan as it would be once what site files declare is written. */
async function ofFiles(app: App, input: Input, asMarkdown: boolean): Promise<Result> {
  const { out, diff, detailedExitcode } = input.options;
  if (out !== undefined) throw nothingToSave();
  const { change, plan, diffs, result } = await foresee(app, input, { diffs: diff === true || asMarkdown });
  const known = plan === 'unseen' ? null : plan;
  const failed = known === null ? [] : [...known.failures, ...known.serviceFailures];
  const errors = failed.map(({ error }) => error as SipctlError);
  const { warnings = [] } = result;
  const shown: Result = asMarkdown
    ? { ...result, text: () => planMarkdown({ change, plan: known, diffs, warnings }) }
    : result;
  const [first] = errors;
  if (first !== undefined)
    return { ...shown, outcome: first.outcome, errors: errors.flatMap(({ problems }) => problems) };
  const pending = change.edits.length > 0 || (known !== null && isPlanPending(known));
  return pending && detailedExitcode === true ? { ...shown, outcome: 'pending' } : shown;
}

/** @throws SipctlError `invalid` */
export function reportAsked({ options }: Input): boolean {
  if (options.report === undefined) return false;
  if (options.report === 'md' || options.report === 'markdown') return true;
  throw new SipctlError('invalid', {
    code: 'invalid_report',
    message: `report: there is no format '${options.report}'`,
    field: 'report',
    hint: '--report md',
  });
}

const nothingToSave = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: '-o and -f do not go together: a saved plan is of what the database holds',
    hint: 'keep the site file: sipctl apply -f shows the same plan before it asks',
  });

/** A plan file says what the plan would do, and nothing of what the files hold. */
function savePlan(file: string, plan: Plan, app: App): string {
  const content = {
    schema: 'sipctl/plan/1',
    sipctl: app.version,
    createdAt: app.now().toISOString(),
    ...planData(plan, new Map()),
  };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return lines(`saved to ${file}: sipctl apply ${file}`);
}

export const plan: VerbSpec = {
  name: 'plan',
  summary: 'show what would change on every node and at every service',
  options: [
    ...sourceOptions,
    ...planOptions,
    ['--diff', 'show the lines that differ, secrets hidden'],
    ['-o, --out <file>', 'save the plan for: sipctl apply <file>'],
    ['--detailed-exitcode', 'exit 2 when changes are pending'],
    ['--report <format>', 'md: as Markdown, for a comment on a change request'],
  ],
  examples: ['sipctl plan --diff', 'sipctl plan --detailed-exitcode', 'sipctl plan -f site.yaml --report md'],
  run,
};
