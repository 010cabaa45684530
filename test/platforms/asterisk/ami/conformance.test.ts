import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { SipctlError } from '../../../../src/errors.ts';
import { Secret } from '../../../../src/model/secret.ts';
import {
  type AmiConnection,
  type AmiOptions,
  connectAmi,
} from '../../../../src/platforms/asterisk/ami/connection.ts';
import { AmiError } from '../../../../src/platforms/asterisk/ami/failures.ts';
import { withRetry } from '../../../../src/platforms/asterisk/ami/retry.ts';
import { connectPeer, flattened } from '../../../support/ami-peer.ts';
import {
  type AmiPeer,
  type AmiScript,
  type AmiServer,
  message,
  type ReceivedAction,
  startAmiServer,
} from '../../../support/ami-server.ts';
import { recordedSession, replayed } from '../../../support/ami-session.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serverOf(script: AmiScript = {}): Promise<AmiServer> {
  const server = await startAmiServer(script);
  ends.push(() => server.close());
  return server;
}

const secretText = 's3cret';
const optionsFor = (server: { host: string; port: number }): AmiOptions => ({
  host: server.host,
  port: server.port,
  username: 'sipctl',
  secret: new Secret(secretText),
  connectTimeoutMs: 5000,
  actionTimeoutMs: 5000,
});

async function open(
  server: { host: string; port: number },
  more: Partial<AmiOptions> = {},
): Promise<AmiConnection> {
  const connection = await connectAmi({ ...optionsFor(server), ...more });
  ends.push(() => connection.close());
  return connection;
}

/** The error of a promise that must fail. */
async function errorOf(promise: Promise<unknown>): Promise<SipctlError> {
  const outcome = await promise.then(
    (value) => new Error(`no error but ${inspect(value)}`),
    (error: unknown) => error,
  );
  if (!(outcome instanceof SipctlError)) throw outcome;
  return outcome;
}

const shown = (error: unknown): string =>
  inspect(error, { depth: 9 }) + JSON.stringify(error) + String(error);

