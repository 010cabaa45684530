import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SipctlError } from '../../errors.ts';
import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import { type Artifact, type HeldArtifact, storePath } from '../../plan/generation.ts';
import type { ReloadStep } from '../../plan/plan.ts';
import { withRetry } from '../control/retry.ts';
import { readManifest } from '../generation-files.ts';
import type { Engine, Finding, LiveState, RunningSystem } from '../target.ts';
import { type AmiConnection, connectAmi } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { deliveredObjects } from './delivered.ts';
import { deliveredFiles } from './delivered-files.ts';
import { reloadObstacles } from './diagnose.ts';
import { hostReader } from './host-includes.ts';
import { mainFile } from './include-lines.ts';
import { liveObjects } from './live-objects.ts';
import { trunksFile, usersFile } from './pjsip-object.ts';
import { requireRights } from './rights.ts';
import { parts } from './shown-forms.ts';
import type { Timeouts } from './timeouts.ts';
import { verifyDelivered } from './verify.ts';
import { verifyCalls } from './verify-calls.ts';

// 10,000 endpoints with their auths and AORs take 5 to 9 s on a small machine.
const reloadMsPerObject = 6;
const pollMs = 50;

/**
 * Signs in at a node's manager interface.
 * @param events the classes of events that are wanted, as manager.conf writes them; none by default
 * @throws SipctlError `unreachable`, `refused`, `interrupted` by the signal, or `invalid` settings
 */
export async function openAmi(
  node: Node,
  timeouts: Timeouts,
  signal?: AbortSignal,
  events?: string,
  fromLogin?: boolean,
): Promise<AmiConnection> {
  const [, host = '', port = ''] = /^(.*):([0-9]+)$/.exec(node.ami ?? '') ?? [];
  if (host === '' || node.amiUser === null || node.amiSecret === null) throw noControl(node);
  const login = { host, port: Number(port), username: node.amiUser, secret: node.amiSecret };
  const tls = node.amiTls === true ? { tls: await authority(node) } : {};
  const path = await timeouts.through?.();
  // All attempts together have the time of one: a PBX that restarts is waited for, a silent one is not waited for twice.
  const end = performance.now() + timeouts.connect;
  const open = (): Promise<AmiConnection> =>
    connectAmi({
      ...login,
      ...tls,
      path,
      connectTimeoutMs: Math.max(1, end - performance.now()),
      actionTimeoutMs: timeouts.action,
      signal,
      events,
      fromLogin,
    });
  // An interrupted pause needs no words of its own: the next attempt says that it was interrupted.
  const pause = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  };
  return withRetry(open, { ...patience, sleep: pause, random: Math.random });
}

const patience = { attempts: 3, baseMs: 200, capMs: 1000 };

async function authority(node: Node): Promise<{ ca?: string }> {
  if (node.amiCa === null) return {};
  try {
    return { ca: await readFile(node.amiCa, 'utf8') };
  } catch (cause) {
    throw new SipctlError(
      'invalid',
      {
        code: 'invalid_ami_ca',
        message: `${node.name}: the certificate file ${node.amiCa} cannot be read`,
        field: 'amiCa',
        hint: `sipctl node set ${node.name} --ami-ca <PEM file of the authority>`,
      },
      { cause },
    );
  }
}

function noControl(node: Node): SipctlError {
  return new SipctlError('invalid', {
    code: 'no_control',
    message: `${node.name} has no complete manager login`,
    field: 'ami',
    hint: `sipctl node set ${node.name} --ami 127.0.0.1:5038 --ami-user sipctl --ami-secret-stdin`,
  });
}

/** Release of Asterisk as it says it itself: `22.10.1`, without a distribution's additions. */
export async function asteriskVersion(ami: AmiConnection): Promise<string> {
  const said = (await ami.action('CoreSettings')).get('AsteriskVersion') ?? '';
  return /[0-9]+(?:\.[0-9]+)*/.exec(said)?.[0] ?? said;
}

/**
 * Connects to a node's Asterisk for an apply, a check or a status, and makes sure that the login may do all of it:
 * what it may not do is better known before anything is written.
 * @throws SipctlError `unreachable`, `interrupted` by the signal, or `refused` naming the right that is missing
 */
