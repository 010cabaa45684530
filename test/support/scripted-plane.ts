import { type Outcome, SipctlError } from '../../src/errors.ts';
import type { CallEnd, Quality } from '../../src/model/live/call.ts';
import type { LegFacts, LiveChange, TrunkFacts, UserFacts } from '../../src/model/live/changes.ts';
import type { ControlPlane, LiveConference, Originated } from '../../src/platforms/control-plane.ts';

/** A verb that was asked of the PBX, with what it was given. */
export interface Asked {
  verb: Verb;
  args: readonly unknown[];
}

type Verb = Exclude<
  keyof ControlPlane,
  'engine' | 'boot' | 'legs' | 'standings' | 'changes' | 'conferences' | 'close'
>;

/** Does a verb in the place of the scripted PBX; it throws what the PBX is to refuse. */
type Answer = (...args: never[]) => unknown;

/** The time at which everything of a scripted PBX happens where a test says no other. */
export const scriptedNow = Date.UTC(2026, 4, 4, 10, 0, 0);

/**
 * A PBX that does what a test says: channels come and go, verbs are written down and answered. Sessions are opened and lost;
 * what the PBX has stays. Without a script, verbs do what a PBX would: `hangup` ends the channel, `hold` changes its state.
 *
 *   const pbx = new ScriptedPbx();
 *   pbx.call('1714', { from: '+4915…', endpoint: 'acme.telnyx' }, { to: '1001', endpoint: 'ann@acme.example' });
 *   await box.ok('call list', { control: pbx.open });
 *   expect(pbx.asked).toEqual([…]);
 */
export class ScriptedPbx {
  engine = { kind: 'asterisk', version: '22.5.2' };
  boot = '1';
  readonly legs = new Map<string, LegFacts>();
  readonly trunks = new Map<string, TrunkFacts>();
  readonly users = new Map<string, UserFacts>();
  conferences: LiveConference[] = [];
  /** In the order in which they were asked. */
  readonly asked: Asked[] = [];
  /** Sessions that were opened so far, with what they were opened for. */
  readonly opened: { node: string; events: boolean }[] = [];
  readonly #answers = new Map<Verb, Answer>();
  readonly #sessions = new Set<ScriptedSession>();
  /** Why no session can be opened now. */
  #down: SipctlError | null = null;

