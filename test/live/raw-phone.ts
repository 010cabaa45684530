import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';

/** What a phone knows of an account. */
export interface RawAccount {
  user: string;
  domain: string;
  password: string;
  /** What it signs for instead of the realm that it is asked for. */
  realm?: string;
}

/** A request that is written as it stands: nothing is escaped or checked. */
export interface RawCall {
  uri: string;
  /** Values of the headers, without tags. */
  from: string;
  to?: string;
  headers?: readonly string[];
  account?: RawAccount;
}

/** A call that was answered. */
export interface RawDialog {
  /** Sends a request in it; the answer is its status. */
  request(method: string, headers?: readonly string[]): Promise<number>;
}

interface Pending {
  answered(text: string): void;
}

const patienceMs = 15_000;
const token = (): string => randomBytes(6).toString('hex');

/**
 * One UDP socket that speaks SIP as its test writes it, where SIPp would keep to the rules. It answers every call, says
 * 200 to everything else, and keeps the requests it got.
 */
export class RawPhone {
  readonly host: string;
  readonly port: number;
  /** Requests, each once, in their order. */
  readonly requests: string[] = [];
  readonly #socket: Socket;
  readonly #pending = new Map<string, Pending>();
  readonly #seen = new Set<string>();

  private constructor(socket: Socket, host: string) {
    this.host = host;
    this.port = socket.address().port;
    this.#socket = socket;
    socket.on('message', (message, from) => {
      const text = message.toString();
      if (text.length > 8) this.#take(text, from.port, from.address);
    });
  }