export async function connectRunning(
  node: Node,
  files: Generations,
  timeouts: Timeouts,
  signal?: AbortSignal,
): Promise<RunningSystem> {
  const ami = await openAmi(node, timeouts, signal);
  // Also a PBX that lets us in may then fall silent.
  const leave = (): void => void ami.close();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    await requireRights(ami, node.amiUser ?? '');
    const engine = { kind: 'asterisk', version: await asteriskVersion(ami) };
    return new RunningAsterisk(ami, engine, files, timeouts);
  } catch (error) {
    await ami.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}

class RunningAsterisk implements RunningSystem {
  readonly engine: Engine;
  readonly #ami: AmiConnection;
  readonly #files: Generations;
  readonly #timeouts: Timeouts;
  /** What was verified last over this connection; null before the first time. */
  #last: readonly Artifact[] | null = null;
  /** Registrations that were asked to end. */
  readonly #leaving = new Set<string>();

  constructor(ami: AmiConnection, engine: Engine, files: Generations, timeouts: Timeouts) {
    this.engine = engine;
    this.#ami = ami;
    this.#files = files;
    this.#timeouts = timeouts;
  }

  async perform(step: ReloadStep): Promise<void> {
    if (step.kind === 'reload-module') {
      await this.#untilLeft();
      await this.#reload(step.module);
      return;
    }
    if (step.kind === 'unregister') {
      await this.#ask('PJSIPUnregister', step.registration);
      this.#leaving.add(step.registration);
      return;
    }
    // PJSIPRegister ends a registration first, and starts it up to ten seconds later: one that is up is left to its
    // next renewal, which takes the new credentials.
    const { registration } = step;
    if (!(await this.#registered()).has(registration)) await this.#ask('PJSIPRegister', registration);
  }

  async verify(artifacts: readonly Artifact[], changed: ReadonlySet<string>): Promise<Finding[]> {
    const before = differing(this.#last ?? (await this.#verifiedArtifacts(artifacts)), artifacts);
    this.#last = artifacts;
    const place = { ami: this.#ami, changed, read: hostReader(this.#files), folder: this.#files.folder };
    const objects = await verifyDelivered({
      ...place,
      version: this.engine.version,
      artifacts: artifacts.filter(isPjsip),
      before: before.filter(isPjsip).flatMap(deliveredObjects),
    });
    const calls = (all: readonly Artifact[]) => all.filter((artifact) => !isPjsip(artifact));
    return [
      ...objects,
      ...(await verifyCalls({ ...place, artifacts: calls(artifacts), before: calls(before) })),
    ];
  }

  // pjsip.conf is read whatever is delivered; the others matter where something is in force that could be taken away.
  async obstacles(): Promise<Finding[]> {
    const held = new Set((await this.#inForce()).map(({ file }) => file));
    const mains = deliveredFiles.filter(({ file, main }) => main === mainFile || held.has(file));
    const findings: Finding[] = [];
    for (const main of new Set(mains.map((one) => one.main))) {
      findings.push(...(await reloadObstacles(this.#ami, hostReader(this.#files), this.#files.folder, main)));
    }
    return findings;
  }

  async states(): Promise<LiveState[]> {
    const { registration, endpoint } = await liveObjects(this.#ami);
    const states: LiveState[] = [
      ...[...registration].map(([id, item]): LiveState => {
        return { id, kind: 'registration', state: item.get('Status') ?? '', contacts: 0 };
      }),
      ...[...endpoint].map(([id, item]): LiveState => {
        const contacts = parts(item.get('Contacts') ?? '').length;
        return { id, kind: 'endpoint', state: item.get('DeviceState') ?? '', contacts };
      }),
    ];
    return states.sort((one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0));
  }

  close(): Promise<void> {
    return this.#ami.close();
  }

  // A registration that is not there, because the trunk never got so far, needs no ending; that one is missing which
  // should be there is what the verification says.
  async #ask(action: 'PJSIPRegister' | 'PJSIPUnregister', registration: string): Promise<void> {
    try {
      await this.#ami.action(action, { Registration: registration });
    } catch (error) {
      if (!(error instanceof AmiError) || !/unable to retrieve registration/i.test(error.reply)) throw error;
    }
  }

  async #registered(): Promise<Set<string>> {
    const items = await this.#ami.list('PJSIPShowRegistrationsOutbound');
    const up = items.filter((item) => item.get('Status') === 'Registered');
    return new Set(up.map((item) => item.get('ObjectName') ?? ''));
  }

  // The carrier asks for the password first, which the reload takes away.
  async #untilLeft(): Promise<void> {
    for (let waited = 0; this.#leaving.size > 0 && waited < this.#timeouts.unregister; waited += pollMs) {
      const registered = await this.#registered();
      for (const id of this.#leaving) if (!registered.has(id)) this.#leaving.delete(id);
      if (this.#leaving.size > 0) await sleep(pollMs);
    }
    this.#leaving.clear();
  }

  // The answer comes when the new state is in force. Of two reloads at once the second one is refused.
  async #reload(module: string): Promise<void> {
    const timeoutMs = this.#timeouts.reload + reloadMsPerObject * (await this.#objectsInForce());
    const waits = [0, ...busyWaits(timeoutMs)];
    for (const [attempt, wait] of waits.entries()) {
      await sleep(wait);
      try {
        await this.#ami.action('Reload', { Module: module }, { timeoutMs });
        return;
      } catch (error) {
        if (error instanceof AmiError && /no such module|unknown error/i.test(error.reply))
          return this.#refused(module, error);
        const busy = error instanceof AmiError && /reload is in progress/i.test(error.reply);
        if (!busy || attempt === waits.length - 1) throw busy ? stillBusy(timeoutMs, error) : error;
      }
    }
  }

  // A module that is not there, or keeps what it had, does no harm where nothing is delivered for it.
  async #refused(module: string, cause: AmiError): Promise<void> {
    const files = deliveredFiles.filter((one) => one.module === module).map(({ file }) => file);
    const needed = (await this.#inForce()).some(({ file }) => files.includes(file));
    if (needed || module === 'res_pjsip.so') throw reloadRefused(module, files, cause);
  }

  async #objectsInForce(): Promise<number> {
    return (await this.#inForce()).reduce((sum, artifact) => sum + artifact.objects, 0);
  }

  async #inForce(): Promise<HeldArtifact[]> {
    const number = await this.#files.current();
    const manifest = number === null ? null : await readManifest(this.#files, number);
    return Object.values(manifest?.artifacts ?? {});
  }

  // Only what differs from the artifacts at hand is read.
  async #verifiedArtifacts(artifacts: readonly Artifact[]): Promise<Artifact[]> {
    const number = await this.#files.verified();
    const manifest = number === null ? null : await readManifest(this.#files, number);
    const same = new Set(artifacts.map(identity));
    const others = Object.entries(manifest?.artifacts ?? {})
      .map(([key, held]) => ({ ...held, key }))
      .filter((held) => !same.has(identity(held)));
    const texts = await this.#files.readAll(others.map(storePath));
    return others.flatMap((held, at) => {
      const text = texts[at] ?? null;
      return text === null ? [] : { ...held, text };
    });
  }
}

const identity = ({ key, sha256 }: Pick<Artifact, 'key' | 'sha256'>): string => `${key} ${sha256}`;

/** Those earlier artifacts that are other ones now, or gone. */
function differing(earlier: readonly Artifact[], now: readonly Artifact[]): Artifact[] {
  const same = new Set(now.map(identity));
  return earlier.filter((artifact) => !same.has(identity(artifact)));
}

const isPjsip = ({ file }: Pick<Artifact, 'file'>): boolean => file === trunksFile || file === usersFile;

function reloadRefused(module: string, files: readonly string[], cause: AmiError): SipctlError {
  if (!/no such module/i.test(cause.reply)) {
    const message = `Asterisk could not read everything that ${module} takes from its files, and keeps what it had`;
    const hint = `asterisk -rx 'module reload ${module}', then read the ERROR lines in its log`;
    return new SipctlError('failed', { code: 'reload_refused', message, hint }, { cause });
  }
  return new SipctlError(
    'failed',
    {
      code: 'module_not_loaded',
      message: `Asterisk has not loaded ${module}, which reads ${files.join(' and ')}`,
      hint: `install it where your distribution packs it apart, see 'noload' in modules.conf, and: asterisk -rx 'module load ${module}'`,
    },
    { cause },
  );
}

/** Waits between attempts, doubling up to two seconds, together as long as a reload may take. */
function busyWaits(totalMs: number): number[] {
  const waits: number[] = [];
  for (let left = totalMs, wait = 100; left > 0; left -= wait, wait = Math.min(2000, wait * 2))
    waits.push(wait);
  return waits;
}

function stillBusy(waitedMs: number, cause: unknown): SipctlError {
  return new SipctlError(
    'unreachable',
    {
      code: 'reload_busy',
      message: `Asterisk was busy with another reload for ${Math.round(waitedMs / 1000)} s`,
      hint: `see what reloads it so often, for example a cron job, then run the command again`,
    },
    { cause },
  );
}
