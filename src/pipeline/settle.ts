import { SipctlError } from '../errors.ts';
import type { Manifest } from '../plan/generation.ts';
import type { NodePlan, ReloadStep } from '../plan/plan.ts';
import type { Finding, RunningSystem, Target } from '../platforms/target.ts';
import { artifactsOf, inForce } from './held.ts';
import { afterwards, type NodeOutcome, type RunOptions } from './outcome.ts';

interface Settling {
  target: Target;
  /** null: no control connection is configured; the generation is delivered and stays unproved. */
  running: RunningSystem | null;
  held: Manifest;
  next: Manifest;
  plan: Pick<NodePlan, 'changes' | 'reload'>;
  outcome: NodeOutcome;
  options: Pick<RunOptions, 'signal' | 'recordStart' | 'progress'>;
}

/**
 * Puts a written generation in force, and takes it back where the running system did not take it:
 *
 * ```
 * obstacles? ─ record ─ unregister ─ flip ─ reload, register ─ verify ─┬─ as delivered ─ verified
 *     └ refused                                                        └─ findings ─ flip back ─ reload, register ─┐
 *                                                         rolled back, or rollback failed ─ verify ────────────────┘
 * ```
 * From the flip on it is not interrupted: the PBX would run something else than its files say.
 */
export async function settle(settling: Settling): Promise<void> {
  const { target, running, held, next, plan, outcome, options } = settling;
  if (running === null) {
    await options.recordStart(next.generation);
    await target.files.flip(next.generation);
    Object.assign(outcome, { outcome: 'delivered', generation: next.generation });
    return;
  }
  const obstacles = await running.obstacles();
  if (obstacles.length > 0) {
    Object.assign(outcome, { outcome: 'failed', findings: obstacles, error: obstructed(target, obstacles) });
    return;
  }
  options.signal.throwIfAborted();
  await options.recordStart(next.generation);
  // A carrier keeps the contact of a trunk that vanishes in a reload; it has to be told before.
  await inTurn(
    running,
    plan.reload.filter(({ kind }) => kind === 'unregister'),
  );
  try {
    await target.files.flip(next.generation);
  } catch (error) {
    // The trunks that were told to leave are still in force.
    await afterwards(outcome, 'trunks that were un-registered stay so', () =>
      inTurn(running, plan.reload.flatMap(registerAgain)),
    );
    throw error;
  }
  const findings = await reloadAndVerify(settling, running, next, plan.reload);
  if (findings.length === 0) {
    Object.assign(outcome, { outcome: 'verified', generation: next.generation });
    await noteVerified(settling, next.generation);
    return;
  }
  outcome.findings = findings;
  if (next.generation === held.generation) {
    Object.assign(outcome, { outcome: 'failed', error: notVerified(target, findings, 'failed') });
    return;
  }
  await takeBack(settling, running);
}

async function takeBack(settling: Settling, running: RunningSystem): Promise<void> {
  const { target, held, plan, outcome, options } = settling;
  options.progress(target.node, 'rolling back');
  // From here on the PBX may run either generation, also for whoever comes after a run that dies here.
  await afterwards(outcome, `generation ${held.generation} still counts as verified`, () =>
    target.files.markVerified(null),
  );
  try {
    await target.files.flip(held.generation);
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    await leaveRefused(settling, error);
    return;
  }
  const left = await reloadAndVerify(settling, running, held, [
    ...target.reloadAll(),
    ...plan.reload.flatMap(registerAgain),
  ]);
  const failed = left.some((finding) => finding.standing !== true);
  if (!failed) await noteVerified(settling, held.generation);
  Object.assign(outcome, {
    outcome: failed ? 'rollback-failed' : 'rolled-back',
    generation: held.generation,
    error: notVerified(target, failed ? left : outcome.findings, failed ? 'rollbackFailed' : 'notVerified'),
  });
}

// Neither the new generation is taken nor the old one in force: nothing says more about a node than that.
async function leaveRefused({ target, next, outcome }: Settling, error: SipctlError): Promise<void> {
  const refused = notVerified(target, outcome.findings, 'rollbackFailed').problems;
  Object.assign(outcome, {
    outcome: 'rollback-failed',
    generation: await inForce(target, next.generation),
    error: new SipctlError('rollbackFailed', [...refused, ...error.problems], { cause: error }),
  });
}

const noteVerified = ({ target, outcome }: Settling, generation: number): Promise<void> =>
  afterwards(outcome, `generation ${generation} runs, but the next apply reloads and verifies it again`, () =>
    target.files.markVerified(generation),
  );

async function inTurn(running: RunningSystem, steps: readonly ReloadStep[]): Promise<void> {
  for (const step of steps) await running.perform(step);
}

// A refused reload can leave a registration as it was, which then is ended; and after one with wrong credentials the
// next try would be minutes away.
const registerAgain = (step: ReloadStep): ReloadStep[] =>
  step.kind === 'reload-module' ? [] : [{ kind: 'register', registration: step.registration }];

// A reload that fails is itself a finding: the flip is undone then, as for any other. Where the PBX refuses the old files
// too, it is for a fault in somebody else's, and it may have kept all that ran: that is asked.
async function reloadAndVerify(
  { target, plan, options, held }: Settling,
  running: RunningSystem,
  generation: Manifest,
  steps: readonly ReloadStep[],
): Promise<Finding[]> {
  const isNew = generation.generation !== held.generation;
  const refusals: Finding[] = [];
  try {
    options.progress(target.node, 'reloading');
    try {
      await inTurn(
        running,
        steps.filter(({ kind }) => kind !== 'unregister'),
      );
    } catch (error) {
      if (isNew || !(error instanceof SipctlError) || error.outcome !== 'failed') throw error;
      refusals.push(refusal(target, error));
    }
    options.progress(target.node, 'verifying');
    const changed = new Set(
      isNew ? plan.changes.map((change) => change.key) : Object.keys(generation.artifacts),
    );
    const findings = await running.verify(await artifactsOf(target, generation), changed);
    if (findings.some(({ standing }) => standing !== true)) return [...refusals, ...findings];
    return [...refusals.map((one): Finding => ({ ...one, standing: true })), ...findings];
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    return [...refusals, refusal(target, error)];
  }
}

const refusal = ({ node }: Target, { message }: SipctlError): Finding => ({
  ...{ object: node, tenant: null, file: null, code: 'missing', message },
});

const obstructed = (target: Target, obstacles: readonly Finding[]): SipctlError =>
  new SipctlError(
    'refused',
    obstacles.map((finding) => ({
      code: 'reload_obstructed',
      message: `${target.node}: ${finding.object}: ${finding.message}`,
      hint: 'correct that file, then run the command again; nothing was put in force',
    })),
  );

function notVerified(
  target: Target,
  findings: readonly Finding[],
  outcome: SipctlError['outcome'],
): SipctlError {
  return new SipctlError(
    outcome,
    findings.map((finding) => ({
      code: `not_verified_${finding.code}`,
      message: `${target.node}: ${finding.object}: ${finding.message}${finding.file === null ? '' : ` (${finding.file})`}`,
    })),
  );
}
