import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { SipctlError } from '../../src/errors.ts';
import { responseTo } from '../../src/sip/call/dialog.ts';
import { headerOf, parseMessage, type SipRequest, serializeMessage } from '../../src/sip/message/message.ts';
import { sandbox } from '../support/run-sipctl.ts';
import type { TestedStage } from '../support/tested-trunk.ts';

const password = 'Secret-of-the-browser';

const browserAnswer = [
  ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  [
    'm=audio 40000 UDP/TLS/RTP/SAVPF 111 101',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:101 telephone-event/8000',
  ],
  ['a=fingerprint:SHA-256 AA:BB', 'a=setup:active', 'a=ice-ufrag:user', 'a=ice-pwd:secret-of-ice'],
  ['a=candidate:Hc 1 UDP 2130706431 127.0.0.1 40000 typ host', 'a=rtcp-mux', 'a=sendrecv', ''],
].flat();

/** The answer of a PBX, without the lines that begin so. */
const without = (...starts: string[]): string[] =>
  browserAnswer.filter((line) => !starts.some((start) => line.startsWith(`a=${start}`)));

interface Answer {
  /** Final status; null: it rings, until it is cancelled. */
  status: number | null;
  /** Comes with the 200, or before the ringing where `early` says so. */
  sdp?: string[];
  early?: boolean;
  /** It rings. */
  rang?: () => void;
}

