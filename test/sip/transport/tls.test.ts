import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OpenOptions } from '../../../src/sip/transport/connection.ts';
import { exchange } from '../../../src/sip/transport/transaction.ts';
import { Authority, hasOpenssl, stamp, type Wish } from '../../support/certificates.ts';
import {
  answer,
  closedPort,
  endAll,
  ends,
  failureOf,
  never,
  open,
  request,
  streamServer,
  target,
} from '../../support/sip-server.ts';

afterEach(endAll);

const patient = { signal: never, timeoutMs: 20_000 };

describe.skipIf(!hasOpenssl)('TLS (needs the openssl program)', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  const echo = (socket: Socket) => socket.on('data', (bytes: Buffer) => socket.write(answer(bytes, 200)));

  /** A server with such a certificate, and the way to it. */
  async function place(wish: Wish = {}, options: TlsOptions = {}) {
    const { port } = await streamServer(echo, { ...authority.issue(wish), ...options });
    return target(port, 'tls');
  }

  async function failureFor(wish: Wish, options: TlsOptions = {}, tls: OpenOptions['tls'] = {}) {
    return failureOf(open(await place(wish, options), { tls: { ca: authority.ca, ...tls } }));
  }

  it('carries a request, and tells what the server showed', async () => {
    const to = await place({ names: 'DNS:sip.example.com,IP:127.0.0.1,URI:sip:example.com' });
    const connection = await open(to, { tls: { ca: authority.ca } });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: { status: 200 }, sent: 1 });
    expect(connection).toMatchObject({
      transport: 'tls',
      reliable: true,
      remote: { address: '127.0.0.1', port: to.port },
    });
    expect(connection.tls).toMatchObject({
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      subject: expect.stringMatching(/^CN=server \d+$/),
      names: ['sip.example.com', '127.0.0.1', 'sip:example.com'],
      issuer: 'CN=Test Authority',
      daysLeft: 29,
      fingerprint256: expect.stringMatching(/^([\dA-F]{2}:){31}[\dA-F]{2}$/),
      chain: [expect.stringMatching(/^CN=server/), 'CN=Test Authority'],
      fault: null,
    });
    expect(connection.tls?.notAfter.slice(0, 10)).toBe(
      new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10),
    );
  });

  it.each([
    ['DNS:sip.example.com', 'sip.example.com'],
    ['DNS:*.example.com', 'sip.example.com'],
    ['URI:sip:example.com', 'example.com'],
    ['IP:127.0.0.1', '127.0.0.1'],
  ])('takes a certificate for %s as one for %s', async (names, servername) => {
    const connection = await open(await place({ names }), { tls: { ca: authority.ca, servername } });
    expect(connection.tls?.fault).toBeNull();
  });

  it.each([
    ['tls_expired', { notBefore: stamp(-10), notAfter: stamp(-2) }, 'has expired'],
    ['tls_not_yet_valid', { notBefore: stamp(2), notAfter: stamp(10) }, 'is not valid yet'],
    ['tls_name_mismatch', { names: 'DNS:other.example,DNS:more.example' }, 'other.example, more.example'],
    ['tls_name_mismatch', { names: 'URI:sip:someone@sip.example.com' }, "not for 'sip.example.com'"],
    ['tls_name_mismatch', { names: 'IP:127.0.0.1' }, 'but for 127.0.0.1'],
    // An expired one is told as such, whoever signed it and for whomever.
    [
      'tls_expired',
      { names: 'DNS:other.example', notBefore: stamp(-10), notAfter: stamp(-2) },
      'has expired',
    ],
  ])('refuses by %s: %j', async (reason, wish, words) => {
    const failure = await failureFor(wish);
    expect(failure).toMatchObject({ reason, message: expect.stringContaining(words) });
    expect(failure.tls).toMatchObject({ fault: reason, issuer: 'CN=Test Authority' });
  });

  it('refuses an authority that is not known, before anything is sent', async () => {
    const seen: Buffer[] = [];
    const { port } = await streamServer(
      (socket) => socket.on('data', (bytes: Buffer) => seen.push(bytes)),
      authority.issue(),
    );
    const failure = await failureOf(open(target(port, 'tls')));
    expect(failure).toMatchObject({
      reason: 'tls_untrusted',
      message: expect.stringContaining('CN=Test Authority'),
    });
    expect(failure.tls).toMatchObject({ names: ['sip.example.com'], fault: 'tls_untrusted' });
    expect(seen).toEqual([]);
  });

  it('can be told to report a fault only', async () => {
    const to = await place({ notBefore: stamp(-10), notAfter: stamp(-2) });
    const connection = await open(to, { tls: { verify: false } });
    expect(connection.tls).toMatchObject({ fault: 'tls_expired', daysLeft: -3 });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done.final?.status).toBe(200);
  });

  it.each([
    ['TLSv1', 'TLSv1'],
    ['TLSv1', 'TLSv1.1'],
  ] as const)('says that a server speaks no more than %s to %s', async (minVersion, maxVersion) => {
    const failure = await failureFor({}, { minVersion, maxVersion, ciphers: 'DEFAULT:@SECLEVEL=0' });
    expect(failure).toMatchObject({ reason: 'tls_protocol', tls: null });
  });

  it('speaks TLS 1.2', async () => {
    const connection = await open(await place({}, { maxVersion: 'TLSv1.2' }), { tls: { ca: authority.ca } });
    expect(connection.tls?.protocol).toBe('TLSv1.2');
  });

  it('says that a certificate of ours is demanded', async () => {
    const port = await opensslServer('-tls1_3', '-Verify', '1');
    const connection = await open(target(port, 'tls'), { tls: { ca: authority.ca } });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: null, failure: { reason: 'tls_client_certificate' } });
    expect(done.failure?.tls?.names).toEqual(['sip.example.com']);
    // TLS 1.2 has no word of its own for it.
    const older = await opensslServer('-tls1_2', '-Verify', '1');
    const failure = await failureOf(open(target(older, 'tls'), { tls: { ca: authority.ca } }));
    expect(failure).toMatchObject({
      reason: 'tls_failed',
      message: expect.stringContaining('demands a certificate'),
    });
  });

  it('sends the name that it asks for', async () => {
    const asked: string[] = [];
    const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
      asked.push(name);
      done(null);
    };
    await open(await place({}, { SNICallback }), { tls: { ca: authority.ca } });
    expect(asked).toEqual(['sip.example.com']);
  });

  /** The server of openssl(1), which sends the alerts that Node's own server does not. */
  async function opensslServer(...options: string[]): Promise<number> {
    const folder = mkdtempSync(join(tmpdir(), 'sipctl-tls-'));
    const { key, cert } = authority.issue();
    for (const [name, text] of Object.entries({ key, cert, ca: authority.ca }))
      writeFileSync(join(folder, name), text);
    const port = await closedPort();
    const files = ['-key', join(folder, 'key'), '-cert', join(folder, 'cert'), '-CAfile', join(folder, 'ca')];
    const args = ['s_server', '-accept', `127.0.0.1:${port}`, ...files, ...options];
    const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    ends.push(async () => {
      child.kill();
      await exited;
      rmSync(folder, { recursive: true });
    });
    await accepting(child);
    return port;
  }
});

