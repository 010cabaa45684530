import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Account, busyAccount } from './account.ts';
import { apiRoutes } from './api-routes.ts';
import { dueFaults, type Fault } from './faults.ts';
import { formOf } from './form.ts';
import { pageOf } from './pages.ts';
import { notFound, Refused } from './refused.ts';
import { relay, type Upstream } from './relay.ts';
import { type Answer, findRoute, type Route } from './route.ts';
import { trunkingRoutes } from './trunking-routes.ts';

const routes: readonly Route[] = [...trunkingRoutes, ...apiRoutes];

/** Who sends it only looks: no fault meets it. */
export const observerHeader = 'x-observer';

/** One request as it came, and what was answered. */
export interface Exchange {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
  /** null: no answer was given. */
  answer: { status: number; body: unknown } | null;
  /** Whether something was asked for in vain on purpose. */
  misbehaved: boolean;
}

export interface TwilioOptions {
  account?: Account;
  /** How many rows a page has at most, whatever is asked for; default 1000. */
  largestPage?: number;
  /** Whether the domain of a deleted trunk stays reserved, as at Twilio; default true. */
  reservesDomains?: boolean;
  /** Judges each exchange by Twilio's specification; answers what is wrong with it. */
  contract?: (exchange: Exchange) => string[];
  /** Passes everything on and keeps nothing itself: only its faults are its own. */
  upstream?: Upstream;
}

/** Twilio on this machine: what is made is there afterwards. */
export interface TwilioServer {
  /** `http://127.0.0.1:…`, for both of Twilio's hosts. */
  readonly url: string;
  readonly account: Account;
  readonly exchanges: Exchange[];
  /** What was asked or answered against the contract. */
  readonly violations: string[];
  /** Puts a fault in the way of requests to come. */
  fault(fault: Fault): void;
  /** Ends all faults. */
  heal(): void;
  close(): Promise<void>;
}

export async function startTwilio(options: TwilioOptions = {}): Promise<TwilioServer> {
  const { account = busyAccount(), largestPage = 1000, reservesDomains = true, contract, upstream } = options;
  const exchanges: Exchange[] = [];
  const violations: string[] = [];
  let faults = dueFaults();

  const decide = async (exchange: Exchange): Promise<Answer> => {
    if (upstream !== undefined) return relay(exchange, upstream);
    authorise(account, exchange);
    const { method, path, query } = exchange;
    const found = findRoute(routes, method, path);
    if (found === null || (found.params.AccountSid ?? account.sid) !== account.sid) throw notFound(path);
    const form = formOf(new URLSearchParams(exchange.body));
    return found.route.answer({ account, path, query, form, params: found.params, reservesDomains });
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const exchange = await readExchange(request);
    exchanges.push(exchange);
    const isObserver = exchange.headers[observerHeader] !== undefined;
    const misbehaviour = isObserver ? null : faults.next(`${exchange.method} ${exchange.path}`);
    exchange.misbehaved = misbehaviour !== null;
    if (misbehaviour === null) await answerOrderly(exchange, response, () => decide(exchange), largestPage);
    violations.push(...(contract?.(exchange) ?? []));
    if (misbehaviour === null) return;
    if (misbehaviour.takesEffect) await doQuietly(() => decide(exchange));
    if (misbehaviour.kind === 'reset') response.socket?.resetAndDestroy();
    if (misbehaviour.kind === 'event') misbehaviour.happens();
    if (misbehaviour.kind === 'answer')
      sendRefusal(exchange, response, misbehaviour.refused, misbehaviour.headers);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A client that was killed in the middle of its request.
      if (!request.destroyed && !request.readableAborted) violations.push(`the server failed: ${error}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    account,
    exchanges,
    violations,
    fault: (fault) => faults.add(fault),
    heal: () => {
      faults = dueFaults();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readExchange(request: IncomingMessage): Promise<Exchange> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const url = new URL(request.url ?? '/', 'http://localhost');
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: Buffer.concat(parts).toString(),
    answer: null,
    misbehaved: false,
  };
}

/** By the account's token, or by a key of the account. @throws Refused */
function authorise(account: Account, { headers }: Exchange): void {
  const [scheme, code = ''] = String(headers.authorization ?? '').split(' ');
  const pair = Buffer.from(code, 'base64').toString();
  const known = [`${account.sid}:${account.authToken}`, `${account.apiKey}:${account.apiSecret}`];
  if (scheme !== 'Basic' || !known.includes(pair)) throw new Refused(401, 20003, 'Authenticate');
}

async function answerOrderly(
  exchange: Exchange,
  response: ServerResponse,
  decide: () => Promise<Answer>,
  largestPage: number,
): Promise<void> {
  try {
    const answer = await decide();
    if ('bytes' in answer) {
      exchange.answer = { status: answer.status, body: answer.bytes };
      response.writeHead(answer.status, { 'Content-Type': answer.type }).end(answer.bytes);
    } else if (answer.status === 204) {
      exchange.answer = { status: 204, body: null };
      response.writeHead(204).end();
    } else {
      const body = 'rows' in answer ? pageOf(exchange, answer.key, answer.rows, largestPage) : bodyOf(answer);
      sendJson(exchange, response, answer.status, body);
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    sendRefusal(exchange, response, error);
  }
}

const bodyOf = (answer: Answer): unknown => ('body' in answer ? answer.body : null);

/** What it was asked is done, and what it would have answered is kept to itself. */
async function doQuietly(decide: () => Promise<Answer>): Promise<void> {
  try {
    await decide();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

const sendRefusal = (
  exchange: Exchange,
  response: ServerResponse,
  refused: Refused,
  headers: Readonly<Record<string, string>> = {},
): void => sendJson(exchange, response, refused.status, refused.body, headers);

function sendJson(
  exchange: Exchange,
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  exchange.answer = { status, body };
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}