  static open(host: string, port = 0): Promise<RawPhone> {
    const socket = createSocket('udp4');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => resolve(new RawPhone(socket, host)));
    });
  }

  close(): void {
    this.#socket.close();
  }

  /** Calls that arrived here. */
  get calls(): string[] {
    return this.requests.filter((text) => text.startsWith('INVITE ') && !/^To:.*;tag=/m.test(text));
  }

  /** Registers; the answer is the status that ended it. */
  async register(
    pbx: { host: string; port: number },
    account: RawAccount,
    contact = `<sip:${account.user}@${this.host}:${this.port}>`,
    expires = 120,
  ): Promise<number> {
    const address = `<sip:${account.user}@${account.domain}>`;
    const { status } = await this.#signed(pbx, 'REGISTER', {
      ...{ uri: `sip:${account.domain}`, from: address, to: address, account },
      headers: [`Contact: ${contact}`, `Expires: ${expires}`],
    });
    return status;
  }

  /** Calls; the answer is the final status. A call that is answered ends after `during`. */
  async call(
    pbx: { host: string; port: number },
    call: RawCall,
    during: (dialog: RawDialog) => Promise<unknown> = async () => undefined,
  ): Promise<number> {
    const contact = `Contact: <sip:raw@${this.host}:${this.port}>`;
    const headers = [contact, ...(call.headers ?? [])];
    const { status, text, from, id } = await this.#signed(pbx, 'INVITE', { ...call, headers });
    if (status >= 300) return status;
    const target = /^Contact:.*<([^>]+)>/im.exec(text)?.[1] ?? call.uri;
    const to = /^To: *(.*)$/im.exec(text)?.[1] ?? '';
    let cseq = 100;
    const inside = (method: string, more: readonly string[] = []): Promise<string> => {
      cseq += 1;
      return this.#send(pbx, method, { uri: target, from, to, id, cseq, headers: [contact, ...more] });
    };
    await during({ request: async (method, more) => statusOf(await inside(method, more)) });
    await inside('BYE').catch(() => undefined);
    return status;
  }

  async #signed(pbx: { host: string; port: number }, method: string, call: RawCall) {
    const id = `${token()}@raw`;
    const from = `${call.from};tag=${token()}`;
    const to = call.to ?? `<${call.uri}>`;
    const base = { uri: call.uri, from, to, id };
    let text = await this.#send(pbx, method, { ...base, cseq: 1, headers: call.headers ?? [] });
    this.#acknowledge(pbx, method, base, text, 1);
    const challenge = /^(WWW|Proxy)-Authenticate: *(Digest .*)$/im.exec(text);
    if (challenge !== null && call.account !== undefined) {
      const signature = sign(method, call.uri, challenge[2] ?? '', call.account);
      const header = `${challenge[1] === 'WWW' ? 'Authorization' : 'Proxy-Authorization'}: ${signature}`;
      text = await this.#send(pbx, method, { ...base, cseq: 2, headers: [...(call.headers ?? []), header] });
      this.#acknowledge(pbx, method, base, text, 2);
    }
    return { status: statusOf(text), text, from, id };
  }

  #acknowledge(
    pbx: { host: string; port: number },
    method: string,
    { uri, from, id }: { uri: string; from: string; id: string },
    text: string,
    cseq: number,
  ): void {
    if (method !== 'INVITE') return;
    const to = /^To: *(.*)$/im.exec(text)?.[1] ?? '';
    const target = statusOf(text) < 300 ? (/^Contact:.*<([^>]+)>/im.exec(text)?.[1] ?? uri) : uri;
    // RFC 3261 §17.1.1.3: where the call was refused, in the same transaction.
    const branch = statusOf(text) < 300 ? `z9hG4bK${token()}` : (/;branch=([^;,\s]+)/.exec(text)?.[1] ?? '');
    this.#write(pbx, 'ACK', { uri: target, from, to, id, cseq, branch, headers: [] });
  }

  #send(
    pbx: { host: string; port: number },
    method: string,
    message: { uri: string; from: string; to: string; id: string; cseq: number; headers: readonly string[] },
  ): Promise<string> {
    const key = `${message.id} ${message.cseq} ${method}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(key);
        reject(new Error(`no final answer to ${method} ${message.uri}`));
      }, patienceMs);
      this.#pending.set(key, {
        answered: (text) => {
          if (statusOf(text) < 200) return;
          clearTimeout(timer);
          this.#pending.delete(key);
          resolve(text);
        },
      });
      this.#write(pbx, method, { ...message, branch: `z9hG4bK${token()}` });
    });
  }

  #write(
    pbx: { host: string; port: number },
    method: string,
    message: {
      uri: string;
      from: string;
      to: string;
      id: string;
      cseq: number;
      branch: string;
      headers: readonly string[];
    },
  ): void {
    const body = method === 'INVITE' ? sdp(this.host) : '';
    const lines = [
      `${method} ${message.uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.host}:${this.port};branch=${message.branch};rport`,
      'Max-Forwards: 70',
      `From: ${message.from}`,
      `To: ${message.to}`,
      `Call-ID: ${message.id}`,
      `CSeq: ${message.cseq} ${method}`,
      ...message.headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, pbx.port, pbx.host);
  }

  #take(text: string, port: number, address: string): void {
    const [, id = ''] = /^Call-ID: *(\S+)/im.exec(text) ?? [];
    const [, cseq = ''] = /^CSeq: *(.*?)\s*$/im.exec(text) ?? [];
    if (text.startsWith('SIP/2.0')) {
      this.#pending.get(`${id} ${cseq}`)?.answered(text);
      return;
    }
    const transaction = `${/;branch=([^;,\s]+)/.exec(text)?.[1] ?? ''} ${cseq}`;
    if (!this.#seen.has(transaction)) this.requests.push(text);
    this.#seen.add(transaction);
    if (!text.startsWith('ACK ')) this.#socket.send(this.#answer(text), port, address);
  }

  /** RFC 3261 §8.2.6: the answer carries the request's Via, From, To, Call-ID and CSeq. */
  #answer(text: string): string {
    const lines = text.split('\r\n');
    const of = (name: string): string[] =>
      lines.filter((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    const isCall = text.startsWith('INVITE ');
    const body = isCall ? sdp(this.host) : '';
    return [
      'SIP/2.0 200 OK',
      ...[...of('Via'), ...of('Record-Route'), ...of('From')],
      ...of('To').map((one) => (/;tag=/.test(one) ? one : `${one};tag=raw${this.port}`)),
      ...[...of('Call-ID'), ...of('CSeq')],
      ...(text.startsWith('REGISTER ') ? of('Contact') : [`Contact: <sip:raw@${this.host}:${this.port}>`]),
      ...(isCall ? ['Content-Type: application/sdp'] : []),
      ...[`Content-Length: ${Buffer.byteLength(body)}`, '', body],
    ].join('\r\n');
  }
}

const statusOf = (text: string): number => Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);

const sdp = (host: string): string =>
  [
    ...['v=0', `o=- 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0', 'm=audio 30000 RTP/AVP 8 0'],
    ...['a=rtpmap:8 PCMA/8000', 'a=rtpmap:0 PCMU/8000', ''],
  ].join('\r\n');

/** RFC 2617 §3.2.2. */
function sign(method: string, uri: string, challenge: string, account: RawAccount): string {
  const of = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const realm = account.realm ?? of('realm');
  const [nonce, cnonce] = [of('nonce'), token()];
  const secret = md5(`${account.user}:${realm}:${account.password}`);
  const response = md5(`${secret}:${nonce}:00000001:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
  return `Digest username="${account.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", cnonce="${cnonce}", nc=00000001, qop=auth, algorithm=MD5`;
}