describe('a server without TLS', () => {
  it('is recognised by its answer', async () => {
    const answers = ['SIP/2.0 400 Bad Request\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n\r\n'];
    for (const text of answers) {
      const { port } = await streamServer((socket) => socket.on('data', () => socket.write(text)));
      expect(await failureOf(open(target(port, 'tls')))).toMatchObject({ reason: 'not_tls', tls: null });
    }
  });

  it.each([
    ['closes', (socket: Socket) => void socket.on('data', () => socket.end())],
    ['resets', (socket: Socket) => void socket.on('data', () => socket.resetAndDestroy())],
    ['keeps silent', () => {}],
  ])('may not speak TLS where it %s', async (_, serve) => {
    const { port } = await streamServer(serve);
    const failure = await failureOf(open(target(port, 'tls'), { timeoutMs: 1_000 }));
    expect(failure).toMatchObject({
      reason: 'tls_failed',
      message: expect.stringContaining('may not speak TLS'),
    });
  });

  it('is refused as TCP is where nothing listens', async () => {
    expect((await failureOf(open(target(await closedPort(), 'tls')))).reason).toBe('connection_refused');
  });
});

/** openssl prints a line once it listens. */
function accepting(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (text.includes('ACCEPT')) resolve();
    });
    child.once('exit', () => reject(new Error('openssl s_server did not start')));
  });
}
