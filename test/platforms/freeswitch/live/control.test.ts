import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/model/secret.ts';
import type { ControlPlane } from '../../../../src/platforms/control-plane.ts';
import { openControl } from '../../../../src/platforms/freeswitch/live/control.ts';
import { defaultTimeouts } from '../../../../src/platforms/freeswitch/timeouts.ts';
import { nodeWith } from '../../../live/live-node.ts';
import { ends, errorOf } from '../../../support/control-client.ts';
import { serverOf } from '../../../support/esl-client.ts';
import { type EslServer, event, printed } from '../../../support/esl-server.ts';

const leg = { id: '00000001-0000-4000-8000-000000000000', channel: 'sofia/internal/ann@acme.sip.example' };

/** A channel that stays as it is, whatever is done with it. */
const dump = (more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    ...{ 'Event-Name': 'CHANNEL_DATA', 'Unique-ID': leg.id, 'Channel-Name': leg.channel },
    ...{ 'Answer-State': 'answered', 'Channel-Call-State': 'ACTIVE', 'Call-Direction': 'inbound' },
    variable_signal_bond: '00000002-0000-4000-8000-000000000000',
    ...more,
  });

const extensions = `<context name="t-acme.extensions">
  <extension name="users"><condition field="destination_number" expression="^(1001|1002)$"></condition></extension>
</context>
`;

const usual = (command: string): string | undefined => {
  const [name = ''] = command.split(' ');
  if (command === 'version short') return '1.10.12\n';
  if (command === 'global_getvar core_uuid') return 'c1f2ba52-9b99-4c1f-a56a-14c645e6b6f2';
  if (command === 'global_getvar recordings_dir') return '/var/recordings';
  if (name === 'uuid_dump') return dump();
  if (name === 'uuid_buglist') return '<media-bugs>\n</media-bugs>\n';
  if (name === 'module_exists') return 'false';
  if (command.startsWith('xml_locate'))
    return command.includes("'t-acme.extensions'") ? extensions : "can't find anything\n";
  return name.startsWith('uuid_') ? '+OK\n' : undefined;
};

async function freeSwitch(
  answers: (command: string) => string | undefined = () => undefined,
): Promise<{ server: EslServer; plane: ControlPlane }> {
  const server = await serverOf({
    answer: ({ line }) => {
      if (!line.startsWith('api ')) return undefined;
      const command = line.slice(4);
      const text = answers(command) ?? usual(command);
      return text === undefined ? undefined : printed(text);
    },
  });
  const node = nodeWith({
    ...{ kind: 'freeswitch', esl: `${server.host}:${server.port}` },
    eslPassword: new Secret('s3cret'),
  });
  const plane = await openControl(node, defaultTimeouts, { events: false });
  ends.push(() => plane.close());
  return { server, plane };
}

const gone = (command: string): string | undefined =>
  /^uuid_(dump|kill)/.test(command) ? '-ERR No such channel!\n' : undefined;

describe('a verb that FreeSWITCH says yes to, and does not do', () => {
  it('is told to have failed', async () => {
    const { plane } = await freeSwitch();
    const verbs = {
      hangup: plane.hangup(leg, 16),
      transfer: plane.transfer(leg, { tenant: 'acme', dialled: '1002' }),
      hold: plane.hold(leg, null),
      mute: plane.mute(leg, true),
      record: plane.startRecording(leg, 'sipctl/acme/a.wav'),
    };
    const failed = { outcome: 'failed', problems: [{ code: 'not_done' }] };
    // At once: each waits for as long as FreeSWITCH is given.
    const ended = await Promise.all(
      Object.entries(verbs).map(async ([verb, work]) => [verb, await errorOf(work)] as const),
    );
    for (const [verb, error] of ended) expect(error, verb).toMatchObject(failed);
  });
});

