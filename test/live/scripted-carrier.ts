import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';

/** What a carrier makes of one request. */
export interface Arrival {
  method: string;
  /** User part of the request URI: of an INVITE, the number. */
  user: string;
  text: string;
  /** Answers it; retransmissions are answered the same. */
  answer(status: string, headers?: readonly string[], body?: string): void;
}

const realm = 'carrier.test';
const nonce = 'n0nce';

/**
 * A carrier at port 5060 of an address of its own, over UDP: it registers the accounts it knows by RFC 2617, answers
 * OPTIONS, and makes of a call what the last three digits of its number say.
 *
 * ```
 * …200 rings, then answers      …180 rings for ever      …183 early media for ever      …000 silence
 * …404, …486, …488, …503: refused so
 * ```
 */
export class ScriptedCarrier {
  readonly host: string;
  /** A port of the same address at which not a word is said to anything. */
  readonly mutePort: number;
  /** Requests by their methods, in their order, without retransmissions. */
  readonly methods: string[] = [];
  /** First lines and From headers of the calls. */
  readonly calls: { uri: string; from: string }[] = [];
  /** True: not a word is said to anything. */
  silent = false;
  readonly #socket: Socket;
  readonly #mute: Socket;
  readonly #passwords: Readonly<Record<string, string>>;
  readonly #answered = new Map<string, string>();
  #pickUp: NodeJS.Timeout | undefined;
  readonly #inDialog = new Map<string, (status: string) => void>();

  private constructor(socket: Socket, mute: Socket, passwords: Readonly<Record<string, string>>) {
    this.host = socket.address().address;
    this.mutePort = mute.address().port;
    this.#socket = socket;
    this.#mute = mute;
    this.#passwords = passwords;
    socket.on('message', (message, from) => {
      const text = message.toString();
      if (text.length > 8 && !text.startsWith('SIP/2.0')) this.#take(text, from.port, from.address);
    });
  }

  static async open(host: string, passwords: Readonly<Record<string, string>>): Promise<ScriptedCarrier> {
    return new ScriptedCarrier(await bound(host, 5060), await bound(host, 0), passwords);
  }

  close(): void {
    this.#socket.close();
    this.#mute.close();
  }

  #take(text: string, port: number, address: string): void {
    if (this.silent) return;
    const { method, user, branch, callId } = partsOf(text);
    const transaction = `${method} ${branch}`;
    const before = this.#answered.get(transaction);
    if (before !== undefined) {
      if (before !== '') this.#socket.send(before, port, address);
      return;
    }
    this.methods.push(method);
    if (method === 'ACK') {
      this.#answered.set(transaction, '');
      return;
    }
    const answer: Arrival['answer'] = (status, headers = [], body = '') => {
      const reply = replyTo(text, status, headers, body);
      this.#answered.set(transaction, reply);
      this.#socket.send(reply, port, address);
    };
    if (method === 'INVITE') this.#inDialog.set(callId, answer);
    // RFC 3261 §9.2: a call that is cancelled ends with 487.
    if (method === 'CANCEL') {
      clearTimeout(this.#pickUp);
      this.#inDialog.get(callId)?.('487 Request Terminated');
    }
    this.#judge({ method, user, text, answer });
  }

  #judge(arrival: Arrival): void {
    if (arrival.method === 'REGISTER') this.#register(arrival);
    else if (arrival.method === 'INVITE') this.#call(arrival);
    else arrival.answer('200 OK');
  }

  #register({ text, answer }: Arrival): void {
    const account = /^To:.*sips?:([^@>]*)@/im.exec(text)?.[1] ?? '';
    const proof = /^Authorization: *Digest (.*)$/im.exec(text)?.[1];
    const contact = /^Contact:.*$/im.exec(text)?.[0].replace(/;expires=\d+/i, '') ?? '';
    if (proof === undefined)
      answer('401 Unauthorized', [`WWW-Authenticate: Digest realm="${realm}", nonce="${nonce}"`]);
    else if (isProved(proof, account, this.#passwords[account] ?? ''))
      answer('200 OK', [`${contact};expires=120`]);
    else answer('403 Forbidden');
  }

  #call({ user, text, answer }: Arrival): void {
    const line = /^INVITE (\S+)/.exec(text)?.[1] ?? '';
    this.calls.push({ uri: line, from: /^From:.*$/im.exec(text)?.[0] ?? '' });
    const wanted = user.slice(-3);
    const contact = `Contact: <sip:${user}@${this.host}:5060>`;
    const media = [contact, 'Content-Type: application/sdp'];
    if (wanted !== '000') answer('100 Trying');
    if (wanted === '180' || wanted === '200') answer('180 Ringing', [contact]);
    if (wanted === '183') answer('183 Session Progress', media, sessionAt(this.host));
    if (wanted === '200') this.#pickUp = setTimeout(() => answer('200 OK', media, sessionAt(this.host)), 300);
    if (Number(wanted) >= 300) answer(`${wanted} No`);
  }
}

function bound(host: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => resolve(socket));
  });
}

/** RFC 2617 §3.2.2, without qop. */
function isProved(proof: string, account: string, password: string): boolean {
  const given = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(proof)?.[1] ?? '';
  const md5 = (value: string): string => createHash('md5').update(value).digest('hex');
  const secret = md5(`${account}:${realm}:${password}`);
  return given('response') === md5(`${secret}:${nonce}:${md5(`REGISTER:${given('uri')}`)}`);
}

// PCMA and nothing else: RFC 3551.
const sessionAt = (host: string): string =>
  [
    ...['v=0', `o=- 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0'],
    ...['m=audio 30000 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000', ''],
  ].join('\r\n');

function partsOf(text: string) {
  const [method = '', uri = ''] = text.split(' ', 2);
  return {
    method,
    user: /^sips?:([^@;]*)@/.exec(uri)?.[1] ?? '',
    branch: /^(?:Via|v):.*branch=([^;,\s]+)/im.exec(text)?.[1] ?? '',
    callId: /^(?:Call-ID|i): *(\S+)/im.exec(text)?.[1] ?? '',
  };
}

/** RFC 3261 §8.2.6: the answer carries the request's Via, From, To, Call-ID and CSeq. */
function replyTo(text: string, status: string, headers: readonly string[], body: string): string {
  const lines = (text.split('\r\n\r\n')[0] ?? '').split('\r\n');
  const of = (name: string): string[] =>
    lines.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  const to = of('To').map((line) =>
    /;tag=/.test(line) || status.startsWith('100') ? line : `${line};tag=carrier`,
  );
  return [
    `SIP/2.0 ${status}`,
    ...[...of('Via'), ...of('From'), ...to, ...of('Call-ID'), ...of('CSeq'), ...headers],
    ...[`Content-Length: ${Buffer.byteLength(body)}`, '', body],
  ].join('\r\n');
}
