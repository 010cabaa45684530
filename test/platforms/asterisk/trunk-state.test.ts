import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/model/secret.ts';
import { defaultTimeouts } from '../../../src/platforms/asterisk/timeouts.ts';
import { trunkState, userState } from '../../../src/platforms/asterisk/trunk-state.ts';
import { nodeWith } from '../../live/live-node.ts';
import { event, secretText, serverOf } from '../../support/ami-client.ts';
import { type AmiServer, message, type ReceivedAction } from '../../support/ami-server.ts';
import { errorOf } from '../../support/control-client.ts';

type Fields = Readonly<Record<string, string>>;

/** What an Asterisk shows; left out: there is none. */
interface Shown {
  registration?: Fields;
  endpoint?: Fields;
  aor?: Fields;
  /** One after the other, as often as it is asked; the last one stays. */
  contacts?: readonly Fields[];
  identify?: Fields;
  /** What PJSIPQualify says. */
  qualify?: string;
}

const lines = (fields: Fields): string[] =>
  Object.entries(fields).map(([name, value]) => `${name}: ${value}`);

function list(action: ReceivedAction, items: readonly [name: string, fields: Fields][]): string {
  const tag = `ActionID: ${action.id}`;
  return [
    message(action, 'Response: Success', 'EventList: start'),
    ...items.map(([name, fields]) => event(name, tag, ...lines(fields))),
    event('ListComplete', tag, 'EventList: Complete'),
  ].join('');
}

function asterisk(shown: Shown): Promise<AmiServer> {
  let looks = 0;
  return serverOf({
    answer: (action) => {
      const named = { ObjectName: 'acme.main' };
      if (action.name === 'PJSIPShowRegistrationsOutbound')
        return list(action, [
          [
            'OutboundRegistrationDetail',
            { ObjectType: 'registration', ObjectName: 'other', Status: 'Registered' },
          ],
          ...(shown.registration === undefined
            ? []
            : ([
                [
                  'OutboundRegistrationDetail',
                  { ObjectType: 'registration', ...named, ...shown.registration },
                ],
                ['AuthDetail', { ObjectType: 'auth', ...named, Password: 'never shown' }],
              ] as [string, Fields][])),
        ]);
      if (action.name === 'PJSIPQualify')
        return message(action, ...((shown.qualify ?? 'Response: Success').split('\n') as [string]));
      if (action.name !== 'PJSIPShowEndpoint') return undefined;
      if (shown.endpoint === undefined)
        return message(action, 'Response: Error', 'Message: Unable to retrieve endpoint acme.main');
      const contact = shown.contacts?.[Math.min(looks, shown.contacts.length - 1)];
      looks += 1;
      return list(action, [
        ['EndpointDetail', { ...named, DeviceState: 'Not in use', ...shown.endpoint }],
        ...(shown.aor === undefined ? [] : [['AorDetail', { ...named, ...shown.aor }] as [string, Fields]]),
        ...(contact === undefined ? [] : [['ContactStatusDetail', contact] as [string, Fields]]),
        ...(shown.identify === undefined
          ? []
          : [['IdentifyDetail', { ...named, ...shown.identify }] as [string, Fields]]),
      ]);
    },
  });
}

const nodeAt = ({ host, port }: AmiServer) =>
  nodeWith({ ami: `${host}:${port}`, amiUser: 'sipctl', amiSecret: new Secret(secretText) });

const stateOf = (server: AmiServer, signal?: AbortSignal) =>
  trunkState(nodeAt(server), defaultTimeouts, { tenant: 'acme', trunk: 'main' }, { signal });

const asked = { QualifyFrequency: '60', QualifyTimeout: '0.200000' };
const reachable = { URI: 'sip:carrier.test', Status: 'Reachable', RoundtripUsec: '12500' };
const unreachable = { URI: 'sip:carrier.test', Status: 'Unreachable', RoundtripUsec: 'N/A' };