/** Waits for a condition that must come true. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 1000) throw new Error('this never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const event = (name: string, ...lines: string[]): string => [`Event: ${name}`, ...lines, '', ''].join('\r\n');

describe('signing in', () => {
  it('proves the secret by MD5 and never sends it', async () => {
    const server = await serverOf();
    const ami = await open(server);
    expect(ami.banner).toBe('Asterisk Call Manager/11.0.0');
    expect((await ami.action('Ping')).get('Ping')).toBe('Pong');
    expect(server.actions.map(({ name }) => name)).toEqual(['Challenge', 'Login', 'Ping']);
    expect(JSON.stringify(server.actions)).not.toContain(secretText);
    expect(server.actions[1]?.get('Events')).toBe('off');
  });

  it('asks for the events it is told to', async () => {
    const server = await serverOf();
    await open(server, { events: 'system,call' });
    expect(server.actions[1]?.get('Events')).toBe('system,call');
  });

  it('is refused with a wrong secret, naming the user and manager.conf, not the secret', async () => {
    const server = await serverOf({ secret: 'another' });
    const error = await errorOf(open(server));
    expect(error.outcome).toBe('refused');
    expect(error.message).toContain("'sipctl'");
    expect(error.message).toContain(`127.0.0.1:${server.port}`);
    expect(error.problems[0]?.hint).toMatch(/manager\.conf.*permit/);
    expect(shown(error)).not.toContain(secretText);
    await until(() => server.peers[0]?.socket.destroyed === true);
  });

  it('does not send the secret in clear text to whoever offers no challenge', async () => {
    const server = await serverOf({ challenge: false });
    const error = await errorOf(open(server));
    expect(error.outcome).toBe('refused');
    expect(error.problems[0]).toMatchObject({ code: 'ami_clear_text', hint: expect.stringContaining('TLS') });
    expect(server.actions.map(({ name }) => name)).toEqual(['Challenge']);
  });

  it('takes an empty challenge for none', async () => {
    const answer = (action: ReceivedAction) =>
      action.name === 'Challenge' ? message(action, 'Response: Success', 'Challenge: ') : undefined;
    const error = await errorOf(open(await serverOf({ answer })));
    expect(error.problems[0]?.code).toBe('ami_clear_text');
  });
});

describe('an opening that fails', () => {
  it('says that nothing listens', async () => {
    const server = await startAmiServer();
    await server.close();
    const error = await errorOf(open(server));
    expect(error.outcome).toBe('unreachable');
    expect(error.message).toContain(`127.0.0.1:${server.port}`);
    expect(error.problems[0]?.hint).toContain('enabled=yes');
  });

  it('says that the name is unknown', async () => {
    const error = await errorOf(open({ host: 'nowhere.invalid', port: 5038 }));
    expect(error.outcome).toBe('unreachable');
    expect(error.message).toContain('nowhere.invalid:5038');
  });

  it('gives up on a silent server at its deadline', async () => {
    const server = await serverOf({ banner: '' });
    const error = await errorOf(open(server, { connectTimeoutMs: 50 }));
    expect(error.outcome).toBe('unreachable');
    expect(error.problems[0]).toMatchObject({ code: 'ami_timeout', hint: expect.stringContaining('5038') });
    expect(error.message).toContain('did not greet within 50 ms');
  });

  it('gives up on a server that greets and leaves the login unanswered', async () => {
    const server = await serverOf({ answer: () => null });
    const error = await errorOf(open(server, { connectTimeoutMs: 50 }));
    expect(error.message).toContain('did not answer the login');
  });

  it.each([
    ['before the banner', ''],
    ['after the banner', 'Asterisk Call Manager/11.0.0\r\n'],
  ])('ends when the server hangs up %s', async (_when, banner) => {
    const server = createServer((socket) => socket.end(banner)).listen(0, '127.0.0.1');
    ends.push(() => server.close());
    await until(() => server.listening);
    const { port } = server.address() as { port: number };
    const error = await errorOf(open({ host: '127.0.0.1', port }));
    expect(error.outcome).toBe('unreachable');
  });

  it('tells what it met where the port is not a manager interface', async () => {
    const server = await serverOf({ banner: 'SSH-2.0-OpenSSH_9.2\u001b[31m\r\n' });
    const error = await errorOf(open(server));
    expect(error.message).toContain("it says 'SSH-2.0-OpenSSH_9.2 [31m'");
    expect((await errorOf(open(await serverOf({ banner: 'x'.repeat(5000) })))).message).toContain('too long');
  });

  it('ends at once when it is interrupted', async () => {
    const server = await serverOf({ banner: '' });
    const abort = new AbortController();
    const opening = errorOf(open(server, { signal: abort.signal }));
    await until(() => server.peers.length === 1);
    abort.abort();
    expect((await opening).outcome).toBe('interrupted');
    expect((await errorOf(open(server, { signal: abort.signal }))).outcome).toBe('interrupted');
    expect(server.peers).toHaveLength(1);
  });
});

describe('actions', () => {
  it('find their answers in whatever order these come', async () => {
    const held: ReceivedAction[] = [];
    const answer = async (action: ReceivedAction, peer: AmiPeer) => {
      if (action.name !== 'Getvar') return undefined;
      held.push(action);
      if (held.length < 3) return null;
      for (const one of held.reverse()) {
        await peer.send(message(one, 'Response: Success', `Value: ${one.get('Variable')}`));
      }
      return null;
    };
    const ami = await open(await serverOf({ answer }));
    const values = ['a', 'b', 'c'].map(async (v) =>
      (await ami.action('Getvar', { Variable: v })).get('Value'),
    );
    expect(await Promise.all(values)).toEqual(['a', 'b', 'c']);
  });

  it('throw what Asterisk says, with the name of the action and none of its fields', async () => {
    const answer = (action: ReceivedAction) => {
      if (action.name === 'Hangup') return message(action, 'Response: Error', 'Message: No such channel');
      if (action.name === 'Reload') return message(action, 'Response: Error', 'Message: Permission denied');
      return undefined;
    };
    const ami = await open(await serverOf({ answer }));
    const error = await errorOf(ami.action('Hangup', { Channel: 'PJSIP/1', Secret: 'hunter2' }));
    expect(error).toBeInstanceOf(AmiError);
    expect(error).toMatchObject({ outcome: 'failed', action: 'Hangup', reply: 'No such channel' });
    expect(shown(error)).not.toContain('hunter2');
    const denied = await errorOf(ami.action('Reload'));
    expect(denied).toMatchObject({ outcome: 'refused', reply: 'Permission denied' });
    expect(denied.problems[0]?.hint).toContain('write=');
  });

  it('cannot be made to carry another action', async () => {
    const server = await serverOf();
    const ami = await open(server);
    const attack = 'x\r\n\r\nAction: Command\r\nCommand: core stop now';
    expect((await errorOf(ami.action('Ping', { Foo: attack }))).outcome).toBe('invalid');
    expect((await errorOf(ami.command(attack))).outcome).toBe('invalid');
    expect((await errorOf(ami.list(attack))).outcome).toBe('invalid');
    await ami.action('Ping', { Foo: '\u2028Action: Command' });
    expect(server.actions.map(({ name }) => name)).toEqual(['Challenge', 'Login', 'Ping']);
  });

  it('end at their deadline, and a late answer disturbs nothing', async () => {
    let late: ReceivedAction | null = null;
    const answer = async (action: ReceivedAction, peer: AmiPeer) => {
      if (action.name === 'Reload') {
        late = action;
        return null;
      }
      if (late !== null) await peer.send(message(late, 'Response: Success', 'Message: late'));
      return undefined;
    };
    const ami = await open(await serverOf({ answer }));
    const error = await errorOf(ami.action('Reload', {}, { timeoutMs: 30 }));
    expect(error.outcome).toBe('unreachable');
    expect(error.message).toMatch(/127\.0\.0\.1:\d+ did not answer Reload within 30 ms/);
    expect((await ami.action('Ping')).get('Ping')).toBe('Pong');
  });

  it.each(['RST', 'FIN'])(
    'all end when the connection is lost by %s in the middle of a message',
    async (how) => {
      const answer = async (action: ReceivedAction, peer: AmiPeer) => {
        if (!['Reload', 'Command', 'PJSIPShowAuths'].includes(action.name)) return undefined;
        if (action.name !== 'PJSIPShowAuths') return null;
        await peer.send('Event: Newchannel\r\nChannel: half');
        if (how === 'RST') peer.reset();
        else peer.socket.end();
        return null;
      };
      const ami = await open(await serverOf({ answer }), { events: 'all' });
      const events = ami.events();
      const errors = [
        errorOf(ami.action('Reload')),
        errorOf(ami.command('core show uptime')),
        errorOf(ami.list('PJSIPShowAuths')),
      ];
      const listening = errorOf(events.next());
      for (const [index, name] of ['Reload', 'Command', 'PJSIPShowAuths'].entries()) {
        const error = (await errors[index]) as SipctlError;
        expect(error.outcome).toBe('unreachable');
        expect(error.message).toContain(`was lost`);
        expect(error.message).toContain(`before ${name} was answered`);
      }
      expect((await listening).message).toContain('was lost');
      expect(await events.next()).toEqual({ done: true, value: undefined });
      expect((await errorOf(ami.action('Ping'))).outcome).toBe('unreachable');
      await ami.close();
    },
  );
});

describe('a restarted server', () => {
  it('is reached again, and half a message of the old connection does not reach the new one', async () => {
    const answer = async (action: ReceivedAction, peer: AmiPeer) => {
      if (action.name !== 'Reload') return undefined;
      await peer.send('Event: Newchannel\r\nChannel: half');
      peer.reset();
      return null;
    };
    const first = await startAmiServer({ answer });
    const options = optionsFor(first);
    const ami = await connectAmi(options);
    expect((await errorOf(ami.action('Reload'))).outcome).toBe('unreachable');
    await first.close();

    let waits = 0;
    const sleep = async (): Promise<void> => {
      waits += 1;
      if (waits === 2) await serverOf({ port: first.port });
    };
    const backoff = { attempts: 5, baseMs: 10, capMs: 100, sleep, random: () => 0.5 };
    const again = await withRetry(() => connectAmi(options), backoff);
    ends.push(() => again.close());
    expect(waits).toBe(2);
    expect(again.banner).toBe('Asterisk Call Manager/11.0.0');
    expect((await again.action('Ping')).entries.map(([name]) => name)).toEqual([
      'Response',
      'ActionID',
      'Ping',
    ]);
  });

  it('is not asked again after it refused the login', async () => {
    const server = await serverOf({ secret: 'another' });
    const sleep = async () => expect.unreachable();
    const backoff = { attempts: 5, baseMs: 10, capMs: 100, sleep, random: () => 0.5 };
    const error = await errorOf(withRetry(() => connectAmi(optionsFor(server)), backoff));
    expect(error.outcome).toBe('refused');
    expect(server.peers).toHaveLength(1);
  });
});

describe('lists', () => {
  const listAnswer = (action: ReceivedAction, start: string[], events: string[][]): string =>
    message(action, 'Response: Success', ...start, 'Message: follows') +
    events.map(([name = '', ...lines]) => event(name, `ActionID: ${action.id}`, ...lines)).join('');

  it('are gathered between their start and their end; other events go their own way', async () => {
    const answer = (action: ReceivedAction) =>
      action.name === 'PJSIPShowAuths'
        ? message(action, 'Response: Success', 'EventList: start') +
          event('AuthList', `ActionID: ${action.id}`, 'ObjectName: a') +
          event('AgentComplete', 'ActionID: 1', 'Queue: q') +
          event('AuthList', `ActionID: ${action.id}`, 'ObjectName: b') +
          event('OriginateResponse', 'ActionID: other', 'Response: Failure') +
          event('AuthListComplete', `ActionID: ${action.id}`, 'EventList: Complete', 'ListItems: 2')
        : undefined;
    const ami = await open(await serverOf({ answer, pieceBytes: 11 }));
    const events = ami.events();
    const items = await ami.list('PJSIPShowAuths');
    expect(items.map((item) => item.get('ObjectName'))).toEqual(['a', 'b']);
    expect((await events.next()).value?.get('Event')).toBe('AgentComplete');
    expect((await events.next()).value?.get('Event')).toBe('OriginateResponse');
  });

  it('end also where the last event only says so by its name, and where the start is not announced', async () => {
    const answer = (action: ReceivedAction) =>
      action.name === 'ParkedCalls'
        ? listAnswer(
            action,
            [],
            [
              ['ParkedCall', 'Exten: 701'],
              ['ParkedCallsComplete', 'Total: 1'],
            ],
          )
        : undefined;
    const ami = await open(await serverOf({ answer }));
    expect((await ami.list('ParkedCalls')).map((item) => item.get('Exten'))).toEqual(['701']);
  });

  it('may run side by side', async () => {
    const answer = (action: ReceivedAction) =>
      action.name.startsWith('PJSIP')
        ? listAnswer(
            action,
            ['EventList: start'],
            [
              ['Item', `ObjectName: ${action.name}`],
              ['ItemComplete', 'EventList: Complete'],
            ],
          )
        : undefined;
    const ami = await open(await serverOf({ answer }));
    const names = ['PJSIPShowAuths', 'PJSIPShowAors', 'PJSIPShowEndpoints'];
    const lists = await Promise.all(names.map((name) => ami.list(name)));
    expect(lists.map((items) => items.map((item) => item.get('ObjectName')))).toEqual(names.map((n) => [n]));
  });

  it.each([
    'No endpoints found\n',
    'No AORs found\n',
    'No Auths found\n',
    'No Contacts found\n',
    'No resource lists found\n',
    'No active conferences.',
  ])('that are empty are no error: %j', async (words) => {
    const answer = (action: ReceivedAction) =>
      action.name === 'Ask' ? message(action, 'Response: Error', `Message: ${words}`) : undefined;
    const ami = await open(await serverOf({ answer }));
    expect(await ami.list('Ask')).toEqual([]);
    expect(await errorOf(ami.action('Ask'))).toBeInstanceOf(AmiError);
  });

  it.each(['Unable to retrieve endpoint nosuch\n', 'Permission denied', 'No Conference by that name found.'])(
    'that are refused are an error: %j',
    async (words) => {
      const answer = (action: ReceivedAction) =>
        action.name === 'Ask' ? message(action, 'Response: Error', `Message: ${words}`) : undefined;
      const ami = await open(await serverOf({ answer }));
      expect(await errorOf(ami.list('Ask'))).toMatchObject({ reply: words.trim() });
    },
  );

  it('that are cancelled, or never end, are an error', async () => {
    const answer = (action: ReceivedAction) => {
      if (action.name === 'Never') return listAnswer(action, ['EventList: start'], [['Item']]);
      if (action.name !== 'Cancelled') return undefined;
      const end = ['ItemComplete', 'EventList: cancelled', 'Message: gone'];
      return listAnswer(action, ['EventList: start'], [['Item'], end]);
    };
    const ami = await open(await serverOf({ answer }));
    expect(await errorOf(ami.list('Cancelled'))).toMatchObject({ reply: 'gone' });
    expect((await errorOf(ami.list('Never', {}, { timeoutMs: 50 }))).outcome).toBe('unreachable');
  });
});

describe('commands', () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `  line ${index}: ü; `);
  const answer = (action: ReceivedAction) => {
    if (action.name !== 'Command') return undefined;
    const output = action.get('Command') === 'many' ? lines : [];
    if (action.get('Command') === 'old') {
      return message(action, 'Response: Follows', 'Privilege: Command')
        .slice(0, -2)
        .concat('a: 1\n\nb\n--END COMMAND--\r\n\r\n');
    }
    if (action.get('Command') === 'wrong') {
      return message(
        action,
        'Response: Error',
        'Message: Command output follows',
        "Output: No such command 'wrong'",
      );
    }
    return message(
      action,
      'Response: Success',
      'Message: Command output follows',
      ...output.map((l) => `Output: ${l}`),
    );
  };

  it('give every line, however many, in packets of any size', async () => {
    const ami = await open(await serverOf({ answer, pieceBytes: 1460 }));
    expect(await ami.command('many')).toEqual(lines);
    expect(await ami.command('none')).toEqual([]);
    expect(await ami.command('old')).toEqual(['a: 1', '', 'b']);
  });

  it('that Asterisk does not know say so', async () => {
    const ami = await open(await serverOf({ answer }));
    expect(await errorOf(ami.command('wrong'))).toMatchObject({ reply: "No such command 'wrong'" });
  });
});

describe('events', () => {
  it('reach every consumer in order, unknown ones and odd header names included', async () => {
    const server = await serverOf();
    const ami = await open(server, { events: 'all' });
    const [first, second] = [ami.events(), ami.events()];
    await server.peers[0]?.send(
      event('TestEvent', 'State: ✓') +
        event('constructor', '__proto__: a', 'constructor: b') +
        'Nonsense\r\n\r\n' +
        event('close', 'error: x'),
    );
    for (const events of [first, second]) {
      expect((await events.next()).value?.get('State')).toBe('✓');
      expect((await events.next()).value?.entries).toEqual([
        ['Event', 'constructor'],
        ['__proto__', 'a'],
        ['constructor', 'b'],
      ]);
      expect((await events.next()).value?.get('error')).toBe('x');
    }
    await ami.close();
    expect(await first.next()).toEqual({ done: true, value: undefined });
    expect(await ami.events().next()).toEqual({ done: true, value: undefined });
  });

  it('wait in the server while their consumer is slow, and an answer behind them is found all the same', async () => {
    const server = await serverOf();
    const ami = await open(server, { events: 'all' });
    const events = ami.events();
    const total = 100_000;
    const pumped = pump(server.peers[0] as AmiPeer, total);
    await pumped.stalled();
    expect(pumped.sent()).toBeLessThan(total / 2);

    for (let id = 0; id < 3000; id += 1) {
      expect((await events.next()).value?.get('Id')).toBe(String(id));
    }
    await pumped.stalled();
    expect(pumped.sent()).toBeLessThan(total);
    // The answer stands behind all that was written so far; waiting for it must not wait for the consumer.
    expect((await ami.action('Ping')).get('Ping')).toBe('Pong');

    let id = 3000;
    while (id < total) expect((await events.next()).value?.get('Id')).toBe(String(id++));
    expect(pumped.sent()).toBe(total);
  });

  it('that nobody wants any more are dropped, and the socket is read again', async () => {
    const server = await serverOf();
    const ami = await open(server, { events: 'all' });
    const total = 100_000;
    const events = ami.events();
    const pumped = pump(server.peers[0] as AmiPeer, total);
    await pumped.stalled();
    for await (const one of events) {
      expect(one.get('Id')).toBe('0');
      break;
    }
    await until(() => pumped.sent() === total);
    expect((await ami.action('Ping')).get('Ping')).toBe('Pong');
  });

  it('end with an error where the server vanished without a word', async () => {
    let alive = true;
    const server = await serverOf({ answer: () => (alive ? undefined : null) });
    const ami = await open(server, { events: 'all', pingIntervalMs: 10, actionTimeoutMs: 40 });
    const next = errorOf(ami.events().next());
    await until(() => server.actions.filter(({ name }) => name === 'Ping').length > 2);
    alive = false;
    expect((await next).outcome).toBe('unreachable');
  });
});

/** Sends numbered events as fast as the socket takes them. */
function pump(peer: AmiPeer, total: number): { sent: () => number; stalled: () => Promise<void> } {
  let sent = 0;
  const padding = `Padding: ${'x'.repeat(500)}`;
  const run = (): void => {
    while (sent < total) {
      const taken = peer.socket.write(event('Newchannel', `Id: ${sent}`, padding));
      sent += 1;
      if (!taken) {
        peer.socket.once('drain', run);
        return;
      }
    }
  };
  run();
  return {
    sent: () => sent,
    stalled: async () => {
      for (let last = -1; sent !== last; ) {
        last = sent;
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    },
  };
}

describe('closing', () => {
  it('signs off', async () => {
    const server = await serverOf();
    const ami = await open(server);
    await Promise.all([ami.close(), ami.close()]);
    await ami.close();
    expect(server.actions.filter(({ name }) => name === 'Logoff')).toHaveLength(1);
    expect((await errorOf(ami.action('Ping'))).outcome).toBe('unreachable');
  });

  it('lets a running action finish first', async () => {
    const ami = await open(await serverOf({ pieceBytes: 5 }));
    const ping = ami.action('Ping');
    await ami.close();
    expect((await ping).get('Ping')).toBe('Pong');
  });

  it('does not wait for a server that answers nothing, and ends what was in flight', async () => {
    let alive = true;
    const ami = await open(await serverOf({ answer: () => (alive ? undefined : null) }));
    alive = false;
    const reload = errorOf(ami.action('Reload'));
    await ami.close();
    expect((await reload).outcome).toBe('unreachable');
  });
});

describe.each([16, 22] as const)('a session recorded at Asterisk %i', (version) => {
  const exchanges = recordedSession(version);
  const replaying = (): AmiScript => {
    let next = 0;
    return {
      pieceBytes: 97,
      answer: (action) => {
        if (action.name !== exchanges[next]?.name) return undefined;
        const exchange = exchanges[next++] as (typeof exchanges)[number];
        return replayed(exchange, action);
      },
    };
  };

  it('is understood', async () => {
    const server = await serverOf(replaying());
    const ami = await open(server, { events: 'all' });
    const answers = new Map<string, unknown>();
    const lists = ['PJSIPShowEndpoints', 'PJSIPShowRegistrationsOutbound', 'CoreShowChannels'];
    for (const { name, fields } of exchanges) {
      const isList = lists.includes(name) || fields.Endpoint === 'carrier';
      const answer = isList ? ami.list(name, fields) : ami.action(name, fields);
      answers.set(
        Object.values({ name, ...fields })
          .slice(0, 2)
          .join(' '),
        await answer.catch((error) => error),
      );
    }
    const names = (key: string): unknown =>
      (answers.get(key) as { get(name: string): string }[]).map(
        (item) => item.get('ObjectName') ?? item.get('Event'),
      );
    expect(names('PJSIPShowEndpoints')).toEqual(['1001', 'carrier']);
    expect(names('PJSIPShowEndpoint carrier')).toEqual([
      'carrier',
      'carrier',
      'carrier',
      'ContactStatusDetail',
    ]);
    expect(names('PJSIPShowRegistrationsOutbound')).toEqual(['carrier', 'carrier']);
    expect(names('CoreShowChannels')).toEqual(['CoreShowChannel', 'CoreShowChannel']);
    expect(answers.get('Reload res_pjsip.so')).toMatchObject({ output: [] });
    expect(answers.get('PJSIPShowEndpoint nosuch')).toMatchObject({
      reply: 'Unable to retrieve endpoint nosuch',
    });
    expect(answers.get('Hangup PJSIP/none-00000000')).toMatchObject({ reply: 'No such channel' });
    expect(answers.get('Nonsense')).toMatchObject({
      reply: expect.stringContaining('Invalid/unknown command'),
    });
    expect(answers.get('Command nonsense')).toMatchObject({
      reply: expect.stringContaining('No such command'),
    });
    const { output } = answers.get('Command pjsip show registrations') as { output: string[] };
    expect(output).toHaveLength(8);
    expect(output[4]).toMatch(/^ carrier\/sip:.* Registered/);
  });

  it('is understood as asterisk-manager understands it', async () => {
    const ours = await open(await serverOf(replaying()), { events: 'all' });
    const theirs = await connectPeer(await serverOf(replaying()), 'sipctl', secretText);
    ends.push(() => theirs.close());
    const events = ours.events();
    let compared = 0;
    for (const { name, fields, received } of exchanges) {
      const [our, their] = [await answerOf(ours, name, fields), await theirs.action(name, fields)];
      if (our !== null) expect(our).toEqual(their);
      const count = received.match(/(^|\n)Event: /g)?.length ?? 0;
      for (let index = 0; index < count; index += 1) {
        const event = (await events.next()).value;
        expect(flattened(event?.entries ?? [], [])).toEqual(await theirs.event());
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

/** Our answer in the other client's form; null where it refused and there is an error to compare instead. */
async function answerOf(
  ami: AmiConnection,
  name: string,
  fields: Record<string, string>,
): Promise<Record<string, unknown> | null> {
  try {
    const { entries, output } = await ami.action(name, fields);
    return flattened(entries, output);
  } catch (error) {
    expect(error).toBeInstanceOf(AmiError);
    return null;
  }
}

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)('TLS (needs the openssl program)', () => {
  const certificate = (): { key: string; cert: string } => {
    const folder = mkdtempSync(join(tmpdir(), 'sipctl-ami-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = 'subjectAltName=DNS:pbx.example,IP:127.0.0.1';
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-days', '2', '-subj', '/CN=pbx.example', '-addext', names];
    execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  };

  it('is spoken with a certificate that the given authority signed', async () => {
    const tls = certificate();
    const server = await serverOf({ tls });
    for (const servername of [undefined, 'pbx.example']) {
      const ami = await open(server, { tls: { ca: tls.cert, servername } });
      expect((await ami.action('Ping')).get('Ping')).toBe('Pong');
    }
  });

  it('refuses an unknown authority and another name, before anything is sent', async () => {
    const tls = certificate();
    const server = await serverOf({ tls });
    const unknown = await errorOf(open(server, { tls: {} }));
    const other = await errorOf(open(server, { tls: { ca: tls.cert, servername: 'other.example' } }));
    for (const error of [unknown, other]) {
      expect(error.outcome).toBe('unreachable');
      expect(error.problems[0]).toMatchObject({
        code: 'ami_certificate',
        hint: expect.stringContaining('PEM'),
      });
    }
    expect(server.actions).toEqual([]);
  });

  it('lets a plain login pass where no challenge is offered', async () => {
    const tls = certificate();
    const server = await serverOf({ tls, challenge: false });
    await open(server, { tls: { ca: tls.cert } });
    expect(server.actions[1]?.get('Secret')).toBe(secretText);
  });

  it('says where one side speaks TLS and the other does not', async () => {
    const tls = certificate();
    const plain = await errorOf(open(await serverOf(), { tls: { ca: tls.cert } }));
    expect(plain.message).toContain('TLS: wrong version number');
    expect(plain.problems[0]?.hint).toContain('tlsbindaddr');
    const silent = await errorOf(open(await serverOf({ tls }), { connectTimeoutMs: 100 }));
    expect(silent.problems[0]?.hint).toContain('TLS');
  });
});
