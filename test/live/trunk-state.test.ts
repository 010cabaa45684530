import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import { localGenerations } from '../../src/files/local.ts';
import { Secret } from '../../src/model/secret.ts';
import { show } from '../../src/platforms/freeswitch/esl/commands.ts';
import { freeSwitchTarget } from '../../src/platforms/freeswitch/target.ts';
import type { NodeCallRequest, TrunkState } from '../../src/platforms/node-view.ts';
import type { Target } from '../../src/platforms/target.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { describeAsterisk } from './asterisk.ts';
import { addManagerUser, attach, withManager } from './attached.ts';
import { connectTo, describeFreeswitch } from './freeswitch.ts';
import { attach as attachFreeswitch, phonePort, shippedShape } from './freeswitch-site.ts';
import { liveNode, nodeWith, shippedCatalog } from './live-node.ts';
import { RawPhone } from './raw-phone.ts';
import { ScriptedCarrier } from './scripted-carrier.ts';

/** A PBX with three trunks at one carrier, as these tests see it. */
interface Pbx {
  target: Target;
  box: Sandbox;
  /** Channels that stand. */
  channels(): Promise<number>;
  /** What each engine tells, and what not. */
  tells: { sipStatus: boolean; registrationStatus: boolean; fresh: boolean; codec: string };
  /** Where phones register, and the name of their user on the PBX. */
  phones: { host: string; port: number; user: string };
}

const passwords = { good: 'of good', wrong: 'of wrong', peer: 'x' };

const otherAddress = (host: string): string =>
  host.replace(/^127\.(\d+)\./, (_, byte) => `127.${(Number(byte) + 1) % 255}.`);

const requestTo = (number: string, more: Partial<NodeCallRequest> = {}): NodeCallRequest => ({
  trunk: { id: 'acme.good', numberFormat: 'plus', techPrefix: null, did: '+15550001111' },
  country: 'US',
  number,
  callerId: null,
  ringMs: 2000,
  talkMs: 300,
  ...more,
});

