import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LiveLine } from '../../../src/model/live/line.ts';
import { Secret } from '../../../src/model/secret.ts';
import { execHook } from '../../../src/pipeline/monitor/exec.ts';
import type { Hook } from '../../../src/pipeline/monitor/hook.ts';
import { webhook } from '../../../src/pipeline/monitor/webhook.ts';

const line = (more: Record<string, unknown> = {}): LiveLine => ({
  schema: 'sipctl/v1',
  event: 'call.ended',
  at: '2026-05-04T10:00:00.000Z',
  node: 'pbx1',
  tenant: 'acme',
  call: { id: 'a.1', state: 'ended', from: '+4930111', fromName: 'Ann', to: '1001', trunk: 'main' },
  ...more,
});

let said: string[];
let dir: string;
beforeEach(() => {
  said = [];
  dir = mkdtempSync(join(tmpdir(), 'sipctl-hooks-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

const around = { complain: (text: string) => void said.push(text), now: () => 1_777_888_000_000 };

describe('--exec', () => {
  const hook = (command: string, timeoutMs = 20_000): Hook =>
    execHook({ ...around, command, env: { PATH: process.env.PATH, OUT: join(dir, 'out') }, timeoutMs });
  const out = (): string => readFileSync(join(dir, 'out'), 'utf8');

  it('gives the event on standard input and in variables', async () => {
    const run = hook(
      '{ cat; printf "%s|%s|%s" "$SIPCTL_EVENT" "$SIPCTL_EVENT_FROM" "$SIPCTL_EVENT_TRUNK"; } > "$OUT"',
    );
    run.take(line());
    await run.finish(20_000);
    const [json = '', words] = out().split('\n');
    expect([JSON.parse(json), words]).toEqual([line(), 'call.ended|+4930111|main']);
    expect(said).toEqual([]);
  });

  it.each([
    '$(touch "$OUT.hacked")',
    '`touch $OUT.hacked`',
    '; touch "$OUT.hacked"',
    "'; touch $OUT.hacked; '",
  ])('runs nothing that a caller put into its name: %s', async (name) => {
    const run = hook('printf %s "$SIPCTL_EVENT_FROM_NAME" > "$OUT"');
    run.take(line({ call: { fromName: `${name}\u001b[2J\nx\u0000` } }));
    await run.finish(20_000);
    expect(out()).toBe(`${name} [2J x `);
    expect(() => readFileSync(join(dir, 'out.hacked'))).toThrow('ENOENT');
  });

  it('survives an event that is too large for the environment of a command', async () => {
    const run = hook('printf x >> "$OUT"');
    run.take(line({ call: { fromName: 'x'.repeat(200_000) } }));
    run.take(line());
    await run.finish(20_000);
    expect(said).toEqual(['--exec: cannot be run: E2BIG (call.ended)']);
    expect(out()).toBe('x');
  });

  it('complains of a command that fails, with what it said, and goes on', async () => {
    const run = hook('echo "no such pager" >&2; printf x >> "$OUT"; exit 3');
    run.take(line());
    run.take(line());
    await run.finish(20_000);
    expect(said).toEqual(['--exec: ended with 3: no such pager (call.ended)', '--exec: failed: 1 more']);
    expect(out()).toBe('xx');
  });

  it('ends a command that takes too long, and everything that it started', async () => {
    const run = hook('sleep 300 & echo $! > "$OUT"; wait', 300);
    run.take(line());
    await run.finish(20_000);
    expect(said).toEqual(['--exec: took longer than 0.3 s, and was ended (call.ended)']);
    const pid = Number(out());
    await vi.waitFor(() => expect(stateOf(pid)).toMatch(/gone|Z/), { timeout: 10_000 });
  });

  // A process that was ended stays in the list until its parent asks for it.
  function stateOf(pid: number): string {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) (\S).*/s, '$1');
    } catch {
      return 'gone';
    }
  }

  it('does not wait for what a command leaves running', async () => {
    const run = hook('sleep 30 2>&1 & echo $! > "$OUT"');
    run.take(line());
    await run.finish(20_000);
    const pid = Number(out());
    expect(said).toEqual([]);
    expect(stateOf(pid)).toMatch(/^[RSD]$/);
    process.kill(pid);
  });

  it('holds a bounded number of events, and says how many were lost', async () => {
    const run = hook(`while [ ! -e "$OUT.go" ]; do sleep 0.05; done`);
    for (let count = 0; count < 1010; count += 1) run.take(line());
    await run.finish(1);
    expect(said[0]).toBe('--exec: 1000 events wait already, one was dropped');
    expect(said.slice(1)).toEqual(['--exec: dropped: 5 more', '--exec: left undone: 1004']);
  });
});

interface Received {
  headers: IncomingMessage['headers'];
  body: string;
}

/** A receiver that answers as the script says, in turn; the last answer stays. */
async function receiver(
  ...answers: ((response: ServerResponse) => void)[]
): Promise<{ url: URL; received: Received[] }> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const answer = answers[Math.min(received.length, answers.length) - 1];
      answer?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t0ken`),
    received,
  };
}

const status =
  (code: number, headers = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end('whatever');

describe('--webhook', () => {
  const hook = (url: URL, timeoutMs = 20_000): Hook =>
    webhook({ ...around, url, secret: new Secret('k3y'), timeoutMs, firstPauseMs: 1 });

  it('signs time and body', async () => {
    const { url, received } = await receiver(status(204));
    const run = hook(url);
    run.take(line());
    await run.finish(20_000);
    const [{ headers, body }] = received as [Received];
    const signature = createHmac('sha256', 'k3y').update(`1777888000.${body}`).digest('hex');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'sipctl-timestamp': '1777888000',
      'sipctl-signature': `v1=${signature}`,
    });
    expect([JSON.parse(body), said]).toEqual([line(), []]);
  });

  it('sends again, with the same name, until it is taken', async () => {
    const { url, received } = await receiver(
      status(503),
      (response) => response.destroy(),
      status(429),
      status(200),
    );
    const run = hook(url);
    run.take(line());
    await run.finish(20_000);
    expect([received.length, said]).toEqual([4, []]);
    expect(new Set(received.map(({ headers }) => headers['sipctl-delivery'])).size).toBe(1);
  });

  it.each([400, 401, 404, 410])('does not insist on %i', async (code) => {
    const { url, received } = await receiver(status(code));
    const run = hook(url);
    run.take(line());
    await run.finish(20_000);
    expect([received.length, said]).toEqual([1, [`--webhook: ${url.origin}: answers ${code} (call.ended)`]]);
  });

  it('follows no redirect, and tells nobody the address', async () => {
    const other = await receiver(status(200));
    const { url } = await receiver(status(307, { location: other.url.href }));
    const run = hook(url);
    run.take(line());
    await run.finish(20_000);
    expect(other.received).toEqual([]);
    expect(said.join()).toContain('redirects are not followed');
    expect(said.join()).not.toMatch(/t0ken|hook\?/);
  });

  it('gives up a receiver that never answers, and says so', async () => {
    const { url, received } = await receiver(() => undefined);
    const run = hook(url, 30);
    run.take(line());
    await run.finish(20_000);
    expect([received.length, said]).toEqual([
      6,
      [`--webhook: ${url.origin}: no answer within 0.03 s, given up after 6 attempts (call.ended)`],
    ]);
  });

  it('ends in the middle of a request, and says what was not delivered', async () => {
    const { url, received } = await receiver(() => undefined);
    const run = hook(url);
    run.take(line());
    await vi.waitFor(() => expect(received.length).toBe(1));
    await run.finish(1);
    expect(said).toEqual(['--webhook: left undelivered: 1']);
  });
});