describe('a verb that cannot be done', () => {
  it.each<[string, (plane: ControlPlane) => Promise<unknown>]>([
    ['hangup', (plane) => plane.hangup(leg, 16)],
    ['transfer', (plane) => plane.transfer(leg, { tenant: 'acme', dialled: '1002' })],
    ['hold', (plane) => plane.hold(leg, null)],
    ['mute', (plane) => plane.mute(leg, true)],
    ['dtmf', (plane) => plane.dtmf(leg, '1')],
    ['reject', (plane) => plane.reject(leg, 21)],
    ['park', (plane) => plane.park(leg, { seconds: 10 })],
    ['stop of a recording', (plane) => plane.stopRecording(leg)],
  ])('is not found where the channel is over: %s', async (_, verb) => {
    const { plane } = await freeSwitch(gone);
    expect(await errorOf(verb(plane))).toMatchObject({ outcome: 'notFound' });
  });

  it('says so before anything is done', async () => {
    const { server, plane } = await freeSwitch();
    const to = (dialled: string) => plane.transfer(leg, { tenant: 'acme', dialled });
    expect(await errorOf(to('1999'))).toMatchObject({ outcome: 'notFound' });
    // The tenant has no way out on this node.
    expect(await errorOf(to('+15557654321'))).toMatchObject({ outcome: 'refused' });
    expect(await errorOf(to('1002 XML other'))).toMatchObject({ outcome: 'invalid' });
    expect(await errorOf(plane.park(leg, { seconds: 10 }))).toMatchObject({ outcome: 'refused' });
    for (const path of ['/etc/x.wav', '../x.wav', 'a/../x.wav', "a'b.wav", 'a b.wav', '.hidden', ''])
      expect(await errorOf(plane.startRecording(leg, path)), path).toMatchObject({ outcome: 'invalid' });
    expect(server.lines.filter((line) => /uuid_(?:transfer|setvar|record)/.test(line))).toEqual([]);
  });
});

describe('the channels that there are', () => {
  it('are asked for again until FreeSWITCH’s table has all that it counts', async () => {
    let asked = 0;
    const { plane } = await freeSwitch((command) => {
      if (command === 'status')
        return 'FreeSWITCH (Version 1.10.12 64bit) is ready\n1 session(s) - peak 1\n1000 session(s) max\n';
      if (!command.startsWith('show channels')) return undefined;
      asked += 1;
      return asked < 3 ? '{"row_count": 0}' : JSON.stringify({ row_count: 1, rows: [{ uuid: leg.id }] });
    });
    expect(await plane.legs()).toMatchObject([{ id: leg.id, state: 'answered', recorded: false }]);
    expect(asked).toBe(3);
  });
});

describe('trunks and users', () => {
  it('are asked for where an event does not tell all, and a renewal asks nothing', async () => {
    const gateway = (state: string): string =>
      [
        '<gateway>',
        ...Object.entries({
          name: 'acme.main',
          profile: 'external',
          proxy: 'sip:c',
          username: 'a',
          state,
          status: 'DOWN',
          pingfreq: '0',
        }).map(([key, value]) => `  <${key}>${value}</${key}>`),
        '</gateway>',
        '',
      ].join('\n');
    const at = { 'Event-Date-Timestamp': '1800000000000000' };
    const registered = event('CUSTOM', {
      ...{ 'Event-Subclass': 'sofia::register', ...at, 'from-user': 'ann', 'from-host': 'ACME.sip.example' },
      contact: '<sip:ann@192.0.2.1>',
    });
    const server = await serverOf({
      answer: async ({ line }, peer) => {
        if (line === 'api version short') {
          const refused = { Gateway: 'acme.main', State: 'FAILED', Status: '403', Phrase: 'Forbidden' };
          await peer.send(event('CUSTOM', { 'Event-Subclass': 'sofia::gateway_state', ...at, ...refused }));
          for (const _ of [1, 2, 3]) await peer.send(registered);
          return printed('1.10.12\n');
        }
        if (line.startsWith('api sofia xmlstatus')) return printed(gateway('FAIL_WAIT'));
        if (line.startsWith('api sofia_contact')) return printed('sofia/internal/sip:a,sofia/internal/sip:b');
        return line.startsWith('api ') ? printed('x') : undefined;
      },
    });
    const node = nodeWith({
      kind: 'freeswitch',
      esl: `${server.host}:${server.port}`,
      eslPassword: new Secret('s3cret'),
    });
    const plane = await openControl(node, defaultTimeouts, { events: true });
    ends.push(() => plane.close());
    const changes = plane.changes();
    const trunk = { endpoint: 'acme.main', registration: 'rejected', detail: 'FAIL_WAIT: 403 Forbidden' };
    expect((await changes.next()).value).toMatchObject([{ kind: 'trunk', facts: trunk }]);
    expect((await changes.next()).value).toEqual([
      {
        ...{ kind: 'user', at: 1_800_000_000_000 },
        facts: { endpoint: 'ann@acme.sip.example', contacts: 2 },
      },
    ]);
    const next = changes.next();
    await plane.close();
    expect((await next).done).toBe(true);
    expect(server.lines.filter((line) => line.startsWith('api sofia_contact'))).toHaveLength(1);
  });
});
