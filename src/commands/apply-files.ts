import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { writeSiteChange } from '../pipeline/site-change.ts';
import type { SiteChange } from '../plan/edits.ts';
import { isPlanPending, type Plan } from '../plan/site-plan.ts';
import { siteChangeData, siteChangeText } from '../report/site-change.ts';
import { plain } from '../report/style.ts';
import { applyEverything } from './apply.ts';
import type { Input, Result } from './command.ts';
import { type Foreseen, foresee, foreseenRequest, siteChangeOf } from './foresee.ts';
import { approveChange, guardRemovals, isCheck, writtenResult } from './take-in.ts';

/** `apply -f`: writes what site files declare, and brings nodes and services up to date; shown and asked for together. */
export async function applyFiles(app: App, input: Input, requireTest: boolean): Promise<Result> {
  if (input.args[0] !== undefined) throw planAndFiles();
  if (input.options.apply === false) return writeOnly(app, input);
  const { change, plan, result } = await foresee(app, input, { diffs: false });
  const pending = change.edits.length > 0 || hasWork(plan);
  if (isCheck(input)) return pending ? { ...result, outcome: 'pending' } : result;
  guardRemovals(input, change);
  refuseUnsafe(plan);
  if (pending) await approveChange(app, approvalText(result), questionOf(change, plan));
  await writeSiteChange(await app.store(), change);
  const written = { ...writtenResult(change, result), data: siteChangeData(change) };
  if (plan === null) return written;
  return appliedAfter(written, () =>
    applyEverything(app, foreseenRequest(input, change), {
      requireTest,
      // What was seen is what is done. What could not be seen is shown, and asked for, now.
      checksum: plan === 'unseen' || hasFailures(plan) ? null : plan.checksum,
      approved: plan !== 'unseen',
    }),
  );
}

async function writeOnly(app: App, input: Input): Promise<Result> {
  const { change, result } = await siteChangeOf(app, input);
  if (change.edits.length === 0) return result;
  if (isCheck(input)) return { ...result, outcome: 'pending' };
  guardRemovals(input, change);
  await approveChange(app, siteChangeText(change), 'Write this to the database?');
  await writeSiteChange(await app.store(), change);
  return writtenResult(change, result);
}

const hasWork = (plan: Foreseen['plan']): boolean =>
  plan !== null && (plan === 'unseen' || isPlanPending(plan));

const hasFailures = ({ failures, serviceFailures }: Plan): boolean =>
  failures.length + serviceFailures.length > 0;

const approvalText = ({ text, warnings = [] }: Result): string =>
  text(plain) + warnings.map(({ message }) => `warning: ${message}\n`).join('');

const questionOf = ({ edits }: SiteChange, plan: Foreseen['plan']): string =>
  edits.length === 0
    ? 'Apply this plan?'
    : hasWork(plan)
      ? 'Write this, and apply it?'
      : 'Write this to the database?';

/** @throws SipctlError `refused` where a node would refuse its plan: then nothing is written either */
function refuseUnsafe(plan: Foreseen['plan']): void {
  if (plan === null || plan === 'unseen') return;
  const refused = [
    ...plan.nodes.map(({ node, refusals }) => ({ on: node, refusals })),
    ...plan.services.map(({ service, refusals }) => ({ on: service, refusals })),
  ];
  const problems = refused.flatMap(({ on, refusals }) =>
    refusals.map(({ code, message, hint }) => ({ code, message: `${on}: ${message}`, hint })),
  );
  if (problems.length > 0) throw new SipctlError('refused', problems);
}

/** What was written stays, whatever becomes of the nodes; the answer says both. */
async function appliedAfter(written: Result, apply: () => Promise<Result>): Promise<Result> {
  const before = written.changed === true;
  try {
    const applied = await apply();
    return {
      ...applied,
      changed: before || applied.changed === true,
      data: { ...(written.data as object), apply: applied.data },
      warnings: [...(written.warnings ?? []), ...(applied.warnings ?? [])],
      text: (style) => (before ? written.text(style) : '') + applied.text(style),
    };
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    // Whether there is a node was not seen where the change could not be looked at before it was kept.
    if (error.problems[0]?.code === 'no_nodes') return written;
    if (!before) throw error;
    const hint =
      'the database was written, the nodes were not: sipctl plan shows what is left, sipctl apply does it';
    const errors = error.problems.map((problem) =>
      problem.code === 'plan_stale' ? { ...problem, hint } : problem,
    );
    return { ...written, outcome: error.outcome, errors };
  }
}

const planAndFiles = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: 'a plan file and -f do not go together',
    hint: 'sipctl apply -f site.yaml shows its own plan before it asks',
  });
