import { afterEach, describe, expect, it } from 'vitest';
import type { LiveChange } from '../../../../src/model/live/changes.ts';
import type { Node } from '../../../../src/model/nouns.ts';
import { Secret } from '../../../../src/model/secret.ts';
import { openControl } from '../../../../src/platforms/asterisk/live/open-control.ts';
import { defaultTimeouts } from '../../../../src/platforms/asterisk/timeouts.ts';
import type { ControlPlane } from '../../../../src/platforms/control-plane.ts';
import { type AmiServer, message, type ReceivedAction, startAmiServer } from '../../../support/ami-server.ts';

const open: { plane?: ControlPlane; server?: AmiServer } = {};
afterEach(async () => {
  await open.plane?.close();
  await open.server?.close();
  delete open.plane;
  delete open.server;
});

const event = (fields: Record<string, string>): string =>
  `${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

const list = (action: ReceivedAction, items: readonly Record<string, string>[]): string =>
  message(action, 'Response: Success', 'EventList: start', 'Message: List follows') +
  items.map((item) => event({ ...item, ActionID: action.id })).join('') +
  event({ Event: 'ListComplete', ActionID: action.id, EventList: 'Complete' });

const actions = [
  ...['Status', 'CoreStatus', 'CoreSettings', 'PJSIPShowRegistrationsOutbound', 'PJSIPShowAors'],
  ...['PJSIPShowEndpoints', 'PJSIPShowContacts'],
];

const ann = 'PJSIP/ann@acme.example-00000001';
const up = {
  ChannelState: '6',
  AccountCode: 'acme',
  Application: 'Dial',
  Nativeformats: '(ulaw)',
  BridgeID: 'b1',
};
const annUp = {
  ...up,
  Event: 'Status',
  Channel: ann,
  Uniqueid: '1.1',
  Linkedid: '1.1',
  DNID: '1002',
  CallerIDNum: '1001',
};

interface Script {
  /** What manager.conf has for the user. */
  read?: string;
  /** Actions that the user lacks. */
  lacks?: readonly string[];
  booted?: boolean;
  status?: readonly Record<string, string>[];
  answer?: (action: ReceivedAction) => string | undefined;
}

/** An Asterisk with a trunk that registers and one user, and the session at it. */
async function session(
  script: Script = {},
  events = true,
): Promise<{ plane: ControlPlane; server: AmiServer }> {
  const { read = 'system,call', lacks = [], booted = true, status = [annUp], answer } = script;
  const server = await startAmiServer({
    answer: (action) => {
      const own = answer?.(action);
      if (own !== undefined) return own;
      if (lacks.includes(action.name))
        return message(action, 'Response: Error', 'Message: Permission denied');
      switch (action.name) {
        case 'ListCommands':
          return message(
            action,
            'Response: Success',
            ...actions.filter((one) => !lacks.includes(one)).map((one) => `${one}: It  (Priv: system,all)`),
          );
        case 'Ping':
          return (
            (booted ? event({ Event: 'FullyBooted', Privilege: 'system,all' }) : '') +
            message(action, 'Response: Success', 'Ping: Pong')
          );
        case 'GetConfig':
          return message(
            action,
            'Response: Success',
            'Category-000000: sipctl',
            `Line-000000-000001: read=${read}`,
          );
        case 'CoreSettings':
          return message(action, 'Response: Success', 'AsteriskVersion: 22.1.0');
        case 'CoreStatus':
          return message(
            action,
            'Response: Success',
            'CoreStartupDate: 2026-01-01',
            'CoreStartupTime: 10:00:00',
          );
        case 'Status': {
          const channel = action.get('Channel');
          const found = status.filter(({ Uniqueid }) => channel === undefined || channel === Uniqueid);
          return found.length === 0 && channel !== undefined
            ? message(action, 'Response: Error', 'Message: No such channel')
            : list(action, found);
        }
        case 'PJSIPShowRegistrationsOutbound':
          return list(action, [
            {
              ...{ Event: 'OutboundRegistrationDetail', ObjectType: 'registration', ObjectName: 'acme.main' },
              ...{
                ClientUri: 'sip:a@carrier.example',
                ServerUri: 'sip:carrier.example',
                Status: 'Registered',
              },
            },
          ]);
        case 'PJSIPShowAors':
          return list(action, [
            {
              ObjectName: 'acme.main',
              MaxContacts: '0',
              Contacts: 'acme.main/sip:c',
              QualifyFrequency: '60',
              Event: 'AorList',
            },
            { ObjectName: 'ann@acme.example', MaxContacts: '2', Contacts: 'x', Event: 'AorList' },
          ]);
        case 'PJSIPShowEndpoints':
          return list(action, [
            { ObjectName: 'acme.main', DeviceState: 'Not in use', Event: 'EndpointList' },
          ]);
        case 'PJSIPShowContacts':
          return list(action, [{ Endpoint: 'ann@acme.example', Uri: 'sip:1', Event: 'ContactList' }]);
        case 'DeviceStateList':
          return list(action, []);
        default:
          return undefined;
      }
    },
  });
  open.server = server;
  const node = {
    ...{
      name: 'pbx1',
      ami: `${server.host}:${server.port}`,
      amiUser: 'sipctl',
      amiSecret: new Secret('s3cret'),
    },
    ...{ amiTls: false, amiCa: null },
  };
  const plane = await openControl(node as unknown as Node, defaultTimeouts, { events });
  open.plane = plane;
  return { plane, server };
}

/** The next changes of a session. */
async function next(plane: AsyncIterator<LiveChange[]>, count: number): Promise<LiveChange[]> {
  const changes: LiveChange[] = [];
  while (changes.length < count) {
    const { done, value } = await plane.next();
    if (done === true) break;
    changes.push(...value);
  }
  return changes;
}

describe('a session', () => {
  it('says which Asterisk it is, and when that was started', async () => {
    const { plane } = await session();
    expect(plane.engine).toEqual({ kind: 'asterisk', version: '22.1.0' });
    expect(plane.boot).toBe('2026-01-01 10:00:00');
  });

  it.each([
    [{ booted: false, read: '' }, 'read=system,call'],
    [{ read: 'system' }, 'read=call'],
    [{ lacks: ['PJSIPShowContacts'] }, 'PJSIPShowContacts needs write=system'],
  ])('is refused with the right that is missing: %j', async (script, words) => {
    const refusal = await session(script).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ outcome: 'refused', message: expect.stringContaining(words) });
    expect(refusal).toMatchObject({ problems: [{ hint: expect.stringContaining('[sipctl]') }] });
  });

  it('needs no events for its verbs', async () => {
    const { plane } = await session({ booted: false, read: '' }, false);
    expect(await plane.legs()).toHaveLength(1);
  });

  it('reads manager.conf no further than it may', async () => {
    const { plane } = await session({ lacks: ['GetConfig'] });
    expect(await plane.legs()).toHaveLength(1);
  });
});

describe('what goes on', () => {
  it('is told from the opening on', async () => {
    const { plane, server } = await session();
    await plane.legs();
    await plane.standings();
    const held = { ...annUp, Event: 'Hold' };
    server.peers.at(-1)?.send(event(held) + event({ ...annUp, Event: 'Hangup', Cause: '16' }));
    expect(await next(plane.changes(), 2)).toMatchObject([
      { kind: 'leg', id: '1.1', facts: { state: 'held' } },
      { kind: 'leg-ended', id: '1.1', end: { q850: 16 } },
    ]);
  });

  it('ends with an error where the connection is lost', async () => {
    const { plane, server } = await session();
    const changes = plane.changes();
    server.peers.at(-1)?.socket.destroy();
    await expect(next(changes, 1)).rejects.toMatchObject({ outcome: 'unreachable' });
  });

  it('tells how trunks and users stand, and of each change', async () => {
    const { plane, server } = await session();
    expect(await plane.standings()).toEqual({
      trunks: [
        {
          endpoint: 'acme.main',
          registration: 'registered',
          reachable: true,
          rttMs: null,
          detail: 'Registered',
        },
      ],
      users: [{ endpoint: 'ann@acme.example', contacts: 1 }],
    });
    const contact = (name: string, status: string, uri: string) =>
      event({
        Event: 'ContactStatus',
        EndpointName: name,
        ContactStatus: status,
        URI: uri,
        RoundtripUsec: '1500',
      });
    const account = { Username: 'sip:a@carrier.example', Domain: 'sip:carrier.example' };
    server.peers
      .at(-1)
      ?.send(
        contact('ann@acme.example', 'NonQualified', 'sip:2') +
          contact('ann@acme.example', 'Removed', 'sip:1') +
          event({ Event: 'Registry', ...account, Status: 'Rejected' }) +
          contact('acme.main', 'Unreachable', 'sip:c') +
          contact('acme.main', 'Reachable', 'sip:c'),
      );
    const word = (one: LiveChange) => (one.kind === 'trunk' ? one.facts : null);
    const changes = await next(plane.changes(), 5);
    expect(changes.slice(0, 2)).toMatchObject([{ facts: { contacts: 2 } }, { facts: { contacts: 1 } }]);
    expect(changes.slice(2).map(word)).toMatchObject([
      { registration: 'rejected', reachable: true },
      { registration: 'failed', reachable: false },
      { registration: 'rejected', reachable: true, rttMs: 1.5 },
    ]);
  });
});

describe('a snapshot of channels', () => {
  it('knows who called, since when, and over which number', async () => {
    const start = Math.floor(Date.now() / 1000) - 5;
    const times = (answer: number) => ({
      Seconds: '5',
      Variable: `CDR(start,u)=${start}.250000\r\nVariable: CDR(answer,u)=${answer}.750000`,
    });
    const carrier = 'PJSIP/acme.main-00000002';
    const { plane } = await session({
      status: [
        { ...annUp, ...times(start + 2), Data: 'PJSIP/+4912345@acme.main,60,b(x)' },
        {
          ...up,
          Event: 'Status',
          Channel: carrier,
          Uniqueid: '1.2',
          Linkedid: '1.1',
          DNID: '',
          CallerIDNum: 's',
          Application: 'AppDial',
        },
        { ...up, Event: 'Status', Channel: 'Local/1@x-00000001;1', Uniqueid: '1.3', Linkedid: '1.1' },
      ],
    });
    expect(await plane.legs()).toMatchObject([
      {
        way: 'in',
        dialled: '1002',
        startedAt: start * 1000 + 250,
        answeredAt: (start + 2) * 1000 + 750,
        codec: 'ulaw',
      },
      { way: 'out', dialled: null, number: '+4912345', endpoint: 'acme.main', callId: '1.1' },
    ]);
  });
});

describe('verbs', () => {
  const leg = { id: '1.1', channel: ann };

  it('say which class of rights they need', async () => {
    const { plane } = await session({ lacks: ['PlayDTMF', 'MixMonitor', 'Originate', 'Getvar'] }, false);
    await expect(plane.dtmf(leg, '1')).rejects.toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('write=call'),
    });
    await expect(plane.startRecording(leg, 'x.wav')).rejects.toMatchObject({
      message: expect.stringContaining('write=system'),
    });
  });

  it('do not find what is gone', async () => {
    const { plane } = await session({}, false);
    await expect(plane.hangup({ id: '9.9', channel: 'PJSIP/x-00000009' }, 16)).rejects.toMatchObject({
      outcome: 'notFound',
    });
  });

  it('do not believe a success', async () => {
    const done = (action: ReceivedAction): string | undefined =>
      ['Hangup', 'Redirect', 'MixMonitor', 'Setvar'].includes(action.name)
        ? message(action, 'Response: Success', 'Message: Done')
        : action.name === 'Getvar'
          ? message(action, 'Response: Success', 'Value: 1')
          : undefined;
    const { plane } = await session({ answer: done }, false);
    const failed = { outcome: 'failed' };
    await Promise.all([
      expect(plane.hangup(leg, 16)).rejects.toMatchObject(failed),
      expect(plane.hold(leg, null)).rejects.toMatchObject(failed),
      expect(plane.startRecording(leg, 'x.wav')).rejects.toMatchObject(failed),
    ]);
  });

  it('hold nobody where the dialplan lacks the place for it', async () => {
    const none = (action: ReceivedAction): string | undefined =>
      action.name === 'Getvar' ? message(action, 'Response: Success', 'Value: 0') : undefined;
    const { plane, server } = await session({ answer: none }, false);
    await expect(plane.hold(leg, null)).rejects.toMatchObject({
      outcome: 'refused',
      problems: [{ hint: expect.stringContaining('apply') }],
    });
    expect(server.actions.map(({ name }) => name)).not.toContain('Redirect');
  });

  it('dial nothing that is another argument to Asterisk', async () => {
    const { plane, server } = await session({}, false);
    await expect(plane.transfer(leg, { tenant: 'acme', dialled: '1002)&System(x' })).rejects.toMatchObject({
      outcome: 'invalid',
    });
    expect(server.actions.map(({ name }) => name)).not.toContain('Redirect');
  });
});
