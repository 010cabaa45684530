import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SipctlError } from '../../../src/errors.ts';
import { Secret } from '../../../src/model/secret.ts';
import type { TwilioAccess } from '../../../src/platforms/twilio/client.ts';
import { twilioView } from '../../../src/platforms/twilio/view.ts';
import { foreignNumber, freeNumbers } from '../../support/twilio/account.ts';
import { misbehaviours } from '../../support/twilio/faults.ts';
import { remember } from '../../support/twilio/foreign.ts';
import { Refused } from '../../support/twilio/refused.ts';
import { startTwilio, type TwilioServer } from '../../support/twilio/server.ts';
import { accountOf, hasty, provisioned } from './provisioned.ts';

async function started(): Promise<TwilioServer> {
  const server = await startTwilio();
  onTestFinished(() => server.close());
  return server;
}

const viewOf = ({ url, account }: TwilioServer, changes: Partial<TwilioAccess['account']> = {}) =>
  twilioView({ account: { ...accountOf(account), ...changes }, api: url, patience: hasty() });

/** The error of what was asked in vain. */
async function errorOf(asked: Promise<unknown>): Promise<SipctlError> {
  const error = await asked.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SipctlError)) throw new Error(`no error that people understand: ${inspect(error)}`);
  return error;
}

describe('an account at Twilio', () => {
  it('is known by its auth token, and by an API key', async () => {
    const server = await started();
    const facts = { sid: server.account.sid, friendlyName: 'Example GmbH', status: 'active' };
    expect(await viewOf(server).verify()).toMatchObject(facts);
    const key = { apiKey: server.account.apiKey, apiSecret: new Secret(server.account.apiSecret) };
    expect(await viewOf(server, { ...key, authToken: null }).verify()).toMatchObject(facts);
  });

  it('is also verified by a key that may not read it', async () => {
    const server = await started();
    const key = { apiKey: server.account.apiKey, apiSecret: new Secret(server.account.apiSecret) };
    const closed = { route: /^GET \/2010-04-01\/Accounts\/AC\w+\.json$/, does: misbehaviours['401'] };
    server.fault(closed);
    expect(await viewOf(server, key).verify()).toEqual({
      sid: server.account.sid,
      friendlyName: null,
      status: null,
      type: null,
    });
    // The auth token of the account may: it is wrong where it does not.
    server.fault(closed);
    expect(await errorOf(viewOf(server).verify())).toMatchObject({ outcome: 'refused' });
  });

  it('is denied without a word of the token', async () => {
    const server = await started();
    const token = '0123456789abcdef0123456789abcdef';
    const error = await errorOf(viewOf(server, { authToken: new Secret(token) }).verify());
    expect(error).toMatchObject({
      outcome: 'refused',
      problems: [
        {
          code: 'twilio_denied',
          message: expect.stringContaining(server.account.sid),
          hint: expect.stringContaining('https://www.twilio.com/docs/api/errors/20003'),
        },
      ],
    });
    const told = inspect(error, { depth: 20, showHidden: true });
    expect(told).not.toContain(token);
    expect(told).not.toContain(Buffer.from(`${server.account.sid}:${token}`).toString('base64'));
  });

  it('that cannot be reached is told without a word of the token', async () => {
    const server = await started();
    const { account } = server;
    await server.close();
    for (const ask of ['verify', 'numbers', 'leftovers'] as const) {
      const error = await errorOf(viewOf(server)[ask]());
      expect(error).toMatchObject({ outcome: 'unreachable', problems: [{ code: 'twilio_no_answer' }] });
      const told = inspect(error, { depth: 20, showHidden: true });
      expect(told).not.toContain(account.authToken);
      expect(told).not.toContain(Buffer.from(`${account.sid}:${account.authToken}`).toString('base64'));
    }
  });

  it('that says the token again is not believed', async () => {
    const server = await started();
    const { authToken } = server.account;
    const does = { ...misbehaviours['401'], refused: new Refused(400, 20001, `${authToken} is odd`) };
    server.fault({ does });
    const error = await errorOf(viewOf(server).numbers());
    expect(error.message).toContain('[secret] is odd');
  });

  it('that is silent is waited for so long, or until it is interrupted', async () => {
    const server = await started();
    server.fault({ does: misbehaviours['no answer, nothing done'], times: 99 });
    const silent = await errorOf(viewOf(server).numbers());
    expect(silent).toMatchObject({
      outcome: 'unreachable',
      message: expect.stringMatching(/did not answer within 0\.3 s$/),
    });
    expect(server.exchanges).toHaveLength(4);
    const patience = { ...hasty(), timeoutMs: 60_000 };
    const view = twilioView({ account: accountOf(server.account), api: server.url, patience });
    const ending = new AbortController();
    const asked = errorOf(view.numbers(ending.signal));
    await expect.poll(() => server.exchanges.length).toBe(5);
    ending.abort();
    expect(await asked).toMatchObject({ outcome: 'interrupted' });
  });

  it('needs credentials, and an address that they may be sent to', () => {
    const account = { name: 'main', accountSid: 'AC', authToken: null, apiKey: 'SK', apiSecret: null };
    expect(() => twilioView({ account })).toThrow(SipctlError);
    const authToken = new Secret('token');
    for (const api of ['http://twilio.example.com', 'http://127.example.com', 'https://a@b.example.com', 'x'])
      expect(() => twilioView({ account: { ...account, authToken }, api }), api).toThrow(SipctlError);
    for (const api of ['https://proxy.example.com', 'http://127.0.0.1:4010'])
      expect(() => twilioView({ account: { ...account, authToken }, api }), api).not.toThrow();
  });

  it('shows its numbers, and where they are attached', async () => {
    const server = await started();
    const numbers = await viewOf(server).numbers();
    const [office] = server.account.trunks;
    expect(numbers.map(({ number, trunkId }) => [number, trunkId])).toEqual([
      [foreignNumber, office?.sid],
      ...freeNumbers.map((free) => [free, null]),
    ]);
  });
});

