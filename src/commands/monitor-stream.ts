import type { App } from '../app.ts';
import type { LiveEvent } from '../model/live/events.ts';
import { type EventFilter, passes } from '../model/live/filter.ts';
import { liveLine } from '../model/live/line.ts';
import type { Hook } from '../pipeline/monitor/hook.ts';
import { LineWriter } from '../pipeline/monitor/line-writer.ts';
import { type WatchedNode, watchNodes } from '../pipeline/monitor/watch-nodes.ts';
import type { Result } from './command.ts';
import { hand } from './monitor-hooks.ts';
import { watchSurroundings } from './monitor-input.ts';

/** Where words for a person go: standard error, until a board takes them. */
export interface Speaker {
  say: (text: string) => void;
}

/** What one run of `monitor` watches, and what it does for each event. */
export interface Monitoring {
  nodes: readonly WatchedNode[];
  filter: EventFilter;
  hooks: readonly Hook[];
  /** Says to a person what goes wrong meanwhile. */
  speaker: Speaker;
  /** Hears of every event, whatever the filter says. */
  all: (events: readonly LiveEvent[]) => void;
}

/** 16 million characters: more than a minute of a busy PBX. */
const mostWaiting = 16 * 1024 * 1024;

/** Writes events as they happen, one line of JSON each, until Ctrl-C or until nobody reads them any more. */
export async function monitorStream(app: App, monitoring: Monitoring): Promise<Result> {
  const { terminal, signal } = app;
  const { nodes, filter, hooks } = monitoring;
  const writer = lineWriter(app);
  const take = (events: readonly LiveEvent[]): void => {
    monitoring.all(events);
    for (const event of events) {
      if (!passes(filter, event)) continue;
      const line = liveLine(event);
      writer.write(JSON.stringify(line));
      hand(hooks, filter, event, line);
    }
  };
  const until = AbortSignal.any([signal, terminal.gone]);
  await watchNodes(
    nodes,
    {
      take,
      refused: (node, { message }) =>
        take([{ event: 'node.lost', at: app.now().getTime(), node, detail: message }]),
    },
    await watchSurroundings(app, until),
  );
  await writer.flush();
  return streamed(signal.aborted);
}

/** Writes lines to standard output; what a slow reader makes us drop is counted in the stream, and on standard error. */
export function lineWriter({ terminal, now }: App): LineWriter {
  return new LineWriter({
    out: (text) => terminal.out(text),
    mostWaiting,
    droppedLine: (count) => {
      terminal.err(`${count} events were dropped: standard output is read too slowly\n`);
      const at = now().toISOString();
      return JSON.stringify({ schema: 'sipctl/v1', event: 'monitor.dropped', at, count });
    },
  });
}

/** The end of a command that wrote its answer itself. */
export const streamed = (isInterrupted: boolean): Result => ({
  data: null,
  text: () => '',
  streamed: true,
  ...(isInterrupted ? { outcome: 'interrupted' } : {}),
});