  /** For `RunOptions.control`: every node of the sandbox is this PBX. */
  readonly open = async (node: string, options: { events: boolean }): Promise<ControlPlane> => {
    if (this.#down !== null) throw this.#down;
    this.opened.push({ node, events: options.events });
    const session = new ScriptedSession(this, (closed) => this.#sessions.delete(closed));
    this.#sessions.add(session);
    return session.plane;
  };

  /** Sessions that are open now. */
  get openSessions(): number {
    return this.#sessions.size;
  }

  /** A channel appears or changes; everything that is not said has a harmless value. */
  leg(id: string, facts: Partial<LegFacts> = {}, at = scriptedNow): void {
    const before = this.legs.get(id);
    this.legs.set(id, { ...(before ?? newLeg(id, at)), ...facts });
    this.tell({ kind: 'leg', id, at, facts: before === undefined ? { ...newLeg(id, at), ...facts } : facts });
  }

  /** A call of two: the caller's channel `<id>.1`, the callee's `<id>.2`; answered where nothing else is said. */
  call(id: string, caller: Partial<LegFacts>, callee: Partial<LegFacts>, at = scriptedNow): void {
    const both = { callId: `${id}.1`, state: 'answered', answeredAt: at + 4000 } as const;
    this.leg(`${id}.1`, { ...both, way: 'in', ...caller }, at);
    this.leg(`${id}.2`, { ...both, way: 'out', ...callee }, at);
  }

  end(id: string, end: Partial<CallEnd> = {}, at = scriptedNow, quality: Quality | null = null): void {
    if (!this.legs.delete(id)) return;
    const why = { q850: 16, sip: null, text: 'Normal Clearing', ...end };
    this.tell({ kind: 'leg-ended', id, at, end: why, quality });
  }

  trunk(endpoint: string, facts: Partial<TrunkFacts> = {}, at = scriptedNow): void {
    const before = this.trunks.get(endpoint) ?? registeredTrunk;
    const now = { ...before, endpoint, ...facts };
    this.trunks.set(endpoint, now);
    this.tell({ kind: 'trunk', at, facts: now });
  }

  user(endpoint: string, contacts: number, at = scriptedNow): void {
    this.users.set(endpoint, { endpoint, contacts });
    this.tell({ kind: 'user', at, facts: { endpoint, contacts } });
  }

  /** Every open session hears of it. */
  tell(change: LiveChange): void {
    for (const session of this.#sessions) session.push(change);
  }

  /** Every session is lost; the next one can be opened. */
  lose(message = 'the connection was closed'): void {
    for (const session of this.#sessions) session.fail(scripted('unreachable', message));
    this.#sessions.clear();
  }

  /** Another start of the engine: sessions are lost, and all channels gone. */
  restart(): void {
    this.legs.clear();
    this.boot = String(Number(this.boot) + 1);
    this.lose();
  }

  /** From now on no session can be opened. */
  goDown(message = '127.0.0.1:5038 does not answer', outcome: Outcome = 'unreachable'): void {
    this.#down = scripted(outcome, message);
    this.lose(message);
  }

  comeBack(): void {
    this.#down = null;
  }

  /** What the PBX does when it is asked for a verb; the verb is written down in any case. */
  on(verb: Verb, answer: Answer): void {
    this.#answers.set(verb, answer);
  }

  /** The PBX refuses a verb. */
  refuse(verb: Verb, message: string, outcome: Outcome = 'refused'): void {
    this.on(verb, () => {
      throw scripted(outcome, message);
    });
  }

  /** What a session asks for: written down, and done. */
  async perform(verb: Verb, args: readonly unknown[]): Promise<unknown> {
    this.asked.push({ verb, args });
    const answer = this.#answers.get(verb) ?? this.#usual[verb];
    return await (answer as ((...given: readonly unknown[]) => unknown) | undefined)?.(...args);
  }

  readonly #usual: Partial<Record<Verb, Answer>> = {
    hangup: ({ id }: Ref, q850: number) => this.end(id, { q850 }),
    reject: ({ id }: Ref, q850: number) => this.end(id, { q850 }),
    answer: ({ id }: Ref) => this.leg(id, { state: 'answered', answeredAt: scriptedNow }),
    hold: ({ id }: Ref) => this.leg(id, { state: 'held' }),
    unhold: ({ id }: Ref) => this.leg(id, { state: 'answered' }),
    startRecording: ({ id }: Ref) => this.leg(id, { recorded: true }),
    stopRecording: ({ id }: Ref) => this.leg(id, { recorded: false }),
    originate: () => answered,
    invite: () => answered,
    park: () => ({ slot: '701' }),
  };
}

type Ref = { id: string };

const answered: Originated = { answered: true, callId: 'o1', q850: null, sip: null, text: 'answered' };

const registeredTrunk: Omit<TrunkFacts, 'endpoint'> = {
  registration: 'registered',
  reachable: true,
  rttMs: 12,
  detail: 'Registered',
};

const newLeg = (id: string, at: number): LegFacts => ({
  ...{ id, callId: id, channel: `PJSIP/${id}`, way: 'in', endpoint: null, account: null, number: null },
  ...{ name: null, dialled: null, state: 'ringing', codec: null, startedAt: at, answeredAt: null },
  recorded: false,
});

/** An error as a back-end would throw it. */
const scripted = (outcome: Outcome, message: string): SipctlError =>
  new SipctlError(outcome, { code: 'scripted', message });

/** One connection: a queue of changes that ends with an error where it is lost. */
class ScriptedSession {
  readonly plane: ControlPlane;
  readonly #queue: LiveChange[] = [];
  #lost: SipctlError | null = null;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(pbx: ScriptedPbx, closed: (session: ScriptedSession) => void) {
    const verb =
      (name: Verb) =>
      async (...args: unknown[]): Promise<never> => {
        this.#demandOpen();
        return (await pbx.perform(name, args)) as never;
      };
    this.plane = {
      engine: pbx.engine,
      boot: pbx.boot,
      legs: async () => this.#whileOpen([...pbx.legs.values()].map((leg) => ({ ...leg }))),
      standings: async () =>
        this.#whileOpen({ trunks: [...pbx.trunks.values()], users: [...pbx.users.values()] }),
      changes: () => this.#changes(),
      conferences: async () => this.#whileOpen(structuredClone(pbx.conferences)),
      ...{ hangup: verb('hangup'), originate: verb('originate'), hold: verb('hold'), unhold: verb('unhold') },
      ...{ mute: verb('mute'), transfer: verb('transfer'), attendedTransfer: verb('attendedTransfer') },
      ...{ park: verb('park'), dtmf: verb('dtmf'), spy: verb('spy'), answer: verb('answer') },
      ...{ reject: verb('reject'), startRecording: verb('startRecording') },
      ...{ stopRecording: verb('stopRecording'), pauseRecording: verb('pauseRecording') },
      ...{ changeConference: verb('changeConference'), invite: verb('invite') },
      close: async () => {
        this.#isClosed = true;
        this.#wake();
        closed(this);
      },
    };
  }

  push(change: LiveChange): void {
    this.#queue.push(change);
    this.#wake();
  }

  fail(error: SipctlError): void {
    this.#lost = error;
    this.#wake();
  }

  #demandOpen(): void {
    if (this.#lost !== null) throw this.#lost;
    if (this.#isClosed) throw scripted('unreachable', 'the session was closed');
  }

  #whileOpen<T>(value: T): T {
    this.#demandOpen();
    return value;
  }

  // What was told before the connection was lost still arrives.
  async *#changes(): AsyncIterableIterator<LiveChange[]> {
    for (;;) {
      const next = this.#queue.splice(0);
      if (next.length > 0) yield next;
      else if (this.#lost !== null) throw this.#lost;
      else if (this.#isClosed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
