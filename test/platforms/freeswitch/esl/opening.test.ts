import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/model/secret.ts';
import { ends, errorOf, shown, until } from '../../../support/control-client.ts';
import { open, passwordText, serverOf } from '../../../support/esl-client.ts';
import { rejection, reply, startEslServer } from '../../../support/esl-server.ts';

describe('signing in', () => {
  it('waits for the greeting and sends the password', async () => {
    const server = await serverOf({ pieceBytes: 3 });
    const esl = await open(server);
    expect(await esl.api('echo hello')).toBe('hello');
    expect(server.lines).toEqual([`auth ${passwordText}`, 'api echo hello']);
  });

  it('is refused with a wrong password, which no error shows', async () => {
    const server = await serverOf({ password: 'another' });
    const error = await errorOf(open(server));
    expect(error).toMatchObject({ outcome: 'refused', problems: [{ code: 'esl_login' }] });
    expect(error.message).toContain(`the event socket at 127.0.0.1:${server.port} refused the password`);
    expect(error.problems[0]?.hint).toContain('event_socket.conf.xml');
    expect(shown(error)).not.toContain(passwordText);
    await until(() => server.peers[0]?.socket.destroyed === true);
  });

  it('is refused where an ACL forbids the address', async () => {
    const greeting = rejection.toString();
    const error = await errorOf(open(await serverOf({ greeting })));
    expect(error).toMatchObject({ outcome: 'refused', problems: [{ code: 'esl_acl' }] });
    expect(error.message).toContain('Access Denied, go away.');
    expect(error.problems[0]?.hint).toContain('apply-inbound-acl');
  });

  it('cannot be made to send a second command by a password', async () => {
    const server = await serverOf();
    const password = new Secret('s3cret\n\napi shutdown');
    const error = await errorOf(open(server, { password }));
    expect(error.outcome).toBe('invalid');
    expect(shown(error)).not.toContain('s3cret');
    expect(server.lines).toEqual([]);
  });

  it('takes nothing but the exact words for an acceptance', async () => {
    const server = await serverOf({ answer: () => reply('+OK') });
    expect((await errorOf(open(server))).outcome).toBe('refused');
  });
});

describe('an opening that fails', () => {
  it('says that nothing listens', async () => {
    const server = await startEslServer();
    await server.close();
    const error = await errorOf(open(server));
    expect(error.outcome).toBe('unreachable');
    expect(error.message).toContain(`127.0.0.1:${server.port}`);
    expect(error.problems[0]?.hint).toContain('mod_event_socket');
  });

  it('says that the name is unknown', async () => {
    const error = await errorOf(open({ host: 'nowhere.invalid', port: 8021 }));
    expect(error.outcome).toBe('unreachable');
    expect(error.message).toContain('nowhere.invalid:8021');
  });

  it('gives up on a silent server at its deadline', async () => {
    const error = await errorOf(open(await serverOf({ greeting: '' }), { connectTimeoutMs: 50 }));
    expect(error.outcome).toBe('unreachable');
    expect(error.problems[0]).toMatchObject({ code: 'esl_timeout', hint: expect.stringContaining('8021') });
    expect(error.message).toContain('did not greet within 50 ms');
  });

  it('gives up on a server that greets and leaves the password unanswered', async () => {
    const error = await errorOf(open(await serverOf({ answer: () => null }), { connectTimeoutMs: 50 }));
    expect(error.message).toContain('did not answer');
    expect(shown(error)).not.toContain(passwordText);
  });

  it.each([
    ['before the greeting', ''],
    ['after the greeting', 'Content-Type: auth/request\n\n'],
  ])('ends when the server hangs up %s', async (_when, greeting) => {
    const server = createServer((socket) => socket.end(greeting)).listen(0, '127.0.0.1');
    ends.push(() => server.close());
    await until(() => server.listening);
    const { port } = server.address() as { port: number };
    expect((await errorOf(open({ host: '127.0.0.1', port }))).outcome).toBe('unreachable');
  });

  it('tells what it met where the port is no event socket', async () => {
    const error = await errorOf(open(await serverOf({ greeting: 'SSH-2.0-OpenSSH_9.2\u001b[31m\r\n' })));
    expect(error.outcome).toBe('unreachable');
    expect(error.message).toContain("is not a FreeSWITCH event socket: it says 'SSH-2.0-OpenSSH_9.2 [31m'");
  });

  it('ends at once when it is interrupted', async () => {
    const server = await serverOf({ greeting: '' });
    const abort = new AbortController();
    const opening = errorOf(open(server, { signal: abort.signal }));
    await until(() => server.peers.length === 1);
    abort.abort();
    expect((await opening).outcome).toBe('interrupted');
    expect((await errorOf(open(server, { signal: abort.signal }))).outcome).toBe('interrupted');
    expect(server.peers).toHaveLength(1);
  });
});
