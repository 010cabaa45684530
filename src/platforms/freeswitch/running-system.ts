import { setTimeout as sleep } from 'node:timers/promises';
import { SipctlError } from '../../errors.ts';
import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import { type Artifact, storePath } from '../../plan/generation.ts';
import type { ReloadStep } from '../../plan/plan.ts';
import { withRetry } from '../control/retry.ts';
import { readManifest } from '../generation-files.ts';
import type { Engine, Finding, LiveState, RunningSystem } from '../target.ts';
import { reloading } from './broken-tree.ts';
import { allGatewaysStep, reloadXmlStep } from './changes.ts';
import { type Delivered, deliveredObjects, gatewayName } from './delivered.ts';
import { gatewaysFile } from './delivered-files.ts';
import { killGateway, reloadXml, rescanProfile, show, sofiaStatus, version } from './esl/commands.ts';
import { connectEsl, type EslConnection } from './esl/connection.ts';
import type { Ask } from './esl/replies.ts';
import { carrierProfile } from './render/gateways.ts';
import { verifyDelivered } from './verify.ts';

/** Milliseconds. */
export interface Timeouts {
  /** From the first packet to the accepted password. */
  connect: number;
  /** For each command; a reload of 10,000 users in one domain takes 4 s. */
  command: number;
  /** Until a gateway that was ended is gone, which takes FreeSWITCH a second or two. */
  gateway: number;
}

export const defaultTimeouts: Timeouts = { connect: 10_000, command: 120_000, gateway: 10_000 };

const patience = { attempts: 3, baseMs: 200, capMs: 1000 };
const pollMs = 50;

/** Signs in at a node's event socket. @throws SipctlError `unreachable`, `refused`, or `invalid` settings */
export async function openEsl(node: Node, timeouts: Timeouts, signal?: AbortSignal): Promise<EslConnection> {
  const [, host = '', port = ''] = /^(.*):([0-9]+)$/.exec(node.esl ?? '') ?? [];
  const password = node.eslPassword;
  if (host === '' || password === null) throw noControl(node);
  // All attempts together have the time of one: a PBX that restarts is waited for, a silent one is not waited for twice.
  const end = performance.now() + timeouts.connect;
  const open = (): Promise<EslConnection> =>
    connectEsl({
      ...{ host, port: Number(port), password, signal },
      connectTimeoutMs: Math.max(1, end - performance.now()),
      commandTimeoutMs: timeouts.command,
    });
  const pause = async (ms: number): Promise<void> => void (await sleep(ms, undefined, { signal }));
  return withRetry(open, { ...patience, sleep: pause, random: Math.random });
}

const noControl = (node: Node): SipctlError =>
  new SipctlError('invalid', {
    code: 'no_control',
    message: `${node.name} has no complete event socket login`,
    field: 'esl',
    hint: `sipctl node set ${node.name} --esl 127.0.0.1:8021 --esl-password-stdin`,
  });

/**
 * Connects to a node's FreeSWITCH for an apply, a check or a status.
 * @throws SipctlError `unreachable`, or `refused` for a wrong password
 */
export async function connectRunning(
  node: Node,
  files: Generations,
  timeouts: Timeouts,
  signal?: AbortSignal,
): Promise<RunningSystem> {
  const esl = await openEsl(node, timeouts, signal);
  try {
    const engine = { kind: 'freeswitch', version: await version((command) => esl.api(command)) };
    return new RunningFreeSwitch(esl, engine, files, timeouts);
  } catch (error) {
    await esl.close();
    throw error;
  }
}

class RunningFreeSwitch implements RunningSystem {
  readonly engine: Engine;
  readonly #esl: EslConnection;
  readonly #ask: Ask;
  readonly #files: Generations;
  readonly #timeouts: Timeouts;
  /** Gateways that were ended, and whose end was not told yet. */
  readonly #leaving = new Set<string>();
  /** All gateways of ours that this connection came to know. */
  readonly #known = new Map<string, Delivered>();
  #listening: Promise<void> | null = null;

  constructor(esl: EslConnection, engine: Engine, files: Generations, timeouts: Timeouts) {
    this.engine = engine;
    this.#esl = esl;
    this.#ask = (command) => esl.api(command);
    this.#files = files;
    this.#timeouts = timeouts;
  }

