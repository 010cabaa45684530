import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/model/secret.ts';
import { defaultTimeouts } from '../../../src/platforms/freeswitch/timeouts.ts';
import { trunkState, userState } from '../../../src/platforms/freeswitch/trunk-state.ts';
import type { TrunkLook } from '../../../src/platforms/node-view.ts';
import { nodeWith } from '../../live/live-node.ts';
import { errorOf } from '../../support/control-client.ts';
import { serverOf } from '../../support/esl-client.ts';
import { type EslScript, type EslServer, event, printed } from '../../support/esl-server.ts';

const gateway = (values: Readonly<Record<string, string>>): string => {
  const all = {
    ...{ name: 'acme.main', profile: 'external', proxy: 'sip:carrier.test', username: 'acme' },
    ...{ pingfreq: '30', pingtime: '0.00', state: 'REGED', status: 'UP' },
    ...values,
  };
  const lines = Object.entries(all).map(([name, value]) => `    <${name}>${value}</${name}>`);
  return ['<?xml version="1.0" encoding="ISO-8859-1"?>', '  <gateway>', ...lines, '  </gateway>', ''].join(
    '\n',
  );
};

const serverThat = (
  answers: (line: string) => string | null | undefined,
  more: EslScript = {},
): Promise<EslServer> =>
  serverOf({
    answer: ({ line }) => {
      const text = answers(line);
      return text === undefined || text === null ? text : printed(text);
    },
    ...more,
  });

const nodeAt = (server: EslServer) =>
  nodeWith({
    kind: 'freeswitch',
    esl: `${server.host}:${server.port}`,
    eslPassword: new Secret('s3cret'),
  });

const stateOf = (server: EslServer, look: TrunkLook = {}) =>
  trunkState(nodeAt(server), defaultTimeouts, { tenant: 'acme', trunk: 'main' }, look);

const seen = async (values: Readonly<Record<string, string>>) =>
  stateOf(await serverThat((line) => (line.startsWith('api sofia xmlstatus') ? gateway(values) : undefined)));

describe('a gateway as FreeSWITCH shows it', () => {
  it.each([
    [{ state: 'REGED' }, 'registered'],
    [{ state: 'REGISTER', status: 'DOWN' }, 'trying'],
    [{ state: 'TRYING', status: 'DOWN', retry: '55s' }, 'trying'],
    [{ state: 'DOWN', status: 'DOWN' }, 'unregistered'],
    [{ state: 'FAIL_WAIT', status: 'DOWN', retry: '55s' }, 'failed'],
    [{ state: 'NOREG' }, 'none'],
  ])('%o is %s', async (values, state) => {
    const found = await seen(values);
    expect(found?.registration).toEqual({
      state,
      statusCode: null,
      nextInSeconds: state === 'failed' ? 55 : null,
      detail: values.state,
    });
    expect(found?.callable).toBe(!('status' in values));
  });

  it.each([
    [{ pingfreq: '0', state: 'NOREG' }, 'off', null],
    [{ pingtime: '12.50' }, 'reachable', 12.5],
    [{ pingtime: '0.00' }, 'unknown', null],
    [{ state: 'NOREG', status: 'DOWN' }, 'unreachable', null],
    // Measured before the registration was refused, and never again since.
    [{ state: 'FAIL_WAIT', status: 'DOWN', pingtime: '12.50' }, 'unknown', null],
  ])('%o answers OPTIONS: %s', async (values, state, rttMs) => {
    expect((await seen(values))?.qualify).toEqual({ state, rttMs, fresh: false });
  });

  it('is not there', async () => {
    expect(await stateOf(await withoutGateway())).toBeNull();
  });

  it.each([
    ['403', 'Forbidden', 'rejected', 403],
    ['500', 'Server Error', 'rejected', 500],
    // FreeSWITCH's own words for silence, and for a port at which nobody listens.
    ['408', 'Request Timeout', 'failed', null],
    ['503', 'Connection refused', 'failed', null],
  ])('registers once more, and is told %s', async (status, phrase, state, statusCode) => {
    const values = { state: 'FAIL_WAIT', status: 'DOWN', retry: '60s' };
    const server = await serverThat(() => undefined, {
      answer: async ({ line }, peer) => {
        if (line.startsWith('api sofia xmlstatus')) return printed(gateway(values));
        if (line !== 'api sofia profile external register acme.main') return undefined;
        await peer.send(printed('+OK\n'));
        const of = (headers: Readonly<Record<string, string>>) =>
          event('CUSTOM', { 'Event-Subclass': 'sofia::gateway_state', State: 'FAILED', ...headers });
        await peer.send(of({ Gateway: 'acme.other', Status: '404', Phrase: 'Not Found' }));
        await peer.send(of({ Gateway: 'acme.main', State: 'TRYING' }));
        return of({ Gateway: 'acme.main', Status: status, Phrase: phrase });
      },
    });
    expect((await stateOf(server))?.registration.state).toBe('failed');
    expect(server.lines.filter((line) => / register /.test(line))).toEqual([]);
    expect((await stateOf(server, { registerOnce: true }))?.registration).toEqual({
      ...{ state, statusCode, nextInSeconds: 60, detail: `FAIL_WAIT: ${status} ${phrase}` },
    });
    expect(server.lines.filter((line) => / register /.test(line))).toHaveLength(1);
  });

  it('is not made to register where it is registered', async () => {
    const server = await serverThat((line) =>
      line.startsWith('api sofia xmlstatus') ? gateway({}) : undefined,
    );
    await stateOf(server, { registerOnce: true });
    expect(server.lines.filter((line) => / register /.test(line))).toEqual([]);
  });

  it('is not waited for once it was interrupted', async () => {
    const abort = new AbortController();
    const server = await serverThat((line) => {
      if (!line.startsWith('api sofia')) return undefined;
      abort.abort();
      return null;
    });
    expect((await errorOf(stateOf(server, { signal: abort.signal }))).outcome).toBe('interrupted');
  });
});

