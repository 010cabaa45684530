import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TokenVerifier } from 'livekit-server-sdk';
import { onTestFinished } from 'vitest';
import { type LivekitMethod, LivekitState, TwirpError } from './livekit-state.ts';

/** What goes wrong with one request; `after` means that it was done, and nobody hears of it; `cut` breaks off its answer. */
export type LivekitFault =
  | { kind: 'silence' | 'reset' | 'cut'; when: 'before' | 'after' }
  | { kind: 'answer'; status: number; body: string; type?: string };

/** A request as it arrived, decoded by LiveKit's own definitions. */
export interface DecodedRequest {
  method: LivekitMethod;
  /** In the JSON form of the protocol. */
  body: unknown;
}

/** The SIP service of a LiveKit project, as its protocol defines it, with state, its rules, and faults. */
export class LivekitServer {
  static readonly apiKey = 'APItest1234567';
  static readonly apiSecret = 'a-secret-of-more-than-thirty-two-characters';

  readonly state = new LivekitState();
  readonly requests: DecodedRequest[] = [];
  readonly #faults: { match: (request: DecodedRequest) => boolean; fault: LivekitFault; times: number }[] =
    [];
  readonly #waiting = new Set<ServerResponse>();
  #heard: { method: LivekitMethod; resolve: () => void } | null = null;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  /** Listens on a free port of this machine until the test is over. */
  static async start(): Promise<LivekitServer> {
    const server = new LivekitServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => server.close());
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next `times` requests of a method meet a fault. */
  fail(method: LivekitMethod, fault: LivekitFault, times = 1): void {
    this.#faults.push({ match: (request) => request.method === method, fault, times });
  }

  /** The n-th request from now on meets a fault, whatever it is; counted from 1. */
  failAt(nth: number, fault: LivekitFault): void {
    let left = nth;
    const match = () => {
      left -= 1;
      return left === 0;
    };
    this.#faults.push({ match, fault, times: 1 });
  }

  /** Requests of one method, in their order. */
  bodies(method: LivekitMethod): unknown[] {
    return this.requests.filter((request) => request.method === method).map(({ body }) => body);
  }

  /** Requests that change something. */
  get writes(): LivekitMethod[] {
    return this.requests.map(({ method }) => method).filter((method) => !method.startsWith('List'));
  }

  /** Resolves when one more request of a method has come. */
  hears(method: LivekitMethod): Promise<void> {
    return new Promise((resolve) => {
      this.#heard = { method, resolve };
    });
  }

  /** Resolves when nobody waits for an answer any more. */
  async isLeft(): Promise<void> {
    while (this.#waiting.size > 0) await once([...this.#waiting][0] as ServerResponse, 'close');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#waiting.add(response);
    response.on('close', () => this.#waiting.delete(response));
    const text = await bodyOf(request);
    try {
      const method = this.state.methodOf(request);
      await authorize(request);
      const decoded = { method, body: this.state.decode(method, text) };
      this.requests.push(decoded);
      if (this.#heard?.method === method) this.#heard.resolve();
      const fault = this.#faultOf(decoded);
      if (fault?.kind === 'answer') {
        response.writeHead(fault.status, { 'content-type': fault.type ?? 'application/json' });
        response.end(fault.body);
        return;
      }
      if (fault !== null && fault.when === 'before') return spoil(response, fault.kind);
      const answer = this.state.perform(method, text);
      if (fault !== null) return spoil(response, fault.kind);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    } catch (error) {
      const { status, code, message } =
        error instanceof TwirpError ? error : new TwirpError(400, 'malformed', String(error));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ code, msg: message }));
    }
  }

  #faultOf(request: DecodedRequest): LivekitFault | null {
    const found = this.#faults.find((one) => one.times > 0 && one.match(request));
    if (found === undefined) return null;
    found.times -= 1;
    return found.fault;
  }
}

// Silence: the answer never comes, and the client has to give up by itself.
function spoil(response: ServerResponse, kind: 'silence' | 'reset' | 'cut'): void {
  if (kind === 'reset') response.socket?.resetAndDestroy();
  if (kind !== 'cut') return;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
  response.write('{"name":', () => response.destroy());
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const verifier = new TokenVerifier(LivekitServer.apiKey, LivekitServer.apiSecret);

async function authorize(request: IncomingMessage): Promise<void> {
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  let claims: Awaited<ReturnType<TokenVerifier['verify']>>;
  try {
    claims = await verifier.verify(token);
  } catch {
    throw new TwirpError(401, 'unauthenticated', 'invalid API key or token');
  }
  if (claims.sip?.admin !== true) throw new TwirpError(403, 'permission_denied', 'permissions denied');
}
