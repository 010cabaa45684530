import { setTimeout as sleep } from 'node:timers/promises';
import { SipctlError } from '../../errors.ts';
import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import type { Artifact } from '../../plan/generation.ts';
import type { ReloadStep } from '../../plan/plan.ts';
import { withRetry } from '../control/retry.ts';
import type { Engine, Finding, LiveState, RunningSystem } from '../target.ts';
import { reloading } from './broken-tree.ts';
import { allGatewaysStep, reloadXmlStep } from './changes.ts';
import { reloadXml, show, sofiaStatus, version } from './esl/commands.ts';
import { connectEsl, type EslConnection } from './esl/connection.ts';
import type { Ask } from './esl/replies.ts';
import { RunningGateways } from './running-gateways.ts';
import type { Timeouts } from './timeouts.ts';
import { verifyDelivered } from './verify.ts';

const patience = { attempts: 3, baseMs: 200, capMs: 1000 };

/** Signs in at a node's event socket. @throws SipctlError `unreachable`, `refused`, or `invalid` settings */
export async function openEsl(node: Node, timeouts: Timeouts, signal?: AbortSignal): Promise<EslConnection> {
  const [, host = '', port = ''] = /^(.*):([0-9]+)$/.exec(node.esl ?? '') ?? [];
  const password = node.eslPassword;
  if (host === '' || password === null) throw noControl(node);
  const path = await timeouts.through?.();
  // All attempts together have the time of one: a PBX that restarts is waited for, a silent one is not waited for twice.
  const end = performance.now() + timeouts.connect;
  const open = (): Promise<EslConnection> =>
    connectEsl({
      ...{ host, port: Number(port), path, password, signal },
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
    return new RunningFreeSwitch(esl, engine, await RunningGateways.open(esl, files, timeouts.gateway));
  } catch (error) {
    await esl.close();
    throw error;
  }
}

class RunningFreeSwitch implements RunningSystem {
  readonly engine: Engine;
  readonly #esl: EslConnection;
  readonly #ask: Ask;
  readonly #gateways: RunningGateways;

  constructor(esl: EslConnection, engine: Engine, gateways: RunningGateways) {
    this.engine = engine;
    this.#esl = esl;
    this.#ask = (command) => esl.api(command);
    this.#gateways = gateways;
  }

  async perform(step: ReloadStep): Promise<void> {
    if (step.kind === 'unregister') return this.#gateways.end([step.registration]);
    if (step.kind === 'register') return this.#gateways.restore(step.registration);
    if (isSameStep(step, reloadXmlStep) && this.#gateways.settled)
      return reloading(this.#ask, () => reloadXml(this.#ask));
    await this.#gateways.rescan({ all: isSameStep(step, allGatewaysStep) });
  }

  async verify(artifacts: readonly Artifact[], changed: ReadonlySet<string>): Promise<Finding[]> {
    const before = [...(await this.#gateways.earlier()).values()];
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
}

type Reload = Extract<ReloadStep, { kind: 'reload-module' }>;

const isSameStep = ({ module }: Reload, other: Reload): boolean => module === other.module;

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
