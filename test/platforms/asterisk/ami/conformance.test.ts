import { describe, expect, it } from 'vitest';
import type { SipctlError } from '../../../../src/errors.ts';
import { connectAmi } from '../../../../src/platforms/asterisk/ami/connection.ts';
import { AmiError } from '../../../../src/platforms/asterisk/ami/failures.ts';
import { withRetry } from '../../../../src/platforms/control/retry.ts';
import { open, optionsFor, serverOf } from '../../../support/ami-client.ts';
import { message, type ReceivedAction, startAmiServer } from '../../../support/ami-server.ts';
import { ends, errorOf, shown } from '../../../support/control-client.ts';
import type { Peer } from '../../../support/scripted-server.ts';

describe('actions', () => {
  it('find their answers in whatever order these come', async () => {
    const held: ReceivedAction[] = [];
    const answer = async (action: ReceivedAction, peer: Peer) => {
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
    const answer = async (action: ReceivedAction, peer: Peer) => {
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

  it.each([
    'RST',
    'FIN',
  ])('all end when the connection is lost by %s in the middle of a message', async (how) => {
    const answer = async (action: ReceivedAction, peer: Peer) => {
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
  });
});

describe('a restarted server', () => {
  it('is reached again, and half a message of the old connection does not reach the new one', async () => {
    const answer = async (action: ReceivedAction, peer: Peer) => {
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

  it('is quiet also where the server hangs up instead of a goodbye', async () => {
    const answer = (action: ReceivedAction, peer: Peer) => {
      if (action.name !== 'Logoff') return undefined;
      peer.socket.destroy();
      return null;
    };
    const ami = await open(await serverOf({ answer }), { events: 'all' });
    const next = ami.events().next();
    await ami.close();
    expect(await next).toEqual({ done: true, value: undefined });
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
