import type { LiveLine } from '../../model/live/line.ts';

/** Something that is to be done for every event. */
export interface Hook {
  /** Takes an event without waiting for what is done for it. */
  take(line: LiveLine): void;
  /** Gives what is left so many milliseconds, then says what was not done. */
  finish(graceMs: number): Promise<void>;
}

/** What all hooks are given. */
export interface HookSurroundings {
  /** Says to a person what went wrong, in one line. */
  complain: (text: string) => void;
  /** Milliseconds since 1970. */
  now: () => number;
}
