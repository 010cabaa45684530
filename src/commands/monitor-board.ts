import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { Call } from '../model/live/call.ts';
import type { LiveEvent } from '../model/live/events.ts';
import { callKey, Picture } from '../model/live/picture.ts';
import { watchNodes } from '../pipeline/monitor/watch-nodes.ts';
import { keysOf } from '../report/board/keys.ts';
import { type Frame, type Look, paint } from '../report/board/line.ts';
import { type BoardAction, pressKey } from '../report/board/press.ts';
import { type BoardFacts, type BoardState, openBoard, type View } from '../report/board/state.ts';
import { boardLines, placed } from '../report/board/view.ts';
import type { Screen, TakenScreen } from '../terminal.ts';
import type { Result } from './command.ts';
import { hand } from './monitor-hooks.ts';
import { watchSurroundings } from './monitor-input.ts';
import { type Monitoring, streamed } from './monitor-stream.ts';
import { type LiveVerb, runVerb } from './monitor-verbs.ts';

/** What the board needs besides what every way of monitoring does. */
export interface BoardOptions extends Monitoring {
  screen: Screen;
  view: View;
  limits: ReadonlyMap<string, number>;
  /** Whose phone rings to listen; null: it is asked for. */
  supervisor: string | null;
}

/** Milliseconds between two frames: ten in a second, more only for keys. */
const frameMs = 100;
const keyFrameMs = 30;
/** Milliseconds: durations go on, whatever happens. */
const tickMs = 1000;
/** Milliseconds that supervisors are given to be taken off their calls at the end. */
const graceMs = 5000;

/** Shows what goes on until somebody leaves it. The terminal is given back in any case. */
export async function monitorBoard(app: App, options: BoardOptions): Promise<Result> {
  const board = new Board(app, options);
  const taken = options.screen.take({
    keys: (text) => board.type(text),
    repaint: () => board.repaint(),
  });
  board.open(taken);
  try {
    await watchNodes(
      options.nodes,
      {
        take: (events) => board.take(events),
        refused: (node, error) => board.refused(node, error),
      },
      await watchSurroundings(app, AbortSignal.any([app.signal, board.left])),
    );
  } finally {
    await board.close();
    taken.giveBack();
  }
  if (board.bug !== null) throw board.bug;
  return streamed(app.signal.aborted || board.isInterrupted);
}

/** The board at work: what it shows, and who listens to what. */
class Board {
  readonly #app: App;
  readonly #options: BoardOptions;
  readonly #picture: Picture;
  readonly #leaving = new AbortController();
  /** Calls that a supervisor is on → what takes the supervisor off. */
  readonly #listening = new Map<string, { stop: AbortController; over: Promise<void> }>();
  #state: BoardState;
  #frame: Frame | null = null;
  #paintedAt = 0;
  #next: { timer: NodeJS.Timeout; at: number } | null = null;
  #tick: NodeJS.Timeout | null = null;
  #taken: TakenScreen | null = null;
  isInterrupted = false;
  /** What was thrown where nobody waits for it. */
  bug: unknown = null;

  constructor(app: App, options: BoardOptions) {
    this.#app = app;
    this.#options = options;
    this.#picture = new Picture(options.nodes.map(({ node }) => node));
    this.#state = openBoard(options.view);
  }

  /** Aborted when somebody leaves the board. */
  get left(): AbortSignal {
    return this.#leaving.signal;
  }

  open(taken: TakenScreen): void {
    this.#taken = taken;
    this.#options.speaker.say = (text) => this.#note(text, 'warn');
    this.#tick = setInterval(() => this.#paintSoon(frameMs), tickMs);
    this.repaint();
  }

  take(events: readonly LiveEvent[]): void {
    const { filter, hooks, all } = this.#options;
    all(events);
    for (const event of events) {
      this.#picture.apply(event);
      hand(hooks, filter, event);
    }
    this.#paintSoon(frameMs);
  }

  refused(node: string, { message }: SipctlError): void {
    this.#picture.refused(node, message, this.#facts.now);
    this.#note(message, 'bad');
  }

  type(text: string): void {
    const { screen, supervisor } = this.#options;
    for (const key of keysOf(text)) {
      const { state, action } = pressKey(this.#state, key, this.#facts, screen.size, supervisor);
      this.#state = state;
      if (action !== null) this.#act(action);
    }
    this.#paintSoon(keyFrameMs);
  }

  /** Paints everything anew: the screen shows nothing of ours, or has another size. */
  repaint(): void {
    this.#frame = null;
    this.#paintSoon(0);
  }

  async close(): Promise<void> {
    if (this.#tick !== null) clearInterval(this.#tick);
    if (this.#next !== null) clearTimeout(this.#next.timer);
    const supervisors = [...this.#listening.values()];
    for (const { stop } of supervisors) stop.abort();
    let late: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.all(supervisors.map(({ over }) => over)),
      new Promise((resolve) => {
        late = setTimeout(resolve, graceMs);
      }),
    ]);
    clearTimeout(late);
  }

  get #facts(): BoardFacts {
    const { filter, limits } = this.#options;
    return { picture: this.#picture, filter, limits, now: this.#app.now().getTime() };
  }

  #paintSoon(afterMs: number): void {
    const now = performance.now();
    const at = Math.max(now, this.#paintedAt + afterMs);
    if (this.#next !== null && this.#next.at <= at) return;
    if (this.#next !== null) clearTimeout(this.#next.timer);
    this.#next = { at, timer: setTimeout(() => this.#paint(), at - now) };
  }

  #paint(): void {
    this.#next = null;
    this.#paintedAt = performance.now();
    const { screen } = this.#options;
    const facts = this.#facts;
    this.#state = placed(this.#state, facts, screen.size);
    const lines = boardLines(this.#state, facts, screen.size);
    const { frame, output } = paint(lines, this.#frame, screen.color);
    this.#frame = frame;
    if (output !== '') screen.write(output);
  }

  #note(text: string, look: Look): void {
    this.#state = { ...this.#state, notice: { text, look } };
    this.#paintSoon(keyFrameMs);
  }

  #act(action: BoardAction): void {
    if (action.kind === 'listen') this.#listen(action.call, action.supervisor);
    else if (action.kind === 'hangup') void this.#perform({ verb: 'hangup', call: action.call });
    else if (action.kind === 'record')
      void this.#perform({ verb: action.call.recorded ? 'stop-recording' : 'record', call: action.call });
    else if (action.kind === 'suspend') this.#taken?.suspend();
    else if (action.kind === 'repaint') this.repaint();
    else {
      this.isInterrupted = action.kind === 'interrupt';
      this.#leaving.abort();
    }
  }

  /** Puts a supervisor on a call, or takes off the one that is on it. */
  #listen(call: Call, supervisor: string): void {
    const key = callKey(call);
    const running = this.#listening.get(key);
    if (running !== undefined) {
      running.stop.abort();
      return;
    }
    const stop = new AbortController();
    const over = this.#perform({ verb: 'listen', call, supervisor }, stop.signal);
    this.#listening.set(key, { stop, over: over.finally(() => this.#listening.delete(key)) });
  }

  /** Does at the PBX what the command of the same name does, and says how it ended. */
  async #perform(verb: LiveVerb, signal = this.#app.signal): Promise<void> {
    try {
      this.#note(await runVerb(this.#app, verb, signal, (text) => this.#note(text, 'info')), 'good');
    } catch (error) {
      if (error instanceof SipctlError) this.#note(error.message, 'bad');
      else {
        this.bug = error;
        this.#leaving.abort();
      }
    }
  }
}