function cases(start: () => Promise<Pbx & { host: string }>): void {
  let pbx: Pbx;
  let carrier: ScriptedCarrier;

  beforeAll(async () => {
    const started = await start();
    pbx = started;
    carrier = await ScriptedCarrier.open(otherAddress(started.host), passwords);
    const add = (name: string, words: string, password?: string) =>
      pbx.box.ok(`trunk add ${name} --tenant acme --host ${carrier.host} ${words}`, {
        ...(password === undefined ? {} : { input: password }),
      });
    const account = '--provider custom_credential --password-stdin --username';
    await pbx.box.ok('tenant add acme --domain acme.example');
    await add('good', `${account} good`, passwords.good);
    await add('wrong', `${account} wrong`, 'another');
    await add('mute', `${account} mute --port ${carrier.mutePort}`, 'x');
    await add('peer', '--provider custom_ip --networks 192.0.2.0/28,198.51.100.7');
    await pbx.box.ok('user add ann --tenant acme --extension 1001 --password env:PW', {
      env: { PW: 'of ann' },
    });
    const run = await pbx.box.apply();
    expect(run.code, run.stdout).toBe(0);
  }, 120_000);
  afterAll(() => carrier?.close());
  beforeEach(() => {
    carrier.silent = false;
  });

  const state = (trunk: string) => pbx.target.trunkState('acme', trunk);
  const becomes = async (trunk: string, is: TrunkState['registration']['state']): Promise<TrunkState> => {
    await expect
      .poll(async () => (await state(trunk))?.registration.state, { timeout: 40_000, interval: 300 })
      .toBe(is);
    return (await state(trunk)) as TrunkState;
  };
  const call = (number: string, more: Partial<NodeCallRequest> = {}) =>
    pbx.target.callThrough(requestTo(number, more));
  /** Until the carrier got this request. */
  const got = (method: string) =>
    expect.poll(() => carrier.methods, { timeout: 10_000, interval: 20 }).toContain(method);
  const noneStands = () => expect.poll(() => pbx.channels(), { timeout: 10_000 }).toBe(0);

  it('is registered', async () => {
    const found = await becomes('good', 'registered');
    expect(found).toMatchObject({ id: 'acme.good', callable: true, registration: { statusCode: null } });
  }, 90_000);

  it('is refused with a wrong password', async () => {
    const told = pbx.tells.registrationStatus;
    await becomes('wrong', told ? 'failed' : 'rejected');
    const found = await pbx.target.trunkState('acme', 'wrong', { registerOnce: true });
    expect(found?.registration).toMatchObject({ state: 'rejected', statusCode: told ? 403 : null });
    expect(found?.registration.detail).toMatch(told ? /403 Forbidden$/ : /^Rejected$/);
  }, 60_000);

  it('is not there where it was not applied', async () => {
    expect(await state('nobody')).toBeNull();
    await pbx.box.ok(
      `trunk add later --tenant acme --provider custom_ip --networks 192.0.2.1 --host ${carrier.host}`,
    );
    expect(await state('later')).toBeNull();
    await pbx.box.ok('trunk remove later --tenant acme --yes');
  });

  it('registers nowhere where it is known by its address', async () => {
    expect((await state('peer'))?.registration.state).toBe('none');
  });

  it.each([
    ['404', 404, 1],
    ['486', 486, 17],
    ['503', 503, null],
    ['488', 488, null],
  ])('calls in vain: %s', async (digits, sipStatus, cause) => {
    const result = await call(`+15557654${digits}`);
    expect(result).toMatchObject({ outcome: 'refused', answered: false, ringing: false, endedBy: 'carrier' });
    expect(result.sipStatus).toBe(pbx.tells.sipStatus ? sipStatus : null);
    if (cause !== null) expect(result.cause).toBe(cause);
    expect(result.causeText).not.toBe('');
    await noneStands();
  });

  it('calls, is answered, and hangs up', async () => {
    carrier.methods.length = 0;
    const result = await call('+15557654200');
    expect(result).toMatchObject({
      ...{ outcome: 'answered', answered: true, ringing: true, endedBy: 'pbx', codec: pbx.tells.codec },
      ...{ cause: 16, number: '+15557654200', callerId: '+15550001111' },
    });
    expect(result.answeredMs ?? 0).toBeGreaterThanOrEqual(result.ringingMs ?? Number.POSITIVE_INFINITY);
    expect(carrier.methods.filter((method) => method !== 'OPTIONS' && method !== 'REGISTER')).toEqual([
      'INVITE',
      'ACK',
      'BYE',
    ]);
    expect(carrier.calls.at(-1)?.uri).toContain(`sip:+15557654200@${carrier.host}`);
    await noneStands();
  });

  it('writes the numbers as the trunk wants them', async () => {
    const trunk = { id: 'acme.good', numberFormat: 'national', techPrefix: '99', did: null } as const;
    const result = await call('+4930123404', { trunk, country: 'DE', callerId: '+4930555' });
    expect(result).toMatchObject({ number: '99030123404', callerId: '030555' });
    expect(carrier.calls.at(-1)?.uri).toContain('sip:99030123404@');
  });

  it.each([
    ['180', { ringing: true, earlyMedia: false }],
    ['183', { ringing: false, earlyMedia: true }],
    ['000', { ringing: false, earlyMedia: false }],
  ])(
    'gives a call up that nobody answers: %s',
    async (digits, seen) => {
      carrier.methods.length = 0;
      const result = await call(`+15557654${digits}`, { ringMs: 1000 });
      expect(result).toMatchObject({ outcome: 'unanswered', answered: false, endedBy: 'pbx', ...seen });
      await noneStands();
      if (digits !== '000') expect(carrier.methods).toContain('CANCEL');
    },
    20_000,
  );

  it.each(['180', '200'])('is interrupted, and leaves no call: %s', async (digits) => {
    carrier.methods.length = 0;
    const abort = new AbortController();
    const calling = pbx.target.callThrough(
      requestTo(`+15557654${digits}`, { ringMs: 20_000, talkMs: 20_000 }),
      abort.signal,
    );
    const failed = calling.catch((error: unknown) => error);
    await got(digits === '200' ? 'ACK' : 'INVITE');
    abort.abort();
    expect(await failed).toMatchObject({ outcome: 'interrupted' });
    await noneStands();
    await got(digits === '200' ? 'BYE' : 'CANCEL');
  }, 30_000);

  it('refuses a number that would be more than a number', async () => {
    const error = await call('+1555&PJSIP/x').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SipctlError);
    expect(error).toMatchObject({ outcome: 'invalid' });
  });

  it('sends nothing over a trunk that is not there', async () => {
    const trunk = { ...requestTo('').trunk, id: 'acme.nobody' };
    expect(await call('+15557654200', { trunk })).toMatchObject({
      outcome: 'not-sent',
      answered: false,
      sipStatus: null,
    });
  });

  it('has failed to register where the carrier says nothing', async () => {
    const { registration, callable } = await becomes('mute', 'failed');
    expect(registration.statusCode).toBeNull();
    expect(callable).toBe(false);
  }, 90_000);

  it('knows where a user is registered', async () => {
    const { user, host, port } = pbx.phones;
    const ann = { id: user, username: 'ann', domain: 'acme.example' };
    expect(await pbx.target.userState({ ...ann, id: 'bob@acme.example', username: 'bob' })).toBeNull();
    expect(await pbx.target.userState(ann)).toEqual({ id: user, contacts: [] });
    const phone = await RawPhone.open(otherAddress(host));
    try {
      const account = { user: 'ann', domain: 'acme.example', password: 'of ann' };
      expect(await phone.register({ host, port }, account)).toBe(200);
      await expect
        .poll(async () => (await pbx.target.userState(ann))?.contacts, { timeout: 10_000 })
        .toMatchObject([{ uri: expect.stringContaining(`sip:ann@${phone.host}:${phone.port}`) }]);
      const [contact] = (await pbx.target.userState(ann))?.contacts ?? [];
      expect(contact?.expiresInSeconds).toBeGreaterThan(60);
      expect(contact?.expiresInSeconds).toBeLessThan(200);
      if (pbx.tells.fresh) expect(contact).toMatchObject({ state: 'reachable', rttMs: expect.any(Number) });
    } finally {
      phone.close();
    }
  }, 30_000);

  it('has a carrier that answers', async () => {
    await expect
      .poll(async () => (await state('good'))?.qualify, { timeout: 80_000, interval: 300 })
      .toEqual({ state: 'reachable', rttMs: expect.any(Number), fresh: pbx.tells.fresh });
  }, 90_000);

  it('is not reached where the carrier falls silent', async () => {
    carrier.silent = true;
    await expect
      .poll(async () => (await state('peer'))?.qualify.state, { timeout: 100_000, interval: 500 })
      .toBe('unreachable');
    expect((await state('peer'))?.callable).toBe(false);
    const trunk = { ...requestTo('').trunk, id: 'acme.peer' };
    expect(await call('+15557654200', { trunk })).toMatchObject({ outcome: 'not-sent' });
  }, 120_000);
}

