import { setMaxListeners } from 'node:events';
import type { Finding, StageName } from '../finding.ts';
import type { SipResponse } from '../message/message.ts';
import type { Connection } from '../transport/connection.ts';
import { callNumber } from './call.ts';
import { natView } from './nat.ts';
import { sendOptions } from './options.ts';
import { connect, findServer } from './reach.ts';
import { register } from './register.ts';
import type { ProbeSettings, ProbeSurroundings } from './settings.ts';
import { offerWebRtc } from './webrtc.ts';

/*
 *   dns ──▶ connect ──▶ options ──▶ register ──▶ call, webrtc ──▶ nat
 *    │         │           │            │
 *    └─────────┴───────────┴────────────┴── failed: what needs it is skipped, and says so
 *
 * Silence to OPTIONS alone stops nothing: a REGISTER asks the same question in words that cannot be left unanswered.
 */

/**
 * Tests a SIP server from here, stage by stage, and gives back what it took: bindings are removed, calls ended.
 * @throws the reason of the signal, when all of that is done
 */
export async function probe(settings: ProbeSettings, around: ProbeSurroundings): Promise<Finding[]> {
  // Each address has several listeners on it, and a run has many trunks: a signal of its own for each.
  const signal = AbortSignal.any([around.signal]);
  setMaxListeners(0, signal);
  const course = new Course(settings, { ...around, signal });
  try {
    await course.run();
    around.signal.throwIfAborted();
    return course.findings;
  } finally {
    await Promise.all(course.connections.map((connection) => connection.close()));
  }
}

class Course {
  readonly findings: Finding[] = [];
  connections: Connection[] = [];
  readonly #settings: ProbeSettings;
  readonly #around: ProbeSurroundings;
  /** The connections that may be used, the best first. */
  #usable: Connection[] = [];
  readonly #responses: SipResponse[] = [];
  #routes: string[] = [];

  constructor(settings: ProbeSettings, around: ProbeSurroundings) {
    this.#settings = settings;
    this.#around = around;
  }

  async run(): Promise<void> {
    if (!(await this.#reach())) return;
    await this.#options();
    const registered = await this.#register();
    await this.#call(registered);
    await this.#webRtc(registered);
    await this.#nat();
  }

  async #reach(): Promise<boolean> {
    this.#begin('dns');
    const { finding, targets } = await findServer(this.#settings, this.#around);
    this.findings.push(finding);
    if (targets.length === 0) return false;
    this.#begin('connect');
    const connected = await connect(targets, this.#around, this.#settings.server.path);
    this.findings.push(connected.finding);
    this.connections = connected.connections;
    this.#usable = connected.connections;
    return this.#usable.length > 0;
  }

  async #options(): Promise<void> {
    if (!this.#wants('options')) return;
    this.#begin('options');
    const { finding, answering, silent, responses } = await sendOptions(
      this.#usable,
      this.#settings,
      this.#around,
    );
    this.findings.push(finding);
    this.#responses.push(...responses);
    this.#usable = answering.length > 0 ? answering : silent;
  }

  async #register(): Promise<boolean> {
    if (!this.#wants('register') || this.#settings.register === null) return true;
    const connection = this.#best('register');
    if (connection === null) return false;
    this.#begin('register');
    const { finding, response, serviceRoute } = await register(connection, this.#settings, this.#around);
    this.findings.push(finding);
    if (response !== null) this.#responses.push(response);
    this.#routes = serviceRoute;
    return finding.status === 'ok' || finding.status === 'warning';
  }

  async #call(registered: boolean): Promise<void> {
    const { call } = this.#settings;
    if (!this.#wants('call') || call === null) return;
    if (!registered) return this.#skip('call', 'not placed: the account was not accepted');
    const connection = this.#best('call');
    if (connection === null) return;
    this.#begin('call');
    this.findings.push(await callNumber(connection, call, this.#routes, this.#settings, this.#around));
  }

  async #webRtc(registered: boolean): Promise<void> {
    const { webrtc } = this.#settings;
    if (!this.#wants('webrtc') || webrtc === undefined) return;
    if (webrtc.number === null) return this.#skip('webrtc', webrtc.otherwise);
    if (!registered) return this.#skip('webrtc', 'not offered: the account was not accepted');
    const connection = this.#best('webrtc');
    if (connection === null) return;
    this.#begin('webrtc');
    const [settings, around] = [this.#settings, this.#around];
    this.findings.push(await offerWebRtc(connection, webrtc.number, this.#routes, settings, around));
  }

  async #nat(): Promise<void> {
    const [connection] = this.#usable;
    if (!this.#wants('nat') || connection === undefined) return;
    this.#begin('nat');
    this.findings.push(await natView(connection, this.#responses, this.#settings, this.#around));
  }

  #best(stage: StageName): Connection | null {
    const [connection = null] = this.#usable;
    if (connection === null) this.#skip(stage, 'the server was not reached');
    return connection;
  }

  #skip(stage: StageName, detail: string): void {
    this.findings.push({ stage, status: 'skipped', cause: null, detail, ms: 0, facts: {} });
  }

  #begin(stage: StageName): void {
    this.#around.signal.throwIfAborted();
    this.#around.progress?.(stage);
  }

  #wants(stage: StageName): boolean {
    return this.#settings.stages.has(stage);
  }
}
