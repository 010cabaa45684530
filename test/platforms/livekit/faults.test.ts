import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { planService } from '../../../src/pipeline/hosted-services.ts';
import { Connection, livekitSite, sipPassword } from '../../support/livekit/connection.ts';
import { type LivekitFault, LivekitServer } from '../../support/livekit/livekit-server.ts';
import type { LivekitMethod } from '../../support/livekit/livekit-state.ts';

const answer = (status: number, code: string, msg: string): LivekitFault => ({
  kind: 'answer',
  status,
  body: JSON.stringify({ code, msg }),
});

const faults: Readonly<Record<string, LivekitFault>> = {
  'silence before it is done': { kind: 'silence', when: 'before' },
  'silence after it is done': { kind: 'silence', when: 'after' },
  'a reset before it is done': { kind: 'reset', when: 'before' },
  'a reset after it is done': { kind: 'reset', when: 'after' },
  'an answer that breaks off': { kind: 'cut', when: 'after' },
  'an internal error': answer(500, 'internal', 'something broke'),
  'too many requests': answer(429, 'resource_exhausted', 'slow down'),
};

const always = 1000;

async function ready() {
  const server = await LivekitServer.start();
  return { server, connection: new Connection(), site: livekitSite(server) };
}

const counted = ({ state }: LivekitServer): number[] => [
  state.inbound.size,
  state.outbound.size,
  state.rules.size,
];

/** Requests of a plan and an apply that find nothing there. */
const requestsOfOneRun = 15;

describe('one request that goes wrong', () => {
  for (const [name, fault] of Object.entries(faults))
    it(`with ${name}, whichever it is, leaves one of everything`, async () => {
      for (let nth = 1; nth <= requestsOfOneRun; nth += 1) {
        const { server, connection, site } = await ready();
        server.failAt(nth, fault);
        const { outcome } = await connection.apply(site);
        expect([nth, outcome, counted(server)]).toEqual([nth, 'verified', [1, 1, 1]]);
        expect((await connection.plan(site)).changes).toEqual([]);
        expect(server.requests.length).toBeGreaterThan(requestsOfOneRun);
        await server.close();
      }
    });
});

describe('a method that always goes wrong', () => {
  const creating: LivekitMethod[] = [
    'CreateSIPInboundTrunk',
    'CreateSIPOutboundTrunk',
    'CreateSIPDispatchRule',
  ];
  for (const method of creating)
    it(`stops the run at ${method}; the next one goes on from there`, async () => {
      const { server, connection, site } = await ready();
      server.fail(method, { kind: 'reset', when: 'before' }, 4);
      const { outcome, error, done } = await connection.apply(site);
      expect([outcome, error?.outcome]).toEqual(['incomplete', 'unreachable']);
      expect(done.length).toBe(creating.indexOf(method));
      expect(connection.waits).toEqual([500, 1000, 2000]);
      const made = counted(server);
      expect((await connection.apply(site)).outcome).toBe('verified');
      expect(counted(server)).toEqual([1, 1, 1]);
      expect(server.bodies('CreateSIPInboundTrunk').length).toBe(method === creating[0] ? 5 : 1);
      expect(made.filter((count) => count === 1).length).toBe(creating.indexOf(method));
    });

  it('for good takes back what the run made', async () => {
    const { server, connection, site } = await ready();
    server.fail('CreateSIPDispatchRule', answer(400, 'invalid_argument', 'no such room'), always);
    const { outcome, error } = await connection.apply(site);
    expect([outcome, error?.outcome]).toEqual(['taken-back', 'failed']);
    expect(counted(server)).toEqual([0, 0, 0]);
  });

  it('and a run that is interrupted say that the next run goes on', async () => {
    const { server, connection, site } = await ready();
    const interrupt = new AbortController();
    server.fail('CreateSIPOutboundTrunk', { kind: 'silence', when: 'after' });
    setTimeout(() => interrupt.abort(), 150);
    const { outcome, error } = await connection.apply(site, interrupt.signal);
    expect([outcome, error?.outcome]).toEqual(['incomplete', 'interrupted']);
    expect((await connection.apply(site)).outcome).toBe('verified');
    expect(counted(server)).toEqual([1, 1, 1]);
  });

  it('while things are taken away: the next run takes away the rest', async () => {
    const { server, connection, site } = await ready();
    await connection.apply(site);
    server.fail('DeleteSIPTrunk', { kind: 'reset', when: 'after' }, 1);
    expect((await connection.apply({ ...site, trunk: null })).outcome).toBe('verified');
    expect(counted(server)).toEqual([0, 0, 0]);
    expect(connection.memory.entries.size).toBe(0);
  });
});

