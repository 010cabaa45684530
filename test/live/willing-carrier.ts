import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';
import type { AsteriskInstance } from './asterisk.ts';

/** One request that a carrier got, as far as tests look at it. */
export interface CarrierRequest {
  /** Names the transaction. */
  branch: string;
  method: string;
  transport: 'udp' | 'tcp' | 'tls';
  /** User part of To: the account that is registered. */
  account: string;
  /** Of a REGISTER: seconds; 0 ends the registration. */
  expires: number | null;
}

/** A carrier that says 200 to everybody, at the usual ports of an address of its own. */
export interface WillingCarrier {
  host: string;
  requests: readonly CarrierRequest[];
  close(): Promise<void>;
}

/** Ports of the providers: 5080 and 5081 are FreeSWITCH's external profile. */
const ports = { plain: [5060, 5080], tls: [5061, 5081] } as const;

/**
 * Lets many trunks be up, so that whatever Asterisk then logs is about the files. It knows no passwords: what a carrier
 * makes of them is the subject of the tests with a second Asterisk.
 */
export async function startWillingCarrier(asterisk: AsteriskInstance): Promise<WillingCarrier> {
  const host = otherAddress(asterisk.host);
  const requests: CarrierRequest[] = [];
  const closers: (() => Promise<void>)[] = [];
  for (const port of ports.plain) {
    closers.push(await listenUdp(host, port, (text) => answer(text, 'udp', requests)));
    closers.push(await listenStream(host, port, createServer(), (text) => answer(text, 'tcp', requests)));
  }
  const [cert, key] = ['tls.crt', 'tls.key'].map((file) => tryRead(join(asterisk.etc, file)));
  for (const port of cert && key ? ports.tls : []) {
    const server = createTlsServer({ cert, key });
    closers.push(await listenStream(host, port, server, (text) => answer(text, 'tls', requests)));
  }
  return {
    host,
    requests,
    close: async () => {
      await Promise.all(closers.map((close) => close()));
    },
  };
}

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

// Another one of 127.0.0.0/8 than the instance's, which no other instance is likely to have.
function otherAddress(address: string): string {
  const [, second = '0', third, fourth] = address.split('.');
  return `127.${(Number(second) + 1) % 255}.${third}.${fourth}`;
}

/** RFC 3261 §8.2.6: the answer carries the request's Via, From, To, Call-ID and CSeq. */
function answer(text: string, transport: CarrierRequest['transport'], requests: CarrierRequest[]): string {
  const [line = '', ...lines] = text.split('\r\n');
  const method = line.slice(0, line.indexOf(' '));
  const of = (name: string): string[] =>
    lines.filter((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  const value = (name: string): string => of(name)[0]?.replace(/^[^:]*:\s*/, '') ?? '';
  const branch = /;branch=([^;,\s]+)/.exec(value('Via'))?.[1] ?? '';
  const contact = value('Contact');
  const expires = /;expires=([0-9]+)/.exec(contact)?.[1] ?? value('Expires');
  // What comes again because the answer was late is the same request: RFC 3261 §17.1.2.
  if (!requests.some((one) => one.branch === branch)) {
    requests.push({
      branch,
      method,
      transport,
      account: /sips?:([^@>]*)@/.exec(value('To'))?.[1] ?? '',
      expires: method === 'REGISTER' ? Number(expires || '300') : null,
    });
  }
  const to = of('To').map((one) => (/;tag=/.test(one) ? one : `${one};tag=willing`));
  const contacts = method === 'REGISTER' ? of('Contact') : [];
  const granted = method === 'REGISTER' ? [`Expires: ${expires || '300'}`] : [];
  return [
    'SIP/2.0 200 OK',
    ...[...of('Via'), ...of('From'), ...to, ...of('Call-ID'), ...of('CSeq'), ...contacts, ...granted],
    ...['Content-Length: 0', '', ''],
  ].join('\r\n');
}

function listenUdp(
  host: string,
  port: number,
  reply: (text: string) => string,
): Promise<() => Promise<void>> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    // Four bytes keep a NAT binding open: RFC 5626 §3.5.1.
    if (message.length > 4) socket.send(reply(message.toString()), from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => resolve(() => new Promise((closed) => socket.close(() => closed()))));
  });
}

function listenStream(
  host: string,
  port: number,
  server: ReturnType<typeof createServer>,
  reply: (text: string) => string,
): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    let pending = '';
    socket.on('data', (data: Buffer) => {
      pending += data.toString();
      // No request here has a body.
      for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
        const text = pending.slice(0, end);
        pending = pending.slice(end + 4);
        if (text.trim() !== '') socket.write(reply(text.trimStart()));
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', serve);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      resolve(
        () =>
          new Promise((closed) => {
            for (const socket of sockets) socket.destroy();
            server.close(() => closed());
          }),
      );
    });
  });
}
