/** Where something is written, for complaints; line and column count from 1. */
export interface Place {
  /** The file as it was named; `-` for standard input. */
  source: string;
  line: number;
  column: number;
}

/** One complaint: what is wrong, in which field, and what to do about it. */
export interface Problem {
  /** A stable machine word, for example `invalid_host`. */
  code: string;
  message: string;
  /** The field as it is named in `--json` and in the database, where there is one. */
  field?: string;
  /** The remedy, as a sentence or a command line. */
  hint?: string;
  /** Where the source says it, where it came from one. */
  place?: Place;
}

/** The exit codes: documented in the README, tested, never renumbered. */
export const exitCodes = {
  done: { code: 0, meaning: 'done, or nothing to do' },
  failed: { code: 1, meaning: 'failed' },
  pending: { code: 2, meaning: 'changes or drift pending (only where asked for)' },
  invalid: { code: 3, meaning: 'invalid input' },
  refused: { code: 4, meaning: 'refused: unsafe plan, or not allowed' },
  notFound: { code: 5, meaning: 'not found' },
  conflict: { code: 6, meaning: 'conflict, or locked by another run' },
  unreachable: { code: 7, meaning: 'unreachable, or timed out' },
  notVerified: { code: 8, meaning: 'applied, not verified, rolled back' },
  rollbackFailed: { code: 9, meaning: 'rollback failed' },
  usage: { code: 64, meaning: 'wrong usage of the command line' },
  interrupted: { code: 130, meaning: 'interrupted' },
} as const;

export type Outcome = keyof typeof exitCodes;

/**
 * A mistake that sipctl understands: it ends the command with a message, a hint and the exit code of its
 * outcome, never with a stack. Anything else that is thrown is a bug and prints one.
 */
export class SipctlError extends Error {
  readonly outcome: Outcome;
  readonly problems: readonly Problem[];

  constructor(outcome: Outcome, problems: Problem | readonly Problem[], options?: { cause?: unknown }) {
    const all = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(all.map((problem) => problem.message).join('; '), options);
    this.name = 'SipctlError';
    this.outcome = outcome;
    this.problems = all;
  }
}

/** All complaints about one input, thrown together. */
export class Complaints {
  readonly problems: Problem[] = [];

  add(problem: Problem): void {
    this.problems.push(problem);
  }

  /** @throws SipctlError `invalid` when there is at least one complaint */
  throwIfAny(): void {
    if (this.problems.length > 0) throw new SipctlError('invalid', this.problems);
  }
}
