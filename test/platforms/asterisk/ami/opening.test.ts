import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { open, secretText, serverOf } from '../../../support/ami-client.ts';
import { message, type ReceivedAction, startAmiServer } from '../../../support/ami-server.ts';
import { ends, errorOf, shown, until } from '../../../support/control-client.ts';

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
