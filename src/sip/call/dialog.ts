import { parseCSeq, parseNameAddress, parseUri } from '../message/fields.ts';
import { type Header, headerOf, headersOf, type SipRequest, type SipResponse } from '../message/message.ts';
import { newVia } from '../message/requests.ts';
import type { Connection } from '../transport/connection.ts';

/** The tag of a From or To; empty where there is none. */
export function tagIn(value: string | null): string {
  return parseNameAddress(value ?? '')?.params.tag ?? '';
}

export function sequenceOf(message: SipRequest | SipResponse): number {
  return parseCSeq(headerOf(message, 'CSeq') ?? '')?.number ?? 0;
}

const credentialHeaders = ['Authorization', 'Proxy-Authorization'];

/** Our side of a dialog that an INVITE of ours began (RFC 3261 §12). */
export class Dialog {
  readonly #invite: SipRequest;
  /** The To of the answer, with the tag of the peer. */
  readonly #to: string;
  /** The Record-Routes of the answer, nearest first. */
  readonly #routes: readonly string[];
  #target: string;
  #sequence: number;

  constructor(invite: SipRequest, answer: SipResponse) {
    this.#invite = invite;
    this.#to = headerOf(answer, 'To') ?? '';
    this.#routes = headersOf(answer, 'Record-Route').reverse();
    this.#target = invite.uri;
    this.#sequence = sequenceOf(invite);
    this.refresh(answer);
  }

  get remoteTag(): string {
    return tagIn(this.#to);
  }

  /** Takes the Contact of a message as the new remote target (RFC 3261 §12.2). */
  refresh(message: SipRequest | SipResponse): void {
    const contact = parseNameAddress(headersOf(message, 'Contact')[0] ?? '');
    if (contact && parseUri(contact.uri)) this.#target = contact.uri;
  }

  /** The URI whose place is the next hop of a request in this dialog. */
  get nextHop(): string {
    return parseNameAddress(this.#routes[0] ?? '')?.uri ?? this.#target;
  }

  /** A request of its own transaction. */
  request(method: string, connection: Connection, more: readonly Header[] = []): SipRequest {
    this.#sequence += 1;
    return this.#make(method, this.#sequence, connection, more);
  }

  /** For a 2xx: of the number, and with the credentials, of the INVITE (RFC 3261 §13.2.2.4). */
  acknowledgement(connection: Connection): SipRequest {
    const credentials = this.#invite.headers.filter(({ name }) => credentialHeaders.includes(name));
    return this.#make('ACK', sequenceOf(this.#invite), connection, credentials);
  }

  #make(method: string, sequence: number, connection: Connection, more: readonly Header[]): SipRequest {
    const { uri, routes } = this.#path();
    const kept = ['From', 'Call-ID'].map((name) => ({ name, value: headerOf(this.#invite, name) ?? '' }));
    const headers = [
      newVia(connection),
      { name: 'Max-Forwards', value: '70' },
      ...routes.map((value) => ({ name: 'Route', value })),
      ...kept,
      { name: 'To', value: this.#to },
      { name: 'CSeq', value: `${sequence} ${method}` },
      ...more,
    ];
    return { kind: 'request', method, uri, headers, body: Buffer.alloc(0) };
  }

  /** A first hop without `lr` wants the request URI for itself (RFC 3261 §12.2.1.1). */
  #path(): { uri: string; routes: readonly string[] } {
    const first = parseNameAddress(this.#routes[0] ?? '');
    if (!first || parseUri(first.uri)?.params.lr !== undefined)
      return { uri: this.#target, routes: this.#routes };
    return { uri: first.uri, routes: [...this.#routes.slice(1), `<${this.#target}>`] };
  }
}

/** What we can be asked for; SIP wants it in answers to OPTIONS and with a 405. */
export const allow: Header = {
  name: 'Allow',
  value: 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY',
};

/** A response that goes back the way of its request (RFC 3261 §8.2.6). */
export function responseTo(
  request: SipRequest,
  status: number,
  reason: string,
  { tag, headers = [], body = Buffer.alloc(0) }: { tag: string; headers?: readonly Header[]; body?: Buffer },
): SipResponse {
  const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
    headersOf(request, name).map((value) => ({ name, value })),
  );
  const to = headerOf(request, 'To') ?? '';
  const own = [{ name: 'To', value: tagIn(to) ? to : `${to};tag=${tag}` }];
  const type = body.length > 0 ? [{ name: 'Content-Type', value: 'application/sdp' }] : [];
  return { kind: 'response', status, reason, headers: [...copied, ...own, ...headers, ...type], body };
}
