import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/sip/finding.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, asteriskAvailable, startAsterisk } from './asterisk.ts';
import { attach } from './attached.ts';
import { whyNoOpenssl } from './certificates.ts';

/** What a caller of the command sees of one test. */
interface Tested {
  status: string;
  stages: Finding[];
  causes: { code: string; field?: string; hint?: string }[];
}

const dialplan = `
[default](+)
exten = 600,1,Answer()
 same = n,Wait(10)
exten = 601,1,Ringing()
 same = n,Wait(60)
`;

const password = 'As-it-was-delivered';
const missing = asteriskAvailable('22') ?? whyNoOpenssl;

describe.skipIf(missing !== null)(`user test${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let asterisk: AsteriskInstance;
  let box: Sandbox;

  beforeAll(async () => {
    asterisk = await startAsterisk({ version: '22', etc: { 'extensions.d/answer.conf': dialplan } });
    box = await attach(asterisk);
    await add('desk', '1001');
    await add('ann', '1002', '--template webrtc_user');
    await add('bob', '1003');
    expect((await box.apply()).code).toBe(0);
    await add('late', '1004');
  });
  afterAll(() => asterisk?.stop());

  const add = (user: string, extension: string, more = '') =>
    box.ok(`user add ${user} --extension ${extension} --password env:P ${more}`, { env: { P: password } });

  /** Runs one test; the passwords of both sides stay out of all that it says. */
  async function tested(user: string, flags: string) {
    const { code, stdout, stderr, json } = await box.sipctl(`user test ${user} ${flags} --timeout 4 --json`);
    expect(stdout + stderr).not.toContain(password);
    const [only] = (json().data as { users: Tested[] }).users;
    const stages = new Map(only?.stages.map((stage) => [stage.stage, stage]));
    const told = (only?.causes ?? []).map((cause) => cause.code);
    return { code, stage: (name: Finding['stage']) => stages.get(name), told, stdout };
  }

  /** Nothing of a test stays behind: no binding, no call. */
  async function untouched(user: string): Promise<void> {
    await expect.poll(() => asterisk.cli('core show channels count')).toContain('0 active channels');
    expect(await asterisk.cli(`pjsip show aor ${user}`)).not.toMatch(/^ +Contact: +\S+\/sip:/m);
  }

  const place = (transport: 'udp' | 'tcp' | 'tls') =>
    `--transport ${transport} --port ${asterisk.sip[transport]} --ca ${join(asterisk.etc, 'tls.crt')}`;

  it.each(['udp', 'tcp', 'tls'] as const)('registers as a phone over %s', async (transport) => {
    const right = await tested('desk', place(transport));
    expect(right.code, right.stdout).toBe(0);
    expect(right.stage('register')).toMatchObject({ status: 'ok', facts: { unregistered: true } });
    expect(right.stage('pbx-registration')).toMatchObject({ status: 'warning', cause: 'no_phone' });
    await untouched('desk');
  });

  it('tells a password that was not delivered', async () => {
    await box.ok('user set bob --password env:P', { env: { P: 'Another-one-since' } });
    const wrong = await tested('bob', place('udp'));
    expect(wrong.code, wrong.stdout).toBe(1);
    expect(wrong.stage('register')).toMatchObject({ cause: 'credentials_rejected', facts: { attempts: 1 } });
    expect(wrong.told).toContain('credentials_rejected');
  });

  it('tells a user that was not delivered', async () => {
    const early = await tested('late', place('udp'));
    expect(early.code, early.stdout).toBe(1);
    expect(early.stage('pbx-registration')).toMatchObject({ cause: 'not_on_node' });
    expect(early.told).toContain('not_on_node');
  });

  describe('with --webrtc', () => {
    const browser = (more = '') =>
      `--webrtc --port ${asterisk.http.https} --ca ${join(asterisk.etc, 'tls.crt')} ${more}`;

    it('registers over a secure WebSocket, and reads DTLS and ICE from an answer', async () => {
      const right = await tested('ann', browser('--call 600'));
      expect(right.code, right.stdout).toBe(0);
      expect(right.stage('connect')?.detail).toContain('wss');
      expect(right.stage('register')).toMatchObject({ status: 'ok', facts: { unregistered: true } });
      expect(right.stage('webrtc'), right.stdout).toMatchObject({
        status: 'ok',
        facts: { profile: 'UDP/TLS/RTP/SAVPF', fingerprint: 'SHA-256', ice: true, rtcpMux: true },
      });
      expect(right.stage('webrtc')?.facts.byeStatus).toBe(200);
      await untouched('ann');
    });

    it('takes a call back that nobody answers', async () => {
      const rings = await tested('ann', browser('--call 601'));
      expect(rings.stage('webrtc'), rings.stdout).toMatchObject({ cause: 'not_answered' });
      await untouched('ann');
    });

    it('says what it did not do without a number, over a plain WebSocket', async () => {
      const plain = await tested('ann', `--webrtc --transport ws --port ${asterisk.http.http}`);
      expect(plain.code, plain.stdout).toBe(0);
      expect(plain.stage('register')?.status).toBe('ok');
      expect(plain.stage('webrtc')).toMatchObject({ status: 'skipped' });
      expect(plain.stage('webrtc')?.detail).toContain('--call');
    });

    it('tells a certificate that browsers refuse, a wrong path, and a number that is not there', async () => {
      const untrusted = await tested('ann', `--webrtc --port ${asterisk.http.https}`);
      expect(untrusted.stage('connect')?.cause, untrusted.stdout).toBe('tls_untrusted');
      const lost = await tested('ann', browser('--path /sip'));
      expect(lost.stage('connect')).toMatchObject({ cause: 'ws_refused', facts: { status: 404 } });
      const nowhere = await tested('ann', browser('--call 699'));
      expect(nowhere.stage('webrtc')?.cause, nowhere.stdout).toBe('not_found');
    });

    it('tells a user that is none for browsers, here and at the PBX', async () => {
      const desk = await tested('desk', browser('--call 600'));
      expect(desk.code).toBe(1);
      expect(desk.stage('configuration')).toMatchObject({ cause: 'not_webrtc_template' });
      expect(desk.stage('webrtc')?.status).toBe('skipped');
      await box.ok('user set desk --template webrtc_user');
      const undelivered = await tested('desk', browser('--call 600'));
      expect(undelivered.stage('webrtc'), undelivered.stdout).toMatchObject({ cause: 'not_acceptable' });
      expect(undelivered.told).toContain('not_acceptable');
    });
  });

  it('tells a PBX that is not running', async () => {
    process.kill(asterisk.pid, 'SIGKILL');
    await expect.poll(() => isRunning(asterisk.pid)).toBe(false);
    for (const flags of [place('tcp'), `--webrtc --port ${asterisk.http.https}`]) {
      const gone = await tested('ann', flags);
      expect(gone.code, gone.stdout).toBe(7);
      expect(gone.stage('connect')?.cause).toBe('connection_refused');
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