const withoutGateway = async (): Promise<EslServer> =>
  serverThat((line) => (line.startsWith('api sofia xmlstatus') ? 'Invalid Gateway!\n' : undefined));

describe('a user as FreeSWITCH shows it', () => {
  const phone = (contact: string, ping: string): string => `    <registration>
        <call-id>a</call-id>
        <user>ann@acme.example</user>
        <contact>${contact}</contact>
        <agent>Phone &amp; Co</agent>
        <status>Registered(UDP)(unknown) exp(2026-11-21 17:20:00) expsecs(118)</status>
        <ping-status>Reachable</ping-status>
        <ping-time>${ping}</ping-time>
        <host>fs1</host>
    </registration>
`;
  const profile = (phones: string): string =>
    `<?xml version="1.0"?>\n<profile>\n  <registrations>\n${phones}  </registrations>\n</profile>\n`;
  const status = JSON.stringify({
    profiles: {
      internal: { status: { type: 'profile', data: '', state: 'RUNNING' } },
      'fs1.example': { status: { type: 'alias', data: 'internal', state: 'ALIASED' } },
    },
  });
  const answers = (line: string): string | undefined => {
    if (line.startsWith('api user_exists')) return line.includes(' ann ') ? 'true' : 'false';
    if (line === 'api sofia jsonstatus') return status;
    if (line !== 'api sofia xmlstatus profile internal user ann@acme.example') return undefined;
    return profile(
      phone('&quot;Ann&quot; &lt;sip:ann@192.0.2.1:5070;fs_nat=yes&gt;', '0.00') +
        phone('sip:ann@192.0.2.2', '7.25'),
    );
  };

  it('has all its phones, each once', async () => {
    const server = await serverThat(answers);
    const ann = { id: 'ann@acme.example', username: 'ann', domain: 'acme.example' };
    const common = { userAgent: 'Phone & Co', expiresInSeconds: 118 };
    expect(await userState(nodeAt(server), defaultTimeouts, ann)).toEqual({
      id: ann.id,
      contacts: [
        { uri: 'sip:ann@192.0.2.1:5070;fs_nat=yes', ...common, state: 'unknown', rttMs: null },
        { uri: 'sip:ann@192.0.2.2', ...common, state: 'reachable', rttMs: 7.25 },
      ],
    });
  });

  it('is not there', async () => {
    const server = await serverThat(answers);
    const bob = { id: 'bob@acme.example', username: 'bob', domain: 'acme.example' };
    expect(await userState(nodeAt(server), defaultTimeouts, bob)).toBeNull();
    expect(await userState(nodeAt(server), defaultTimeouts, { ...bob, domain: null })).toBeNull();
  });
});