/** A PBX for browsers that takes every account, and what it was asked. */
async function pbx(answer: Answer): Promise<{ port: number; requests: SipRequest[] }> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: '/ws', handleProtocols: () => 'sip' });
  const requests: SipRequest[] = [];
  sockets.on('connection', (socket) => {
    let invite: SipRequest | null = null;
    socket.on('message', (data: Buffer) => {
      const request = parseMessage(data) as SipRequest;
      requests.push(request);
      if (request.method === 'INVITE') {
        invite = request;
        take(socket, request, answer);
      } else if (request.method !== 'ACK') say(socket, request, 200);
      if (request.method === 'CANCEL' && invite !== null) say(socket, invite, 487);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    http.close();
  });
  return { port: (http.address() as { port: number }).port, requests };
}

function take(socket: WebSocket, invite: SipRequest, { status, sdp, early, rang }: Answer): void {
  if (early) say(socket, invite, 183, sdp);
  else say(socket, invite, 180);
  // When the 180 has been seen.
  if (rang !== undefined) setTimeout(rang, 50);
  if (status !== null) say(socket, invite, status, status < 300 ? sdp : undefined);
}

function say(socket: WebSocket, request: SipRequest, status: number, sdp: string[] = []): void {
  const headers = [{ name: 'Contact', value: '<sip:pbx@127.0.0.1;transport=ws>' }];
  const body = Buffer.from(sdp.join('\r\n'));
  socket.send(
    serializeMessage(responseTo(request, status, 'Because', { tag: 'pbx', headers, body })).toString(),
  );
}

async function tested(answer: Answer, flags = '--call 600', signal?: AbortSignal) {
  const server = await pbx(answer);
  const box = await sandbox();
  await box.ok('user add ann --extension 1001 --template webrtc_user --password env:P', {
    env: { P: password },
  });
  const place = `--webrtc --transport ws --host 127.0.0.1 --port ${server.port}`;
  const { code, json, stdout } = await box.sipctl(`user test ann ${place} ${flags} --timeout 1 --json`, {
    ...(signal === undefined ? {} : { signal }),
  });
  const [only] = (
    (json().data ?? { users: [] }) as {
      users: { stages: TestedStage[]; causes: { code: string; field?: string; hint?: string }[] }[];
    }
  ).users;
  const stage = (name: string) => only?.stages.find((one) => one.stage === name);
  const methods = server.requests.map(({ method }) => method);
  return { box, code, stage, causes: only?.causes ?? [], methods, requests: server.requests, stdout };
}

it('offers what a browser would, reads the answer, and hangs up', async () => {
  const { code, stage, methods, requests, stdout } = await tested({ status: 200, sdp: browserAnswer });
  expect(code, stdout).toBe(0);
  expect(methods).toEqual(['OPTIONS', 'REGISTER', 'REGISTER', 'INVITE', 'ACK', 'BYE']);
  const offer = requests.find(({ method }) => method === 'INVITE')?.body.toString() ?? '';
  expect(offer).toMatch(/^m=audio 9 UDP\/TLS\/RTP\/SAVPF 111 0 101\r$/m);
  expect(offer).toMatch(/^a=fingerprint:sha-256 ([\dA-F]{2}:){31}[\dA-F]{2}\r$/m);
  expect(offer).toMatch(/^a=ice-pwd:[\da-f]{22,256}\r$/m);
  expect(offer).toMatch(/^a=setup:actpass\r$/m);
  expect(stage('webrtc')).toMatchObject({
    status: 'ok',
    facts: {
      ...{ number: '600', byeStatus: 200, fingerprint: 'SHA-256', setup: 'active', ice: true, rtcpMux: true },
      ...{ candidates: ['udp 127.0.0.1:40000 host'], codecs: ['opus', 'telephone-event'] },
    },
  });
  expect(stdout).not.toContain('secret-of-ice');
});

it.each<[string, Answer]>([
  ['webrtc_no_dtls', { status: 200, sdp: without('fingerprint') }],
  ['webrtc_no_ice', { status: 200, sdp: without('ice-ufrag', 'ice-pwd', 'candidate') }],
  ['webrtc_no_ice', { status: 200, sdp: without('candidate') }],
  ['webrtc_no_rtcp_mux', { status: 200, sdp: without('rtcp-mux') }],
  ['not_acceptable', { status: 200, sdp: [] }],
])('says %s of an answer that a browser could not use, and hangs up', async (cause, answer) => {
  const { code, stage, methods, causes, stdout } = await tested(answer);
  const isWarning = cause === 'webrtc_no_rtcp_mux';
  expect(stage('webrtc'), stdout).toMatchObject({ cause, status: isWarning ? 'warning' : 'failed' });
  expect(code).toBe(isWarning ? 0 : 1);
  expect(causes).toContainEqual(expect.objectContaining({ code: cause, hint: expect.any(String) }));
  expect(methods.slice(-2)).toEqual(['ACK', 'BYE']);
});

it('takes the call back as soon as an early answer says enough, and where nobody answers', async () => {
  const early = await tested({ status: null, sdp: browserAnswer, early: true });
  expect(early.stage('webrtc'), early.stdout).toMatchObject({ status: 'ok', facts: { ice: true } });
  expect(early.methods.slice(-3)).toEqual(['INVITE', 'CANCEL', 'ACK']);
  const never = await tested({ status: null });
  expect(never.stage('webrtc'), never.stdout).toMatchObject({ status: 'failed', cause: 'not_answered' });
  expect(never.methods.slice(-3)).toEqual(['INVITE', 'CANCEL', 'ACK']);
});

it('takes the call back when it is interrupted', async () => {
  const leave = new AbortController();
  const rang = () => leave.abort(new SipctlError('interrupted', { code: 'interrupted', message: 'stopped' }));
  const { code, methods } = await tested({ status: null, rang }, '--call 600', leave.signal);
  expect(code).toBe(130);
  expect(methods.slice(-3)).toEqual(['INVITE', 'CANCEL', 'ACK']);
});

it.each([
  [488, 'not_acceptable', 'template'],
  [404, 'not_found', undefined],
])('tells a call refused with %i as %s', async (status, cause, field) => {
  const { code, stage, causes, methods } = await tested({ status });
  expect(code).toBe(1);
  expect(stage('webrtc')).toMatchObject({ status: 'failed', cause, facts: { status } });
  expect(causes.find((one) => one.code === cause)?.field).toBe(field);
  expect(methods.at(-1)).toBe('ACK');
});

it('places no call without a number, and warns of a template that does no WebRTC', async () => {
  const { box, stage, methods, requests } = await tested({ status: 200 }, '');
  expect(stage('webrtc')).toMatchObject({ status: 'skipped', cause: null });
  expect(methods).not.toContain('INVITE');
  expect(headerOf(requests[0] as SipRequest, 'Contact')).toContain('.invalid;transport=ws>');
  await box.ok('user set ann --template basic_user');
  const { json } = await box.sipctl('user test ann --webrtc --host 127.0.0.1 --port 9 --timeout 1 --json');
  const data = json().data as {
    users: { stages: TestedStage[]; causes: { code: string; field?: string }[] }[];
  };
  expect(data.users[0]?.stages.map(({ stage: name, cause }) => [name, cause])).toEqual([
    ['configuration', 'not_webrtc_template'],
    ['dns', null],
    ['connect', 'connection_refused'],
  ]);
  expect(data.users[0]?.causes[0]).toMatchObject({ code: 'not_webrtc_template', field: 'template' });
});

it.each([
  ['--call 600', 'invalid_call'],
  ['--path /ws', 'invalid_path'],
  ['--webrtc --path ws', 'invalid_path'],
  ['--webrtc --call 6@0', 'invalid_call'],
  ['--webrtc --transport udp', 'invalid_transport'],
])('refuses %s', async (flags, code) => {
  const box = await sandbox();
  await box.ok('user add ann --extension 1001 --password env:P', { env: { P: password } });
  const ended = await box.sipctl(`user test ann --host 127.0.0.1 ${flags} --json`);
  expect(ended.json().errors[0]?.code).toBe(code);
});
