import type { Call, CallState } from '../../src/model/live/call.ts';
import type { LiveEvent } from '../../src/model/live/events.ts';
import { Picture } from '../../src/model/live/picture.ts';
import { type Frame, paint } from '../../src/report/board/line.ts';
import { type BoardState, openBoard } from '../../src/report/board/state.ts';
import { boardLines, placed } from '../../src/report/board/view.ts';
import { type BenchResult, median } from './result.ts';

const callsAtOnce = 1000;
const eventsPerSecond = 200;
const framesPerSecond = 10;
const seconds = 30;
/** A window as large as a screen shows. */
const size = { columns: 200, rows: 60 };

const callOf = (number: number, state: CallState, startedAt: number): Call => ({
  ...{ id: `1795234308.${number}`, node: `pbx${number % 3}`, tenant: `tenant${number % 40}`, trunk: 'main' },
  ...{
    direction: number % 2 === 0 ? 'inbound' : 'outbound',
    from: `+49301${number}`,
    fromName: 'Ann Müller',
  },
  ...{ to: `+49302${number}`, state, codec: 'ulaw', startedAt, recorded: number % 10 === 0, legs: [] },
  ...{ answeredAt: state === 'ringing' ? null : startedAt + 1000, endedAt: null, end: null, quality: null },
});

/** A board at work: from events taken in to what is written to the terminal, ten times a second. */
export function benchBoard(): BenchResult[] {
  const picture = new Picture(['pbx0', 'pbx1', 'pbx2']);
  let now = 1_795_234_308_000;
  let begun = 0;
  const tell = (event: 'call.ringing' | 'call.answered' | 'call.ended', number: number): LiveEvent => ({
    ...{ event, at: now, node: `pbx${number % 3}`, previous: null },
    call: callOf(
      number,
      event === 'call.ringing' ? 'ringing' : event === 'call.ended' ? 'ended' : 'answered',
      now,
    ),
  });
  for (const node of picture.nodes.keys())
    picture.apply({ event: 'node.connected', at: now, node, detail: null });
  for (; begun < callsAtOnce; begun += 1) {
    now += 30;
    picture.apply(tell('call.answered', begun));
  }
  const filter = { watched: null, tenant: null, trunk: null, states: null, events: null };
  const limits = new Map(Array.from({ length: 40 }, (_, at) => [`tenant${at}`, 30]));
  let state: BoardState = openBoard('calls');
  let frame: Frame | null = null;
  let written = 0;
  const took: number[] = [];
  const before = process.cpuUsage();
  for (let at = 0; at < seconds * framesPerSecond; at += 1) {
    now += 1000 / framesPerSecond;
    // A call that begins, is answered, and ends in the place of an older one: three events.
    for (let events = 0; events < eventsPerSecond / framesPerSecond; events += 3) {
      picture.apply(tell('call.ringing', begun));
      picture.apply(tell('call.answered', begun));
      picture.apply(tell('call.ended', begun - callsAtOnce));
      begun += 1;
    }
    const facts = { picture, filter, limits, now };
    const from = performance.now();
    state = placed(state, facts, size);
    const painted = paint(boardLines(state, facts, size), frame, true);
    took.push(performance.now() - from);
    frame = painted.frame;
    written += painted.output.length;
  }
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1e6 / seconds;
  const calls = `${callsAtOnce.toLocaleString('en')} calls, ${eventsPerSecond} events/s`;
  return [
    {
      name: 'board: from facts to what is written, a frame',
      value: median(took),
      unit: 'ms',
      target: { atMost: 10 },
      note: `${calls}, ${size.columns} × ${size.rows}; ${Math.round(written / took.length / 1000)} kB a frame`,
    },
    {
      name: `board: share of a core at ${framesPerSecond} frames/s`,
      value: share * 100,
      unit: '%',
      target: { atMost: 20 },
      note: `frames and events, without the connection and the terminal`,
    },
  ];
}