describe('a trunk as seen from the PBX', () => {
  describeAsterisk('trunks', ({ version, start }) => {
    let weak: Target;
    let deaf: Target;
    cases(async () => {
      const asterisk = await start();
      const box = await attach(asterisk);
      const { target } = await liveNode(asterisk, 'test');
      await addManagerUser(asterisk, 'caller', 'config,system,originate');
      deaf = (await liveNode(asterisk, 'test', { amiUser: 'caller' })).target;
      weak = (await liveNode(asterisk, 'test', { amiUser: 'sipctl' })).target;
      const channels = () =>
        withManager(asterisk, async (ami) => (await ami.list('CoreShowChannels')).length);
      const tells = { sipStatus: version !== '16', registrationStatus: false, fresh: true, codec: 'alaw' };
      const phones = { host: asterisk.host, port: asterisk.sip.udp, user: 'ann@acme.example' };
      return { target, box, channels, tells, phones, host: asterisk.host };
    });

    it('shows its networks', async () => {
      expect((await weak.trunkState('acme', 'peer'))?.networks).toEqual(['192.0.2.0/28', '198.51.100.7']);
    });

    it('makes no call for a manager user who may not call, or not watch', async () => {
      for (const [target, right] of [
        [weak, 'write=originate'],
        [deaf, 'read=call'],
      ] as const) {
        const error = await target.callThrough(requestTo('+15557654200')).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ outcome: 'refused' });
        expect((error as SipctlError).message).toContain(right);
      }
    });
  });

  describeFreeswitch('trunks', (start) => {
    cases(async () => {
      const freeswitch = await start(shippedShape);
      const box = await attachFreeswitch(freeswitch);
      const { esl, conf, host } = freeswitch;
      const node = nodeWith({
        ...{ kind: 'freeswitch', dir: conf, esl: `${esl.host}:${esl.port}` },
        eslPassword: new Secret(esl.password),
      });
      const now = () => new Date();
      const files = localGenerations(conf, { now });
      const target = await freeSwitchTarget(node, {
        files,
        catalog: await shippedCatalog(),
        sipctlVersion: '0.0.0',
        now,
      });
      const connection = await connectTo(freeswitch);
      const channels = async () => (await show((command) => connection.api(command), 'channels')).length;
      const tells = { sipStatus: true, registrationStatus: true, fresh: false, codec: 'PCMA' };
      const phones = { host, port: phonePort, user: 'ann@acme.example' };
      return { target, box, channels, tells, phones, host };
    });
  });
});
