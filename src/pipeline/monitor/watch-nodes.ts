import { setTimeout as pause } from 'node:timers/promises';
import { SipctlError } from '../../errors.ts';
import type { LiveEvent } from '../../model/live/events.ts';
import type { Parties } from '../../model/live/party.ts';
import type { ControlPlane } from '../../platforms/control-plane.ts';
import type { Target } from '../../platforms/target.ts';
import { watchNode } from '../../platforms/watch-node.ts';

/** A node that can be watched. */
export type WatchedNode = Pick<Target, 'node'> & { control: NonNullable<Target['control']> };

/** Who hears of what is watched. What is thrown by one of these ends the watching. */
export interface Watcher {
  /** Takes what happened at once: whoever cannot keep up has to wait, or to drop, on a side of its own. */
  take: (events: readonly LiveEvent[]) => void;
  /** A PBX that does not let us in, and is not tried again. */
  refused: (node: string, error: SipctlError) => void;
  /** The session that is open at a node now. */
  session?: (node: string, plane: ControlPlane | null) => void;
}

/** What watching takes besides the nodes. */
export interface WatchSurroundings {
  parties: Parties;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Ends the watching. */
  signal: AbortSignal;
}

/**
 * Watches several nodes at once until the signal ends it. A node that is lost is tried again for as long as it takes, and
 * none of them holds up the others.
 * @throws SipctlError where not one of them could be reached at the first try, or all of them refuse us
 */
export async function watchNodes(
  nodes: readonly WatchedNode[],
  watcher: Watcher,
  { parties, now, signal }: WatchSurroundings,
): Promise<void> {
  const ending = new AbortController();
  const start = new Start(nodes.length);
  const watchOne = async (node: WatchedNode): Promise<void> => {
    const failed = (error: SipctlError): void => {
      if (start.failed(node.node, error)) ending.abort();
    };
    try {
      const watch = {
        ...{ node: node.node, parties, now, random: Math.random },
        signal: AbortSignal.any([signal, ending.signal]),
        open: (until: AbortSignal) => opened(node, until, failed),
        sleep: (ms: number, until: AbortSignal) => pause(ms, undefined, { signal: until }),
        onSession: (plane: ControlPlane | null) => watcher.session?.(node.node, plane),
      };
      for await (const events of watchNode(watch)) {
        if (events.some(({ event }) => event === 'node.connected')) start.succeeded(node.node);
        watcher.take(events);
      }
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
      watcher.refused(node.node, error);
      failed(error);
    }
  };
  try {
    await Promise.all(nodes.map(watchOne));
  } finally {
    // A bug in one of them must not leave the others' connections open.
    ending.abort();
  }
  if (!signal.aborted) start.throwFailures();
}

async function opened(
  { control }: WatchedNode,
  signal: AbortSignal,
  failed: (error: SipctlError) => void,
): Promise<ControlPlane> {
  try {
    return await control({ events: true, signal });
  } catch (error) {
    if (error instanceof SipctlError && error.outcome === 'unreachable') failed(error);
    throw error;
  }
}

/** Whether anything is to be expected of the nodes: while none of them was ever reached, their first failures count. */
class Start {
  readonly #failures = new Map<string, SipctlError>();
  readonly #nodes: number;
  #isReached = false;

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  succeeded(node: string): void {
    this.#isReached = true;
    this.#failures.delete(node);
  }

  /** True where all have failed, and not one was ever reached. */
  failed(node: string, error: SipctlError): boolean {
    this.#failures.set(node, error);
    return !this.#isReached && this.#failures.size === this.#nodes;
  }

  /** The gravest outcome, with what every node said. */
  throwFailures(): never {
    const errors = [...this.#failures.values()];
    const gravest = errors.find(({ outcome }) => outcome === 'unreachable') ?? errors[0];
    throw new SipctlError(
      gravest?.outcome ?? 'failed',
      errors.flatMap(({ problems }) => problems),
    );
  }
}
