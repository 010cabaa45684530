import { type Problem, SipctlError } from '../errors.ts';
import type { Finding } from '../platforms/target.ts';

/** What became of one node. `findings` say why a generation was refused by the running system. */
export interface NodeOutcome {
  node: string;
  outcome: 'unchanged' | 'verified' | 'delivered' | 'rolled-back' | 'rollback-failed' | 'failed';
  /** The generation in force afterwards. */
  generation: number | null;
  /** The one in force before. */
  base: number | null;
  written: { files: number; bytes: number };
  findings: Finding[];
  /** What could not be done once the outcome was certain, and changes nothing about it. */
  warnings: Problem[];
  error: SipctlError | null;
}

/** A node on which nothing was done yet. */
export const unchanged = (node: string, generation: number): NodeOutcome => ({
  node,
  outcome: 'unchanged',
  generation,
  base: generation,
  written: { files: 0, bytes: 0 },
  findings: [],
  warnings: [],
  error: null,
});

/** Does what follows a change that is in force: where that fails, the outcome stays what it is, with a warning. */
export async function afterwards(
  outcome: NodeOutcome,
  consequence: string,
  step: () => Promise<unknown>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    const message = `${outcome.node}: ${consequence}: ${error.message}`;
    outcome.warnings.push({ ...(error.problems[0] as Problem), code: 'not_written', message });
  }
}

export type Stage = 'writing' | 'reloading' | 'verifying' | 'rolling back';
export type Progress = (node: string, stage: Stage) => void;

/** What a run that changes nodes needs from outside. */
export interface RunOptions {
  sipctl: string;
  now: () => Date;
  /** As the loser of the lock is told. */
  holder: string;
  signal: AbortSignal;
  /** Called right before the first step that the PBX can notice: leaves a trace of a run that may be killed. */
  recordStart: (generation: number) => Promise<void>;
  progress: Progress;
}
