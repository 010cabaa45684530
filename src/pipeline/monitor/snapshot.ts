import { SipctlError } from '../../errors.ts';
import { CallTable } from '../../model/live/call-table.ts';
import type { LiveEvent } from '../../model/live/events.ts';
import { Standings } from '../../model/live/standings.ts';
import type { WatchedNode, WatchSurroundings } from './watch-nodes.ts';

/** What a node has now, told as events; or why it could not be asked. */
export interface Snapshot {
  node: string;
  events: LiveEvent[];
  error: SipctlError | null;
}

/** Asks every node once for what it has; a silent one is a line of the answer, not its end. */
export function snapshots(
  nodes: readonly WatchedNode[],
  surroundings: WatchSurroundings,
): Promise<Snapshot[]> {
  return Promise.all(nodes.map((node) => snapshotOf(node, surroundings)));
}

async function snapshotOf(
  { node, control }: WatchedNode,
  { parties, now, signal }: WatchSurroundings,
): Promise<Snapshot> {
  try {
    const plane = await control({ events: false, signal });
    try {
      const [legs, { trunks, users }] = await Promise.all([plane.legs(), plane.standings()]);
      const at = now();
      const events = [
        ...new CallTable(node, parties).settle(legs, at),
        ...new Standings(node, parties).settle(trunks, users, at),
        { event: 'node.connected', at, node, detail: null } as const,
      ];
      return { node, events, error: null };
    } finally {
      await plane.close();
    }
  } catch (error) {
    if (!(error instanceof SipctlError) || signal.aborted) throw error;
    const lost = { event: 'node.lost', at: now(), node, detail: error.message } as const;
    return { node, events: [lost], error };
  }
}
