import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { LiveEvent } from '../model/live/events.ts';
import { passes, type Watched } from '../model/live/filter.ts';
import { liveLine } from '../model/live/line.ts';
import { CallSaver } from '../pipeline/monitor/save-calls.ts';
import { snapshots } from '../pipeline/monitor/snapshot.ts';
import type { View } from '../report/board/state.ts';
import { snapshotText } from '../report/snapshot.ts';
import type { Input, Result, Run, VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { callLimits } from './metrics.ts';
import { hookFlags, hooksOf } from './monitor-hooks.ts';
import { filterFlags, filterOf, watchedNodes, watchSurroundings } from './monitor-input.ts';
import { lineWriter, type Monitoring, monitorStream, type Speaker, streamed } from './monitor-stream.ts';

/** Milliseconds that `--exec` and `--webhook` are given at the end. */
const grace = 3000;
/** Milliseconds. */
const saveEvery = 1000;

const run: Run = async (app, input) => {
  refuseContradictions(input);
  const filter = await filterOf(app, input);
  const { nodes, warnings } = await watchedNodes(app, input);
  if (input.options.once === true) return { ...(await once(app, { nodes, filter })), warnings };
  if (!app.config.quiet) for (const { message } of warnings) app.terminal.err(`${message}\n`);
  return watch(app, input, { nodes, filter });
};

/** @throws SipctlError `usage` where what is asked for would silently not be done */
function refuseContradictions({ options }: Input): void {
  const idle = ['exec', 'webhook', 'save'].find((name) => options[name] !== undefined);
  if (options.once !== true || idle === undefined) return;
  throw new SipctlError('usage', {
    code: 'contradiction',
    message: `--once waits for no event, and --${idle} is done for events`,
    hint: 'leave one of the two out',
  });
}

async function watch(app: App, input: Input, asked: Pick<Monitoring, 'nodes' | 'filter'>): Promise<Result> {
  app.endsAtInterrupt();
  const speaker: Speaker = { say: (text) => app.terminal.err(`${text}\n`) };
  const complain = (text: string): void => speaker.say(text);
  const hooks = await hooksOf(app, input, complain);
  const saver = input.options.save === true ? await callSaver(app, complain) : null;
  const all = (events: readonly LiveEvent[]): void => saver?.take(events);
  const screen = app.config.json ? null : app.terminal.screen();
  try {
    const monitoring = { ...asked, hooks, speaker, all };
    if (screen === null) return await monitorStream(app, monitoring);
    const { monitorBoard } = await import('./monitor-board.ts');
    const limits = await callLimits(app);
    const supervisor = typeof input.options.user === 'string' ? input.options.user : null;
    return await monitorBoard(app, {
      ...{ ...monitoring, screen, limits, supervisor },
      view: viewOf(asked.filter.watched),
    });
  } finally {
    speaker.say = (text) => app.terminal.err(`${text}\n`);
    await Promise.all([...hooks.map((hook) => hook.finish(grace)), saver?.finish()]);
  }
}

const viewOf = (watched: Watched | null): View =>
  watched === null || watched === 'calls' ? 'calls' : watched === 'users' ? 'users' : 'trunks';

async function callSaver(app: App, complain: (text: string) => void): Promise<CallSaver> {
  const store = await app.store();
  const now = (): number => app.now().getTime();
  return new CallSaver({ save: (calls) => store.saveCdrs(calls), everyMs: saveEvery, complain, now });
}

/** What there is now: in tables for a person at a terminal, in lines of JSON for everybody else. */
async function once(app: App, { nodes, filter }: Pick<Monitoring, 'nodes' | 'filter'>): Promise<Result> {
  const taken = await snapshots(nodes, await watchSurroundings(app, app.signal));
  const events: LiveEvent[] = taken
    .flatMap((snapshot) => snapshot.events)
    .filter((event) => passes(filter, event));
  const errors = taken.flatMap(({ error }) => (error === null ? [] : [error]));
  const now = app.now().getTime();
  if (app.terminal.screen() !== null && !app.config.json)
    return { data: null, text: (style) => snapshotText(events, now, style), ...endedBy(errors) };
  const writer = lineWriter(app);
  for (const event of events) writer.write(JSON.stringify(liveLine(event)));
  await writer.flush();
  return { ...streamed(false), ...endedBy(errors) };
}

export const monitor: VerbSpec = {
  name: 'monitor',
  summary: 'watch calls, trunks and users as they change',
  args: '[what]',
  options: [
    ...filterFlags,
    ['--once', 'say what there is now, and end'],
    ['--save', 'keep every call that ends, of all tenants, for sipctl cdr'],
    ['--user <supervisor>', 'the user whose phone rings when l is pressed on the board'],
    ...hookFlags,
  ],
  examples: [
    'sipctl monitor',
    'sipctl monitor calls --tenant acme --event call.ended --json',
    'sipctl monitor trunks --event trunk.gave-up,trunk.rejected --exec ./page-somebody.sh',
  ],
  run,
};