  async perform(step: ReloadStep): Promise<void> {
    if (step.kind === 'unregister') return this.#end([step.registration]);
    // What was ended is made anew by the reload.
    if (step.kind === 'register') return;
    if (step.module === (reloadXmlStep as { module: string }).module)
      return reloading(this.#ask, () => reloadXml(this.#ask));
    if (step.module === (allGatewaysStep as { module: string }).module) await this.#endAll();
    await this.#untilLeft();
    await reloading(this.#ask, () => rescanProfile(this.#ask, carrierProfile));
  }

  async verify(artifacts: readonly Artifact[], changed: ReadonlySet<string>): Promise<Finding[]> {
    for (const delivered of await this.#heldGateways(await this.#files.verified()))
      this.#known.set(gatewayName(delivered.element), delivered);
    const before = [...this.#known.values()];
    const own = artifacts.filter(({ file }) => file === gatewaysFile).flatMap(deliveredObjects);
    for (const delivered of own) this.#known.set(gatewayName(delivered.element), delivered);
    return verifyDelivered({ ask: this.#ask, artifacts, changed, before });
  }

  // A tree that cannot be parsed leaves the old one in force, and is the reload's own complaint (`reloading`).
  async obstacles(): Promise<Finding[]> {
    return [];
  }

  async states(): Promise<LiveState[]> {
    const profiles = await sofiaStatus(this.#ask);
    const gateways = profiles.flatMap((profile) => profile.gateways);
    const contacts = new Map<string, number>();
    for (const { reg_user: user, realm } of await show(this.#ask, 'registrations')) {
      const id = `${user}@${realm}`;
      contacts.set(id, (contacts.get(id) ?? 0) + 1);
    }
    const states: LiveState[] = [
      ...gateways.map(({ name, state }): LiveState => {
        return { id: name, kind: 'registration', state: words[state] ?? state, contacts: 0 };
      }),
      ...[...contacts].map(([id, count]): LiveState => {
        return { id, kind: 'endpoint', state: 'Registered', contacts: count };
      }),
    ];
    return states.sort((one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0));
  }

  close(): Promise<void> {
    return this.#esl.close();
  }

  // The end of a registration goes to the carrier only after the gateway is marked: one that is made anew at once would
  // register before it, with the same contact, and the carrier would take that for ended.
  async #end(names: readonly string[]): Promise<void> {
    this.#listening ??= this.#listen();
    await this.#listening;
    for (const name of names) {
      this.#leaving.add(name);
      if (!(await killGateway(this.#ask, carrierProfile, name))) this.#leaving.delete(name);
    }
  }

  async #listen(): Promise<void> {
    const events = this.#esl.events();
    await this.#esl.subscribe([], ['sofia::gateway_delete']);
    const read = async (): Promise<void> => {
      for await (const event of events) this.#leaving.delete(event.get('Gateway') ?? '');
    };
    // A connection that is lost fails whatever is asked next.
    read().catch(() => undefined);
  }

  async #endAll(): Promise<void> {
    for (const generation of [await this.#files.current(), await this.#files.verified()]) {
      for (const one of await this.#heldGateways(generation)) this.#known.set(gatewayName(one.element), one);
    }
    const running = (await sofiaStatus(this.#ask))
      .filter(({ name }) => name === carrierProfile)
      .flatMap(({ gateways }) => gateways.map(({ name }) => name));
    await this.#end(running.filter((name) => this.#known.has(name)));
  }

  async #untilLeft(): Promise<void> {
    for (let waited = 0; this.#leaving.size > 0 && waited < this.#timeouts.gateway; waited += pollMs)
      await sleep(pollMs);
    this.#leaving.clear();
  }

  async #heldGateways(generation: number | null): Promise<Delivered[]> {
    const manifest = generation === null ? null : await readManifest(this.#files, generation);
    const gateways: Delivered[] = [];
    for (const held of Object.values(manifest?.artifacts ?? {})) {
      if (held.file !== gatewaysFile) continue;
      const text = await this.#files.read(storePath(held));
      if (text !== null) gateways.push(...deliveredObjects({ ...held, text }));
    }
    return gateways;
  }
}

/** Registration states of mod_sofia as people read them; those of FreeSWITCH's own are left where there is no better word. */
const words: Readonly<Record<string, string>> = {
  REGED: 'Registered',
  UNREGED: 'Unregistered',
  NOREG: 'No registration',
  TRYING: 'Trying',
  REGISTER: 'Trying',
  FAILED: 'Rejected',
  FAIL_WAIT: 'Rejected',
  TIMEOUT: 'No answer',
};
