import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { Secret } from '../../../src/model/secret.ts';
import type { AmiMessage } from '../../../src/platforms/asterisk/ami/codec.ts';
import { type AmiConnection, connectAmi } from '../../../src/platforms/asterisk/ami/connection.ts';
import { type AsteriskInstance, asteriskAvailable, startAsterisk } from '../asterisk.ts';
import {
  type Behaviour,
  type CarrierAccount,
  dialplanOf,
  extensionOf,
  type PhoneAccount,
  pjsipOf,
  type SipAddress,
  toneOf,
} from './outside-config.ts';
import { readWav, secondsOf } from './sound.ts';

/** Null where phones and carriers can be had here, else why not. */
export const outsideMissing = asteriskAvailable('22');

/** A call that reached a phone or a carrier, exactly as it came. */
export interface Arrival {
  /** Names the call at its party, for `heard`. */
  id: string;
  /** Counts all calls, in the order in which they came. */
  order: number;
  party: string;
  requestUri: string;
  /** Header values; empty where the header is missing. */
  from: string;
  to: string;
  pai: string;
  rpid: string;
  diversion: string;
}

/** How a call ended that a party made. */
export interface CallEnd {
  /** 200 where it was answered, else the final SIP status; 0 where none came. */
  status: number;
  /** Cause of Q.850 it was ended with. */
  q850: number;
}

/** A call that a party makes. */
export interface OutgoingCall {
  id: string;
  /** Settles at the answer with true; with false where the call ends without one. */
  answered: Promise<boolean>;
  ended: Promise<CallEnd>;
  /** Key presses, as RFC 4733 sends them. */
  press(keys: string): Promise<void>;
  hangUp(): Promise<void>;
}

