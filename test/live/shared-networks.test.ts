import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach } from './attached.ts';

const seen = '${CONTEXT}|${CHANNEL(endpoint)}';
const contexts = ['own-acme', 'own-beta', 'own-corp', 'from-carrier'];
const dialplan = contexts
  .map((name) => `[${name}]\nexten = _[+0-9a-z].,1,Set(GLOBAL(SEEN)=${seen})\n same = n,Hangup()\n`)
  .join('\n');

/** A carrier that takes every registration, and calls from one address: no real one needs to do more here. */
interface Carrier {
  host: string;
  port: number;
  /** Account → the address that it registered. */
  contacts: Map<string, string>;
  /** Calls an address of the PBX, and waits until the call is refused or taken. */
  call(uri: string): Promise<void>;
  close(): void;
}

async function startCarrier(pbx: AsteriskInstance): Promise<Carrier> {
  const host = pbx.host.replace(/[0-9]+$/, (last) => String((Number(last) % 250) + 2));
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  const { port } = socket.address();
  const contacts = new Map<string, string>();
  const ended = new Map<string, () => void>();
  socket.on('message', (bytes, from) => {
    const [line = '', ...headers] = bytes.toString().split('\r\n');
    const of = (name: string): string[] => headers.filter((one) => one.toLowerCase().startsWith(`${name}:`));
    const [callId = ''] = of('call-id');
    if (line.startsWith('SIP/2.0')) {
      if (!line.startsWith('SIP/2.0 1')) ended.get(callId.replace(/^[^:]*: */, ''))?.();
      return;
    }
    const [contact = ''] = of('contact');
    const account = /<sips?:([^@>]+)@/.exec(of('to')[0] ?? '')?.[1];
    const uri = /<([^>]+)>/.exec(contact)?.[1];
    if (line.startsWith('REGISTER') && account !== undefined && uri !== undefined) contacts.set(account, uri);
    const same = ['via', 'from', 'to', 'call-id', 'cseq', 'contact'].flatMap(of);
    reply(socket, from, ['SIP/2.0 200 OK', ...same, 'Expires: 300', 'Content-Length: 0', '', '']);
  });
  const call = (uri: string): Promise<void> => {
    const id = Math.random().toString(36).slice(2);
    const over = new Promise<void>((resolve) => ended.set(id, resolve));
    reply(socket, { address: pbx.host, port: pbx.sip.udp }, invite(uri, `${host}:${port}`, id));
    return over;
  };
  return { host, port, contacts, call, close: () => socket.close() };
}

const reply = (socket: Socket, to: { address: string; port: number }, lines: readonly string[]): void =>
  socket.send(lines.join('\r\n'), to.port, to.address);

function invite(uri: string, from: string, id: string): string[] {
  const sdp =
    'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n';
  return [
    `INVITE ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from};branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:+15550001111@${from}>;tag=${id}`,
    `To: <${uri}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:carrier@${from}>`,
    'Content-Type: application/sdp',
    `Content-Length: ${sdp.length}`,
    '',
    sdp,
  ];
}

describeAsterisk('trunks whose calls come from the same addresses', ({ start }) => {
  let pbx: AsteriskInstance;
  let carrier: Carrier;
  let box: Sandbox;

  beforeAll(async () => {
    pbx = await start({ etc: { 'extensions.d/trunks.conf': dialplan } });
    carrier = await startCarrier(pbx);
    box = await attach(pbx);
    const at = `--host ${carrier.host} --port ${carrier.port} --networks ${carrier.host}`;
    for (const tenant of ['acme', 'beta', 'corp']) await box.ok(`tenant add ${tenant}`);
    // The narrower network is no reason for Asterisk.
    await box.ok(
      `trunk add one --tenant acme --context own-acme --provider custom_ip ${at.replace(/\.[0-9]+$/, '.0/24')}`,
    );
    await box.ok(`trunk add two --tenant beta --context own-beta --provider custom_ip ${at}`);
    const account = '--provider custom_credential --username corp --password env:PASSWORD';
    await box.ok(`trunk add three --tenant corp --context own-corp ${account} ${at}`, {
      env: { PASSWORD: 'secret' },
    });
  });
  afterAll(() => carrier?.close());

  async function takenBy(uri: string): Promise<string | undefined> {
    await carrier.call(uri);
    return /^\s*SEEN=(.*)$/m.exec(await pbx.cli('dialplan show globals'))?.[1];
  }
  const numbered = (number: string): string => `sip:${number}@${pbx.host}:${pbx.sip.udp}`;

  it('are taken for one and the same, whatever number is called: sipctl has warned of it', async () => {
    const ended = await box.apply();
    expect(ended.json().warnings).toMatchObject([{ code: 'shared_networks' }]);
    const taken = [await takenBy(numbered('+15551234567')), await takenBy(numbered('+15557654321'))];
    expect(taken[0]).toMatch(/^own-\w+\|\w+\.\w+$/);
    expect(taken[1]).toBe(taken[0]);
  });

  it('are told apart by a contact that was registered', async () => {
    await expect.poll(() => carrier.contacts.get('corp'), { timeout: 30_000, interval: 200 }).toBeDefined();
    expect(await takenBy(carrier.contacts.get('corp') ?? '')).toBe('own-corp|corp.three');
  });

  it('lead to one dialplan where they have one context', async () => {
    for (const [name, tenant] of [
      ['one', 'acme'],
      ['two', 'beta'],
      ['three', 'corp'],
    ])
      await box.ok(`trunk set ${name} --tenant ${tenant} --context from-carrier`);
    expect((await box.apply()).json().warnings).toEqual([]);
    expect(await takenBy(numbered('+15551234567'))).toMatch(/^from-carrier\|/);
  });
});
