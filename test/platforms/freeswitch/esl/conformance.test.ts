import { describe, expect, it } from 'vitest';
import { withRetry } from '../../../../src/platforms/control/retry.ts';
import { connectEsl } from '../../../../src/platforms/freeswitch/esl/connection.ts';
import { EslError } from '../../../../src/platforms/freeswitch/esl/failures.ts';
import { ends, errorOf, shown } from '../../../support/control-client.ts';
import { open, optionsFor, serverOf } from '../../../support/esl-client.ts';
import {
  goodbye,
  jobEnd,
  printed,
  type ReceivedCommand,
  reply,
  startEslServer,
} from '../../../support/esl-server.ts';
import type { Peer } from '../../../support/scripted-server.ts';

/** Scripts one command; all others get the default answer. */
const on = (
  line: string,
  answer: (command: ReceivedCommand, peer: Peer) => Promise<string | Buffer | null>,
) => ({
  answer: (command: ReceivedCommand, peer: Peer) =>
    command.line === line ? answer(command, peer) : undefined,
});

describe('commands', () => {
  it('get their answers in their order, without waiting for one another', async () => {
    const esl = await open(await serverOf({ pieceBytes: 7 }));
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index} ü`);
    expect(await Promise.all(texts.map((text) => esl.api(`echo ${text}`)))).toEqual(texts);
  });

  it('give what was printed as it is, also where it looks like an error, and nothing for nothing', async () => {
    const texts = new Map([
      ['one', '-ERR No such channel!\n'],
      ['two', 'Invalid Gateway!\n'],
      ['three', '-ERR no reply\n'],
      ['four', '50% of it'],
    ]);
    const answer = ({ line }: ReceivedCommand) => {
      const text = texts.get(line.slice(4));
      return text === undefined ? undefined : printed(text);
    };
    const esl = await open(await serverOf({ answer }));
    expect(await esl.api('one')).toBe('-ERR No such channel!\n');
    expect(await esl.api('two')).toBe('Invalid Gateway!\n');
    expect(await esl.api('three')).toBe('');
    expect(await esl.api('four')).toBe('50% of it');
  });

  it('that the socket itself refuses throw, and those behind them still get their own answers', async () => {
    const esl = await open(await serverOf(on('api reloadxml', async () => reply('-ERR permission denied'))));
    const [refused, next] = [errorOf(esl.api('reloadxml')), esl.api('echo next')];
    const error = await refused;
    expect(error).toBeInstanceOf(EslError);
    expect(error).toMatchObject({
      outcome: 'refused',
      command: 'reloadxml',
      reply: '-ERR permission denied',
    });
    expect(await next).toBe('next');
  });

  it('cannot be made to carry another command', async () => {
    const server = await serverOf();
    const esl = await open(server);
    const attack = 'reloadxml\n\napi shutdown';
    const attempts = [
      () => esl.api(attack),
      () => esl.background(attack),
      () => esl.subscribe([attack]),
      () => esl.subscribe([], [attack]),
      () => esl.unsubscribe([attack]),
      () => esl.filter(attack, 'x'),
      () => esl.filter('x', attack),
    ];
    for (const attempt of attempts) expect((await errorOf(attempt())).outcome).toBe('invalid');
    expect(server.lines.join('\n')).not.toContain('shutdown');
  });

  it('name no arguments in their errors', async () => {
    const server = await serverOf({ answer: ({ line }) => (/originate/.test(line) ? null : undefined) });
    const esl = await open(server, { commandTimeoutMs: 40 });
    const secret = 'originate {sip_auth_password=hunter2}sofia/gateway/a/1 &park()';
    const attempts = [() => esl.api(secret), () => esl.background(secret), () => esl.api(`${secret}\n`)];
    for (const attempt of attempts) expect(shown(await errorOf(attempt()))).not.toContain('hunter2');
  });

  it('end at their deadline, and a late answer goes to nobody else', async () => {
    const late: (() => void)[] = [];
    const answer = ({ line }: ReceivedCommand, peer: Peer) => {
      if (line !== 'api slow') return undefined;
      return new Promise<null>((resolve) => {
        late.push(() => {
          void peer.send(printed('late'));
          resolve(null);
        });
      });
    };
    const esl = await open(await serverOf({ answer }));
    const error = await errorOf(esl.api('slow', { timeoutMs: 30 }));
    expect(error.outcome).toBe('unreachable');
    expect(error.message).toMatch(/127\.0\.0\.1:\d+ did not answer slow within 30 ms/);
    const next = esl.api('echo next');
    late[0]?.();
    expect(await next).toBe('next');
    expect(await esl.api('echo again')).toBe('again');
  });

  it('end with the connection where an answer cannot be theirs', async () => {
    const esl = await open(await serverOf(on('event json HEARTBEAT', async () => printed('what?'))));
    expect((await errorOf(esl.subscribe(['HEARTBEAT']))).message).toContain('event was answered');
    expect((await errorOf(esl.api('status'))).outcome).toBe('unreachable');
    const unasked = await open(
      await serverOf(on('api a', async () => Buffer.concat([printed('a'), printed('b')]))),
    );
    const next = errorOf(unasked.events().next());
    expect(await unasked.api('a')).toBe('a');
    expect((await next).problems[0]?.code).toBe('esl_out_of_step');
  });

  it.each([
    'RST',
    'FIN',
  ])('all end when the connection is lost by %s in the middle of a message', async (how) => {
    const answer = async ({ line }: ReceivedCommand, peer: Peer) => {
      if (!/sleep|third/.test(line)) return undefined;
      if (line === 'bgapi sleep') return null;
      await peer.send('Content-Type: api/response\nContent-Length: 99\n\nhalf');
      if (how === 'RST') peer.reset();
      else peer.socket.end();
      return null;
    };
    const server = await serverOf({ answer });
    const esl = await open(server);
    const [listening, job] = [errorOf(esl.events().next()), errorOf(esl.background('sleep'))];
    const third = errorOf(esl.api('third'));
    const fourth = errorOf(esl.api('fourth'));
    expect((await third).message).toMatch(/was lost.* before third was answered/);
    expect((await fourth).message).toContain('before fourth was answered');
    expect((await listening).message).toContain('was lost');
    expect((await job).message).toContain('before sleep was answered');
    expect((await errorOf(esl.api('status'))).problems[0]?.code).toBe('esl_closed');
    await esl.close();
  });

  it('tell what FreeSWITCH said when it hung up', async () => {
    const server = await serverOf(
      on('api shutdown', async (_command, peer) => {
        await peer.send(goodbye);
        peer.socket.end();
        return null;
      }),
    );
    const esl = await open(server);
    expect((await errorOf(esl.api('shutdown'))).message).toContain("it said 'Disconnected, goodbye.'");
  });
});

describe('background jobs', () => {
  it('get their own outputs, in whatever order they end', async () => {
    const held: { id: string | undefined; text: string }[] = [];
    const answer = async (command: ReceivedCommand, peer: Peer) => {
      if (!command.line.startsWith('bgapi')) return undefined;
      const id = command.headers['Job-UUID'];
      held.push({ id, text: command.line.slice(6) });
      await peer.send(reply(`+OK Job-UUID: ${id}`, `Job-UUID: ${id}`));
      if (held.length === 3)
        for (const job of held.reverse()) await peer.send(jobEnd(job.id, `done ${job.text}`));
      return null;
    };
    const server = await serverOf({ answer });
    const esl = await open(server);
    expect(await Promise.all(['a', 'b', 'c'].map((text) => esl.background(text)))).toEqual([
      'done a',
      'done b',
      'done c',
    ]);
    expect(server.lines.filter((line) => line === 'event json BACKGROUND_JOB')).toHaveLength(1);
  });

  it('do not hold up other commands, nor reach the consumers of events', async () => {
    const jobs: (string | undefined)[] = [];
    const answer = ({ line, headers }: ReceivedCommand) => {
      if (line !== 'bgapi originate') return undefined;
      jobs.push(headers['Job-UUID']);
      return reply('+OK Job-UUID: x', `Job-UUID: ${headers['Job-UUID']}`);
    };
    const server = await serverOf({ answer });
    const esl = await open(server);
    const events = esl.events();
    const job = esl.background('originate');
    expect(await esl.api('echo meanwhile')).toBe('meanwhile');
    await server.peers[0]?.send(jobEnd('of another client', 'other'));
    await server.peers[0]?.send(jobEnd(jobs[0], '+OK 1234\n'));
    expect(await job).toBe('+OK 1234\n');
    await esl.subscribe(['BACKGROUND_JOB']);
    await server.peers[0]?.send(jobEnd('of another client', 'wanted'));
    expect((await events.next()).value?.body).toBe('wanted');
  });

  it('end at their deadline, and with the connection', async () => {
    const answer = ({ line, headers }: ReceivedCommand) =>
      line.startsWith('bgapi') ? reply('+OK', `Job-UUID: ${headers['Job-UUID']}`) : undefined;
    const server = await serverOf({ answer });
    const esl = await open(server);
    const error = await errorOf(esl.background('originate', { timeoutMs: 30 }));
    expect(error.message).toContain('did not answer originate within 30 ms');
    const job = errorOf(esl.background('originate'));
    await esl.api('echo');
    server.peers[0]?.reset();
    expect((await job).message).toContain('before originate was answered');
  });

  it('that are refused say so', async () => {
    const answer = ({ line }: ReceivedCommand) =>
      line.startsWith('bgapi') ? reply('-ERR permission denied') : undefined;
    const esl = await open(await serverOf({ answer }));
    expect((await errorOf(esl.background('originate'))).outcome).toBe('refused');
    expect(await esl.api('echo on')).toBe('on');
  });

  it('that would be answered by another one end the connection', async () => {
    const answer = ({ line }: ReceivedCommand) =>
      line.startsWith('bgapi') ? reply('+OK', 'Job-UUID: another') : undefined;
    const esl = await open(await serverOf({ answer }));
    expect((await errorOf(esl.background('originate'))).message).toContain('before originate was answered');
    expect((await errorOf(esl.api('echo'))).outcome).toBe('unreachable');
  });
});

describe('a restarted server', () => {
  it('is reached again, and half a message of the old connection does not reach the new one', async () => {
    const first = await startEslServer(
      on('api reloadxml', async (_command, peer) => {
        await peer.send('Content-Type: api/response\nContent-Length: 99\n\nhalf');
        peer.reset();
        return null;
      }),
    );
    const options = optionsFor(first);
    const esl = await connectEsl(options);
    expect((await errorOf(esl.api('reloadxml'))).outcome).toBe('unreachable');
    await first.close();

    let waits = 0;
    const sleep = async (): Promise<void> => {
      waits += 1;
      if (waits < 3) return;
      const second = await startEslServer({ host: options.host, port: options.port });
      ends.push(() => second.close());
    };
    const backoff = { attempts: 5, baseMs: 10, capMs: 100, sleep, random: () => 0.5 };
    const again = await withRetry(() => connectEsl(options), backoff);
    ends.push(() => again.close());
    expect(waits).toBe(3);
    expect(await again.api('echo back')).toBe('back');
  });

  it('is not asked again after it refused the password', async () => {
    const server = await serverOf({ password: 'another' });
    const sleep = async () => expect.unreachable();
    const backoff = { attempts: 5, baseMs: 10, capMs: 100, sleep, random: () => 0.5 };
    const error = await errorOf(withRetry(() => connectEsl(optionsFor(server)), backoff));
    expect(error.outcome).toBe('refused');
    expect(server.peers).toHaveLength(1);
  });
});

describe('closing', () => {
  it('signs off', async () => {
    const server = await serverOf();
    const esl = await open(server);
    const running = esl.api('echo first');
    await Promise.all([esl.close(), esl.close()]);
    expect(await running).toBe('first');
    expect(server.lines.filter((line) => line === 'exit')).toHaveLength(1);
    expect((await errorOf(esl.api('status'))).problems[0]?.code).toBe('esl_closed');
  });

  it('is quiet also where the server hangs up instead of a goodbye', async () => {
    const server = await serverOf(
      on('exit', async (_command, peer) => {
        peer.socket.destroy();
        return null;
      }),
    );
    const esl = await open(server);
    const next = esl.events().next();
    await esl.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('does not wait for a server that answers nothing, and ends what was in flight', async () => {
    let alive = true;
    const esl = await open(await serverOf({ answer: () => (alive ? undefined : null) }));
    alive = false;
    const reload = errorOf(esl.api('reloadxml'));
    await esl.close();
    expect((await reload).outcome).toBe('unreachable');
  });
});
