import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { responseTo, tagIn } from '../../../src/sip/call/dialog.ts';
import {
  type Header,
  headerOf,
  headersOf,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  serializeMessage,
} from '../../../src/sip/message/message.ts';
import type { Connection } from '../../../src/sip/transport/connection.ts';
import { openConnection } from '../../../src/sip/transport/transport.ts';

interface Reply {
  tag?: string;
  headers?: readonly Header[];
  body?: Buffer;
}

/** A phone at the other end of a UDP socket on 127.0.0.1 that does what a test tells it, right or wrong. */
export class ScriptedUas {
  readonly #socket: Socket;
  #peer: RemoteInfo | null = null;
  #sequence = 0;
  readonly requests: SipRequest[] = [];
  readonly responses: SipResponse[] = [];
  readonly #script: (uas: ScriptedUas, request: SipRequest, count: number) => void;

  private constructor(socket: Socket, script: ScriptedUas['play']) {
    this.#socket = socket;
    this.#script = script;
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
  }

  /** `script` is called for each request that is no repetition, with how many of its method came. */
  static async start(script: ScriptedUas['play']): Promise<ScriptedUas> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ScriptedUas(socket, script);
  }

  play(_uas: ScriptedUas, _request: SipRequest, _count: number): void {}

  get port(): number {
    return this.#socket.address().port;
  }

  get contact(): Header {
    return { name: 'Contact', value: `<sip:uas@127.0.0.1:${this.port}>` };
  }

  connect(): Promise<Connection> {
    const target = {
      name: '127.0.0.1',
      address: '127.0.0.1',
      family: 4,
      port: this.port,
      transport: 'udp',
    } as const;
    return openConnection(target, { timeoutMs: 5_000, signal: new AbortController().signal });
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    this.#peer = from;
    const message = parseMessage(bytes);
    if (message.kind === 'response') {
      this.responses.push(message);
      return;
    }
    const branch = headersOf(message, 'Via')[0];
    const isRepeated =
      message.method !== 'ACK' &&
      this.requests.some((one) => headersOf(one, 'Via')[0] === branch && one.method === message.method);
    this.requests.push(message);
    if (!isRepeated) this.#script(this, message, this.of(message.method).length);
  }

  of(method: string): SipRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  send(message: SipMessage): void {
    if (this.#peer) this.#socket.send(serializeMessage(message), this.#peer.port, this.#peer.address);
  }

  reply(request: SipRequest, status: number, { tag = 'uas', headers = [], body }: Reply = {}): void {
    const made = { tag, headers: [this.contact, ...headers] };
    this.send(responseTo(request, status, `Scripted ${status}`, body ? { ...made, body } : made));
  }

  /** A request of ours within the dialog of an INVITE. */
  ask(invite: SipRequest, method: string, body: Buffer = Buffer.alloc(0), sequence?: number): number {
    this.#sequence = sequence ?? this.#sequence + 1;
    const value = (name: string) => headerOf(invite, name) ?? '';
    this.send({
      kind: 'request',
      method,
      uri: contactUri(invite),
      headers: [
        { name: 'Via', value: `SIP/2.0/UDP 127.0.0.1:${this.port};branch=z9hG4bK${method}${this.#sequence}` },
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: tagIn(value('To')) ? value('To') : `${value('To')};tag=uas` },
        { name: 'To', value: value('From') },
        { name: 'Call-ID', value: value('Call-ID') },
        { name: 'CSeq', value: `${this.#sequence} ${method}` },
        this.contact,
      ],
      body,
    });
    return this.#sequence;
  }

  /** The statuses of what the caller answered to our requests of that method. */
  answersTo(method: string): SipResponse[] {
    return this.responses.filter((response) => (headerOf(response, 'CSeq') ?? '').endsWith(` ${method}`));
  }

  close(): void {
    this.#socket.close();
  }
}

function contactUri(invite: SipRequest): string {
  return /<(.*?)>/.exec(headerOf(invite, 'Contact') ?? '')?.[1] ?? '';
}
