import { setTimeout as sleep } from 'node:timers/promises';
import { trunkId } from '../../model/identity.ts';
import type { Node } from '../../model/nouns.ts';
import {
  type NamedUser,
  type QualifyState,
  type RegistrationState,
  type TrunkLook,
  type TrunkState,
  type UserContact,
  type UserState,
  whileOpen,
} from '../node-view.ts';
import { type GatewayStatus, gatewayStatus, sofiaStatus, userExists } from './esl/commands.ts';
import type { EslConnection } from './esl/connection.ts';
import { type RegisteredPhone, registeredPhones, registerGateway } from './esl/registrations.ts';
import { carrierProfile } from './render/gateways.ts';
import { openEsl } from './running-system.ts';
import type { Timeouts } from './timeouts.ts';

/** A carrier that says nothing is given up after 32 s, RFC 3261 §17.1.2.2: so long nobody waits here. */
const answerMs = 5000;

/**
 * How a trunk stands on a running FreeSWITCH; null where it has no such gateway. Nothing makes FreeSWITCH ask a carrier
 * anew, so `qualify` is as old as `ping` is long.
 * @throws SipctlError `unreachable`, `interrupted`, or `refused`
 */
export async function trunkState(
  node: Node,
  timeouts: Timeouts,
  { tenant, trunk }: { tenant: string; trunk: string },
  { signal, registerOnce = false }: TrunkLook,
): Promise<TrunkState | null> {
  const id = trunkId(tenant, trunk);
  const esl = await openEsl(node, timeouts, signal);
  return whileOpen(esl, `asking ${node.name} for the trunk ${trunk}`, signal, async () => {
    const ask = (command: string) => esl.api(command);
    let gateway = await gatewayStatus(ask, id);
    if (gateway === null) return null;
    const refusal = registerOnce && failed.test(gateway.state) ? await registerAnew(esl, id) : null;
    if (refusal !== null) gateway = (await gatewayStatus(ask, id)) ?? gateway;
    return {
      id,
      registration: registrationOf(gateway, refusal),
      qualify: qualifyOf(gateway),
      networks: null,
      callable: gateway.status === 'UP',
    };
  });
}

/**
 * Where a user is registered, at whatever profile; null where the directory does not have the user.
 * @throws like `trunkState`
 */
export async function userState(
  node: Node,
  timeouts: Timeouts,
  { id, username, domain }: NamedUser,
  signal?: AbortSignal,
): Promise<UserState | null> {
  const esl = await openEsl(node, timeouts, signal);
  return whileOpen(esl, `asking ${node.name} for the user ${username}`, signal, async () => {
    const ask = (command: string) => esl.api(command);
    if (domain === null || !(await userExists(ask, username, domain))) return null;
    const profiles = (await sofiaStatus(ask)).filter(({ state }) => /^RUNNING/.test(state));
    const phones: RegisteredPhone[] = [];
    for (const { name } of profiles)
      phones.push(...(await registeredPhones(ask, name, `${username}@${domain}`)));
    return { id, contacts: phones.map(contactOf) };
  });
}

const failed = /^(FAILED|FAIL_WAIT|TIMEOUT)$/;

/** What the carrier said to a REGISTER. */
export interface Refusal {
  status: number;
  phrase: string;
}

// Why a gateway is not registered FreeSWITCH tells when it happens, and never again.
async function registerAnew(esl: EslConnection, id: string): Promise<Refusal | null> {
  const events = esl.events();
  const answer = (async (): Promise<Refusal | null> => {
    for await (const event of events) {
      const status = Number(event.get('Status') ?? 0);
      if (event.get('Gateway') === id && status > 0) return { status, phrase: event.get('Phrase') ?? '' };
    }
    return null;
  })();
  // Where the connection is lost, the command says so.
  answer.catch(() => undefined);
  try {
    await esl.subscribe([], ['sofia::gateway_state']);
    if (!(await registerGateway((command) => esl.api(command), carrierProfile, id))) return null;
    return await Promise.race([answer, sleep(answerMs, null, { ref: false })]);
  } finally {
    await events.return?.();
  }
}

/** @param refusal the carrier's last answer, where it is known */
export function registrationOf({ state, all }: GatewayStatus, refusal: Refusal | null): RegistrationState {
  const said = refusal === null ? '' : `: ${refusal.status} ${refusal.phrase}`.trimEnd();
  const retry = /^(\d+)s$/.exec(all.get('retry') ?? '')?.[1];
  return {
    state:
      failed.test(state) && refusal !== null && isOfCarrier(refusal)
        ? 'rejected'
        : (states[state] ?? 'failed'),
    statusCode: refusal !== null && isOfCarrier(refusal) ? refusal.status : null,
    nextInSeconds: state === 'FAIL_WAIT' && retry !== undefined ? Number(retry) : null,
    detail: `${state}${said}`,
  };
}

// 408 and 503 are what FreeSWITCH itself says where nobody answers, and where nobody listens; from 900 on it is its own.
const isOfCarrier = ({ status }: Refusal): boolean => status < 700 && status !== 408 && status !== 503;

/** `UNREGED` is the moment before the carrier is asked; `REGISTER` the one after it said yes, when no call goes out yet. */
const states: Readonly<Record<string, RegistrationState['state']>> = {
  REGED: 'registered',
  REGISTER: 'trying',
  TRYING: 'trying',
  UNREGED: 'trying',
  UNREGISTER: 'unregistered',
  DOWN: 'unregistered',
  EXPIRED: 'unregistered',
  NOREG: 'none',
};

/** FreeSWITCH asks only gateways that are registered, or register nowhere; what it measured before is not forgotten. */
export function qualifyOf({ state, status, all }: GatewayStatus): QualifyState {
  const none = { rttMs: null, fresh: false };
  if ((all.get('pingfreq') ?? '0') === '0') return { state: 'off', ...none };
  if (state !== 'REGED' && state !== 'NOREG') return { state: 'unknown', ...none };
  if (status === 'DOWN') return { state: 'unreachable', ...none };
  const rttMs = Number(all.get('pingtime') ?? 0);
  return rttMs > 0 ? { state: 'reachable', rttMs, fresh: false } : { state: 'unknown', ...none };
}

const contactOf = (phone: RegisteredPhone): UserContact => ({
  uri: /<([^>]*)>/.exec(phone.contact)?.[1] ?? phone.contact,
  userAgent: phone.userAgent || null,
  expiresInSeconds: phone.expiresInSeconds,
  state: phone.pingStatus === 'Unreachable' ? 'unreachable' : phone.pingMs > 0 ? 'reachable' : 'unknown',
  rttMs: phone.pingMs > 0 ? phone.pingMs : null,
});