/** Everything around a PBX: phones, carriers, and the hands that use them. One Asterisk 22, whatever the PBX is. */
export interface Outside {
  asterisk: AsteriskInstance;
  parties: readonly string[];
  /** Registers a phone, or takes it off, and waits until that is so. */
  register(phone: string, on: boolean): Promise<void>;
  /** Waits until all phones are registered. */
  registered(): Promise<void>;
  /**
   * What a party does with calls from now on; at a carrier also only with those to one number. Answering is what it does
   * unless it is told otherwise.
   */
  does(party: string, behaviour: Behaviour, number?: string): Promise<void>;
  /**
   * Calls a number from a phone, or from a carrier into the PBX. `callerId` is a number, or `"name" <number>`; nothing is
   * said or written down in a `silent` call.
   */
  call(
    party: string,
    target: string,
    options?: { callerId?: string; uri?: string; silent?: boolean },
  ): Promise<OutgoingCall>;
  /** All calls that reached a party so far. */
  arrivals(party: string): readonly Arrival[];
  /** Keys that were pressed to a party, by the id of the call there. */
  keys(id: string): string;
  /** Ends whatever a party has. */
  hangUp(party: string): Promise<void>;
  /** Seconds in which a call, which is over by now, carried the voice of this party (or a tone in Hz) to where it is named. */
  heard(id: string, speaker: string | number): Promise<number>;
  tone(party: string): number;
  /** New messages that the lamp of a phone tells of; null before it was told anything. */
  waiting(phone: string): number | null;
  /** Contacts under which the PBX is registered at a carrier. */
  contacts(carrier: CarrierAccount): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface OutsideOptions {
  /** Where phones, and where carriers speak to it. */
  pbx: { phones: SipAddress; carriers: SipAddress };
  phones: readonly PhoneAccount[];
  carriers: readonly CarrierAccount[];
}

export async function startOutside({ pbx, phones, carriers }: OutsideOptions): Promise<Outside> {
  const parties = [...phones, ...carriers].map(({ name }) => name);
  const asterisk = await startAsterisk({
    version: '22',
    pjsip: pjsipOf(phones, carriers, pbx),
    etc: { 'extensions.d/outside.conf': dialplanOf(parties) },
  });
  mkdirSync(join(asterisk.spool, 'monitor/heard'), { recursive: true });
  const { host, port, user, secret } = asterisk.ami;
  const ami = await connectAmi({
    ...{ host, port, username: user, secret: new Secret(secret), events: 'call,user,dtmf' },
    ...{ connectTimeoutMs: 10_000, actionTimeoutMs: 30_000 },
  });
  const log = watch(ami);
  const call = caller(ami, log);
  const tone = (party: string): number => toneOf(parties.indexOf(party));
  return {
    asterisk,
    parties,
    tone,
    call,
    register: (phone, on) => register(ami, phone, on),
    registered: () => untilRegistered(ami, phones.length),
    does: async (party, behaviour, number) => {
      const name = number === undefined ? `DO_${party}` : `DO_${party}_${number.replace(/\D/g, '')}`;
      await ami.action('Setvar', { Variable: name, Value: extensionOf(behaviour) });
    },
    arrivals: (party) => log.arrivals.filter((one) => one.party === party),
    keys: (id) => log.keys.get(id) ?? '',
    hangUp: async (party) => {
      const talks = async (): Promise<boolean> =>
        (await ami.list('CoreShowChannels')).some((one) => one.get('Channel')?.startsWith(`PJSIP/${party}-`));
      // A channel that has answered just now was seen to live on.
      await vi.waitUntil(
        async () => {
          await ami.action('Hangup', { Channel: `/^PJSIP/${party}-/` }).catch(() => undefined);
          return !(await talks());
        },
        { timeout: 10_000, interval: 200 },
      );
    },
    heard: async (id, speaker) => {
      const file = join(asterisk.spool, 'monitor/heard', `${id}.wav`);
      const samples = await vi.waitUntil(() => readWav(file), { timeout: 10_000, interval: 50 });
      return secondsOf(samples, typeof speaker === 'number' ? speaker : tone(speaker));
    },
    waiting: (phone) => log.waiting.get(`${phone}@lamp`) ?? null,
    contacts: (carrier) => contactsOf(ami, carrier),
    stop: async () => {
      await ami.close();
      await asterisk.stop();
    },
  };
}

interface Log {
  arrivals: Arrival[];
  keys: Map<string, string>;
  waiting: Map<string, number>;
  answered: Map<string, (answered: boolean) => void>;
  ended: Map<string, (end: CallEnd) => void>;
}

function watch(ami: AmiConnection): Log {
  const log: Log = {
    arrivals: [],
    keys: new Map(),
    waiting: new Map(),
    answered: new Map(),
    ended: new Map(),
  };
  void (async () => {
    for await (const event of ami.events()) note(log, event);
  })().catch(() => undefined); // The instance went away: whoever still waits runs into its deadline.
  return log;
}

function note(log: Log, event: AmiMessage): void {
  const of = (name: string): string => event.get(name) ?? '';
  const text = (name: string): string => Buffer.from(of(name), 'base64').toString();
  const id = of('Uniqueid');
  switch (of('Event')) {
    case 'UserEvent':
      if (of('UserEvent') !== 'Arrived') break;
      log.arrivals.push({
        ...{ id, order: log.arrivals.length, party: of('Party'), requestUri: text('RequestUri') },
        ...{ from: text('From'), to: text('To'), pai: text('Pai'), rpid: text('Rpid') },
        diversion: text('Diversion'),
      });
      break;
    case 'DTMFEnd':
      if (of('Direction') === 'Received') log.keys.set(id, (log.keys.get(id) ?? '') + of('Digit'));
      break;
    case 'MessageWaiting':
      log.waiting.set(of('Mailbox'), Number(of('New') || 0));
      break;
    case 'Newstate':
      if (of('ChannelState') === '6') log.answered.get(id)?.(true);
      break;
    case 'Hangup': {
      const wasAnswered = of('ChannelState') === '6';
      log.answered.get(id)?.(false);
      log.ended.get(id)?.({
        status: wasAnswered ? 200 : Number(of('TechCause') || 0),
        q850: Number(of('Cause') || 0),
      });
      break;
    }
  }
}

function caller(ami: AmiConnection, log: Log): Outside['call'] {
  return async (party, target, { callerId = `<${party}>`, uri, silent = false } = {}) => {
    const id = `call-${randomUUID()}`;
    const answered = new Promise<boolean>((resolve) => log.answered.set(id, resolve));
    const ended = new Promise<CallEnd>((resolve) => log.ended.set(id, resolve));
    await ami.action('Originate', {
      Channel: uri === undefined ? `PJSIP/${target}@${party}` : `PJSIP/${party}/${uri}`,
      ...{
        Context: 'party',
        Exten: silent ? 'quiet' : 'talk',
        Priority: 1,
        Async: true,
        ChannelId: id,
        Timeout: 60_000,
      },
      ...{ CallerID: callerId, Variable: `PARTY=${party}` },
    });
    // One channel has this id, and its name is not known before it is there.
    const channel = async (): Promise<string> => {
      const items = await ami.list('CoreShowChannels');
      return items.find((item) => item.get('Uniqueid') === id)?.get('Channel') ?? '';
    };
    return {
      id,
      answered,
      ended,
      press: async (keys) => {
        const name = await channel();
        for (const key of keys) {
          await ami.action('PlayDTMF', { Channel: name, Digit: key, Duration: 100 });
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      },
      hangUp: async () => {
        const name = await channel();
        if (name !== '') await ami.action('Hangup', { Channel: name, Cause: 16 }).catch(() => undefined);
      },
    };
  };
}

async function register(ami: AmiConnection, phone: string, on: boolean): Promise<void> {
  await ami.action(on ? 'PJSIPRegister' : 'PJSIPUnregister', { Registration: phone });
  const wanted = on ? ['Registered'] : ['Unregistered', 'Stopped'];
  await vi.waitFor(
    async () => {
      const items = await ami.list('PJSIPShowRegistrationsOutbound');
      const state = items.find((item) => item.get('ObjectName') === phone)?.get('Status') ?? '';
      if (!wanted.includes(state)) throw new Error(`${phone} is ${state}`);
    },
    { timeout: 10_000, interval: 50 },
  );
}

async function untilRegistered(ami: AmiConnection, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const items = await ami.list('PJSIPShowRegistrationsOutbound');
      const up = items.filter((item) => item.get('Status') === 'Registered').length;
      if (up < count) throw new Error(`${up} of ${count} phones are registered`);
    },
    { timeout: 30_000, interval: 100 },
  );
}

async function contactsOf(ami: AmiConnection, { credentials }: CarrierAccount): Promise<readonly string[]> {
  const aors = await ami.list('PJSIPShowAors');
  const aor = aors.find((item) => item.get('ObjectName') === credentials?.username);
  return (aor?.get('Contacts') ?? '').split(',').flatMap((one) => {
    const uri = one.slice(one.indexOf('/') + 1);
    return uri === '' ? [] : [uri];
  });
}