describe('recordings at Twilio', () => {
  it('are listed, all or of one call, and fetched', async () => {
    const server = await started();
    const view = viewOf(server);
    const [recording] = server.account.recordings;
    if (recording === undefined) throw new Error('the account has no recording');
    const all = await view.recordings({ call: null, limit: 10 });
    expect(all).toMatchObject([{ id: recording.sid, call: recording.callSid, seconds: 4, channels: 1 }]);
    expect(await view.recordings({ call: recording.callSid, limit: 10 })).toEqual(all);
    expect(await view.recordings({ call: `CA${'0'.repeat(32)}`, limit: 10 })).toEqual([]);
    const pieces: Buffer[] = [];
    const bytes = await view.fetchRecording(recording.sid, async (piece) => void pieces.push(piece));
    expect(Buffer.concat(pieces)).toEqual(recording.audio);
    expect(bytes).toBe(recording.audio.length);
    expect(server.violations).toEqual([]);
  });

  it('are fetched again where Twilio failed, and missed where there are none', async () => {
    const server = await started();
    const [recording] = server.account.recordings;
    const take = async () => undefined;
    server.fault({ route: /Recordings/, does: misbehaviours['503'] });
    expect(await viewOf(server).fetchRecording(recording?.sid ?? '', take)).toBe(recording?.audio.length);
    const missing = await errorOf(viewOf(server).fetchRecording(`RE${'0'.repeat(32)}`, take));
    expect(missing).toMatchObject({ outcome: 'notFound' });
    const stranger = viewOf(server, { authToken: new Secret('f'.repeat(32)) });
    expect(await errorOf(stranger.fetchRecording(recording?.sid ?? '', take))).toMatchObject({
      outcome: 'refused',
    });
  });
});

describe('what bears a name of sipctl at Twilio', () => {
  it('is found, and goes one by one', async () => {
    const site = await provisioned();
    await site.ensure();
    const { account } = site.server;
    const [number] = account.numbers.filter(({ phoneNumber }) => phoneNumber === freeNumbers[0]);
    if (number === undefined) throw new Error('there is no such number');
    number.trunkSid = null;
    const view = viewOf(site.server);
    const found = await view.leftovers();
    expect(found.map(({ kind, name }) => [kind, name])).toEqual([
      ['trunk', 'main-trunk-acme-1500000000'],
      ['trunk', 'main-trunk-acme-1700000000000'],
      ['credential-list', 'main-trunk-acme-1500000000'],
      ['credential-list', 'main-trunk-acme-1700000000000'],
    ]);
    const [, trunk, , list] = found;
    if (trunk === undefined || list === undefined) throw new Error('nothing was found');
    expect(await errorOf(view.removeLeftover(list))).toMatchObject({ problems: [{ code: 'twilio_in_use' }] });
    await view.removeLeftover(trunk);
    await view.removeLeftover(list);
    expect(site.since.made()).toMatchObject({ trunks: [], credentialLists: [] });
    expect(site.since.now()).toEqual(site.since.before);
    // Gone already is as good as gone.
    await view.removeLeftover(trunk);
    await view.removeLeftover(list);
  });

  it('stays where it is in use, or is called otherwise by now', async () => {
    const site = await provisioned();
    await site.ensure();
    const since = remember(site.server.account);
    const view = viewOf(site.server);
    const found = await view.leftovers();
    const [former, own] = found.filter(({ kind }) => kind === 'trunk');
    if (former === undefined || own === undefined) throw new Error('nothing was found');
    const withNumber = await errorOf(view.removeLeftover(own));
    expect(withNumber).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining(freeNumbers[0]),
    });
    // An origination URL that somebody entered.
    expect(await errorOf(view.removeLeftover(former))).toMatchObject({
      problems: [{ code: 'twilio_in_use' }],
    });
    const office = site.server.account.trunks[0];
    const renamed = await errorOf(view.removeLeftover({ ...own, id: office?.sid ?? '' }));
    expect(renamed).toMatchObject({ problems: [{ code: 'twilio_renamed' }] });
    expect(since.now()).toEqual(since.before);
  });
});