describe('a failure', () => {
  const failed = async (fault: LivekitFault) => {
    const { server, connection, site } = await ready();
    server.fail('ListSIPInboundTrunk', fault, always);
    const error = await connection.plan(site).catch((thrown: unknown) => thrown);
    return error as { outcome: string; problems: { code: string; message: string; hint: string }[] };
  };

  it('of the credentials names the key, never the secret, and is not repeated', async () => {
    const { server, connection, site } = await ready();
    const wrong = { ...site, livekit: { ...site.livekit, apiKey: 'APIother' } };
    await expect(connection.plan(wrong)).rejects.toMatchObject({
      outcome: 'refused',
      problems: [
        {
          code: 'livekit_credentials',
          message: expect.stringContaining('APIother'),
          hint: expect.stringContaining('clock'),
        },
      ],
    });
    expect(connection.waits).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  it('of the rights, of the address, and of the server says what to do', async () => {
    const broken: LivekitFault = { kind: 'answer', status: 502, body: 'Bad gateway' };
    const moved: LivekitFault = { kind: 'answer', status: 301, body: '', type: 'text/html' };
    const page: LivekitFault = {
      kind: 'answer',
      status: 404,
      body: '404 page not found',
      type: 'text/plain',
    };
    const cases = [
      [answer(403, 'permission_denied', 'permissions denied'), 'refused', 'livekit_denied', 'API key'],
      [page, 'notFound', 'livekit_no_project', 'livekit set'],
      [moved, 'notFound', 'livekit_no_project', 'livekit set'],
      [broken, 'unreachable', 'livekit_trouble', 'status.livekit.io'],
      [
        answer(500, 'internal', 'sip not connected (redis required)'),
        'unreachable',
        'livekit_trouble',
        'Redis',
      ],
      [
        { kind: 'answer', status: 200, body: '<html>', type: 'text/html' },
        'failed',
        'livekit_answer',
        'livekit set',
      ],
    ] as const;
    for (const [fault, outcome, code, hint] of cases) {
      const error = await failed(fault);
      expect([error.outcome, error.problems[0]?.code]).toEqual([outcome, code]);
      expect(error.problems[0]?.hint).toContain(hint);
    }
  });

  it('does not repeat secrets that the server says', async () => {
    const said = `password ${sipPassword} of ${LivekitServer.apiSecret} is weak`;
    const error = await failed(answer(400, 'invalid_argument', said));
    expect(error.problems[0]?.message).toContain('password [secret] of [secret] is weak');
  });

  it('leaves standard output alone, and ends the request that was interrupted', async () => {
    const said: string[] = [];
    const watched = vi.spyOn(console, 'debug').mockImplementation((...words) => said.push(words.join(' ')));
    onTestFinished(() => watched.mockRestore());
    const { server, connection, site } = await ready();
    server.fail('ListSIPInboundTrunk', { kind: 'answer', status: 500, body: 'oops' }, 4);
    await expect(connection.plan(site)).rejects.toMatchObject({ outcome: 'unreachable' });
    expect(said).toEqual([]);
    server.fail('ListSIPInboundTrunk', { kind: 'silence', when: 'before' });
    const interrupt = new AbortController();
    const planned = planService(connection.planned(site), interrupt.signal);
    await server.hears('ListSIPInboundTrunk');
    interrupt.abort();
    await expect(planned).rejects.toMatchObject({ outcome: 'interrupted' });
    await server.isLeft();
  });

  it('of the network is told with the address', async () => {
    const { server, connection, site } = await ready();
    await server.close();
    await expect(connection.plan(site)).rejects.toMatchObject({
      outcome: 'unreachable',
      problems: [{ code: 'livekit_unreachable', message: expect.stringContaining(site.livekit.url) }],
    });
    expect(connection.waits).toHaveLength(3);
  });

  it('of a silent server comes after its time', async () => {
    const error = await failed({ kind: 'silence', when: 'before' });
    expect([error.outcome, error.problems[0]?.code]).toEqual(['unreachable', 'livekit_timeout']);
  });
});