describe('a trunk as Asterisk shows it', () => {
  it.each([
    ['Registered', '240', unreachable, 'registered', 240],
    ['Unregistered', '0', unreachable, 'unregistered', null],
    ['Stopped', '0', unreachable, 'unregistered', null],
    ['Rejected', '60', unreachable, 'failed', 60],
    // The carrier is there: then it refused.
    ['Rejected', '60', reachable, 'rejected', 60],
  ])('%s, next in %s, %o', async (Status, NextReg, contact, state, nextInSeconds) => {
    const server = await asterisk({
      ...{ registration: { Status, NextReg }, endpoint: {}, aor: asked, contacts: [contact] },
    });
    const found = await stateOf(server);
    expect(found?.registration).toEqual({ state, statusCode: null, nextInSeconds, detail: Status });
    expect(JSON.stringify(found)).not.toContain('never shown');
  });

  it('is asked anew, and its new answer is read', async () => {
    const later = { ...reachable, RoundtripUsec: '900' };
    const contacts = [reachable, reachable, reachable, later];
    const server = await asterisk({ endpoint: {}, aor: { ...asked, QualifyTimeout: '3.000000' }, contacts });
    expect((await stateOf(server))?.qualify).toEqual({ state: 'reachable', rttMs: 0.9, fresh: true });
    expect(server.actions.filter(({ name }) => name === 'PJSIPQualify')).toHaveLength(1);
  });

  it('stays unreachable once it had its time', async () => {
    const server = await asterisk({
      endpoint: { DeviceState: 'Unavailable' },
      aor: asked,
      contacts: [unreachable],
    });
    expect(await stateOf(server)).toMatchObject({
      callable: false,
      qualify: { state: 'unreachable', rttMs: null, fresh: true },
    });
  });

  it('is not asked anew for a manager user who may not ask', async () => {
    const qualify = 'Response: Error\nMessage: Permission denied';
    const server = await asterisk({ endpoint: {}, aor: asked, contacts: [reachable], qualify });
    expect((await stateOf(server))?.qualify).toEqual({ state: 'reachable', rttMs: 12.5, fresh: false });
  });

  it('is not asked where nobody wants to know', async () => {
    const contacts = [{ ...unreachable, Status: 'NonQualified' }];
    const server = await asterisk({ endpoint: {}, aor: { QualifyFrequency: '0' }, contacts });
    expect(await stateOf(server)).toMatchObject({
      callable: true,
      qualify: { state: 'off', rttMs: null, fresh: false },
    });
    expect(server.actions.filter(({ name }) => name === 'PJSIPQualify')).toEqual([]);
  });

  it('has networks as people write them', async () => {
    const Match =
      '192.0.2.0/255.255.255.240,198.51.100.7/255.255.255.255,2001:db8::/ffff:ffff::,carrier.test';
    const server = await asterisk({ endpoint: {}, identify: { Match } });
    expect((await stateOf(server))?.networks).toEqual([
      ...['192.0.2.0/28', '198.51.100.7', '2001:db8::/32', 'carrier.test'],
    ]);
  });

  it('is there with its registration alone, and takes no call', async () => {
    const server = await asterisk({ registration: { Status: 'Registered' } });
    expect(await stateOf(server)).toMatchObject({
      ...{
        callable: false,
        registration: { state: 'registered' },
        qualify: { state: 'unknown' },
        networks: [],
      },
    });
  });

  it('is not there', async () => {
    expect(await stateOf(await asterisk({}))).toBeNull();
  });

  it('is not waited for once it was interrupted', async () => {
    const abort = new AbortController();
    const server = await serverOf({
      answer: ({ name }) => {
        if (!name.startsWith('PJSIP')) return undefined;
        abort.abort();
        return null;
      },
    });
    expect((await errorOf(stateOf(server, abort.signal))).outcome).toBe('interrupted');
  });
});

describe('a user as Asterisk shows it', () => {
  it('has its phone', async () => {
    const RegExpire = String(Math.round(Date.now() / 1000) + 3600);
    const phone = { ...reachable, UserAgent: 'Phone', RegExpire };
    const server = await asterisk({ endpoint: {}, aor: asked, contacts: [phone] });
    const found = await userState(nodeAt(server), defaultTimeouts, {
      ...{ id: 'acme.main', username: 'main', domain: null },
    });
    expect(found?.contacts).toEqual([
      {
        ...{ uri: 'sip:carrier.test', userAgent: 'Phone', state: 'reachable', rttMs: 12.5 },
        expiresInSeconds: expect.any(Number),
      },
    ]);
    expect(Math.abs((found?.contacts[0]?.expiresInSeconds ?? 0) - 3600)).toBeLessThan(60);
  });
});
