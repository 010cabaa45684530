import { createSocket } from 'node:dgram';
import { beforeAll, expect, it, vi } from 'vitest';
import { limitUsage, originate } from '../../src/platforms/freeswitch/esl/commands.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, shippedShape } from './freeswitch-site.ts';
import { type Answering, answer, call, register, sippAvailable } from './sipp.ts';

/** Comes back when somebody listens on a UDP port. */
async function untilTaken(host: string, port: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const socket = createSocket('udp4');
      const free = await new Promise<boolean>((resolve) => {
        socket.once('error', () => resolve(false));
        socket.bind(port, host, () => resolve(true));
      });
      socket.close();
      if (free) throw new Error(`nobody listens on port ${port}`);
    },
    { timeout: 10_000, interval: 20 },
  );
}

const noPhones = sippAvailable();
const domain = 'acme.example';

describeFreeswitch('calls', (start) => {
  let freeswitch: FreeswitchInstance;
  let box: Sandbox;
  let callerPort = 5100;

  const add = (noun: string, name: string, options: string) =>
    box.ok(`${noun} add ${name} --tenant acme ${options}`, {
      env: { PW: 'secret', PIN: '1234', MODERATOR: '9876' },
    });
  const phone = (user: string, localPort?: number) => ({
    ...{ host: freeswitch.host, port: 5060, user, domain, password: 'secret' },
    ...(localPort === undefined ? {} : { localPort }),
  });
  /** A phone that is registered, and waits for a call. */
  const waiting = async (user: string, port: number): Promise<Answering> => {
    const registered = await register(phone(user, port));
    expect(registered.ok, registered.trace).toBe(true);
    const answering = answer({ ...phone(user), localPort: port });
    await untilTaken(freeswitch.host, port);
    return answering;
  };
  /** The final answer that a caller gets. */
  const dialled = async (user: string, number: string): Promise<number | undefined> => {
    // A port of its own: what FreeSWITCH repeats for an earlier call would be taken for an answer to this one.
    callerPort += 1;
    const { statuses, trace } = await call(phone(user, callerPort), number);
    const final = statuses.filter((status) => status >= 200 && status !== 401 && status !== 407)[0];
    if (final === undefined)
      throw new Error(`no final answer:
${trace}`);
    return final;
  };

  beforeAll(async () => {
    freeswitch = await start(shippedShape);
    box = await attach(freeswitch);
    const { host } = freeswitch;
    await box.ok(`tenant add acme --domain ${domain} --country US`);
    await add('user', 'ann', '--extension 1001 --password env:PW --caller-id +15551230001');
    await add('user', 'bob', '--extension 1002 --password env:PW --ring-time 3');
    await add('user', 'cleo', '--extension 1003 --password env:PW --toll-class internal --max-calls 1');
    await add('user', 'dan', '--extension 1004 --password env:PW --toll-class national');
    await add('group', 'sales', '--extension 2000 --members bob,cleo --ring-time 3');
    await add('group', 'turns', '--extension 2001 --members cleo,bob --strategy order --ring-time 3');
    await add('conference', 'open', '--extension 4000');
    await add('conference', 'board', '--extension 4001 --pin env:PIN --moderator-pin env:MODERATOR --record');
    await add(
      'ivr',
      'main',
      '--extension 3000 --greeting hello --key 1=user:bob,2=group:sales --timeout 1 --attempts 2 --unanswered user:bob',
    );
    await add(
      'trunk',
      'dead',
      `--provider custom_ip --host ${host} --port 5098 --networks 192.0.2.0/24 --priority 1`,
    );
    await add(
      'trunk',
      'live',
      `--provider custom_ip --host ${host} --port 5099 --networks ${host} --priority 2 --number-format digits`,
    );
    await add('number', '+15551230001', '--to user:bob');
    await add('number', '+15551230002', '--to ivr:main');
    await add('number', '+15551230003', '--to hangup:rejected');
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
  }, 120_000);

  it.skipIf(noPhones !== null)('connects two phones', async () => {
    const bob = await waiting('bob', 5071);
    expect(await dialled('ann', '1002')).toBe(200);
    expect((await bob.result).ok).toBe(true);
  });

  it.skipIf(noPhones !== null).each([
    ['nobody is there', 'ann', '1003', 480],
    ['a number of nobody', 'ann', '999', 404],
    ['a group of whom one is away', 'ann', '2000', 480],
    ['too few digits', 'ann', '+123', 484],
    ['a call abroad that the user may not make', 'dan', '+4930123456', 403],
    ['any call outside', 'cleo', '+15557654321', 403],
    ['a room', 'ann', '4000', 200],
    ['a room with PINs', 'ann', '4001', 200],
    ['a menu', 'ann', '3000', 200],
    ['an own number', 'dan', '+15551230003', 403],
  ])('%s: %s dials %s and gets %i', async (_, user, number, status) => {
    expect(await dialled(user, number)).toBe(status);
  });

  it.skipIf(noPhones !== null)(
    'passes a carrier that is down, and writes numbers as the next one wants them',
    async () => {
      const carrier = answer({
        host: freeswitch.host,
        port: 5080,
        user: 'carrier',
        password: 'x',
        localPort: 5099,
      });
      expect(await dialled('ann', '15557654321')).toBe(200);
      const { trace } = await carrier.result;
      expect(trace).toContain('INVITE sip:15557654321@');
      expect(trace).toMatch(/^From: .*<sip:15551230001@/m);
    },
  );

  it.skipIf(noPhones !== null)('gives a user no second call at the limit of one', async () => {
    const cleo = await waiting('cleo', 5072);
    const [first, second] = await Promise.all([
      dialled('ann', '1003'),
      // While the first one talks for half a second.
      new Promise((resolve) => setTimeout(resolve, 300)).then(() => dialled('dan', '1003')),
    ]);
    expect([first, second]).toEqual([200, 486]);
    cleo.stop();
    const esl = await connectTo(freeswitch);
    const used = await limitUsage((command) => esl.api(command), 'sipctl.acme', 'user.1003');
    await esl.close();
    expect(used).toBe(0);
  });

  it.skipIf(noPhones !== null)('goes through a group, past a member at its limit', async () => {
    const bob = await waiting('bob', 5073);
    await register(phone('cleo', 5074));
    expect(await dialled('cleo', '2000')).toBe(200);
    expect((await bob.result).ok).toBe(true);
  });

  it('takes calls of a carrier for its tenant’s numbers only', async () => {
    const esl = await connectTo(freeswitch);
    const from = (number: string) =>
      originate(
        (command) => esl.background(command),
        `{originate_timeout=10}sofia/external/${number}@${freeswitch.host}:5080`,
        '&park()',
      );
    expect(await from('15551230003')).toEqual({ cause: 'CALL_REJECTED' });
    expect(await from('+15551230002')).toHaveProperty('uuid');
    expect(await from('15559999999')).toHaveProperty('cause');
    await esl.close();
  });
});
