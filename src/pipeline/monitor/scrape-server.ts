import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SipctlError } from '../../errors.ts';

/** What is answered to whoever scrapes. */
export interface ScrapeOptions {
  host: string;
  /** 0 for any that is free. */
  port: number;
  metrics: () => string;
  /** Whether anything is known, and a line for each node that says so. */
  health: () => { isWell: boolean; text: string };
}

/** A server that is open. */
export interface ScrapeServer {
  port: number;
  close(): Promise<void>;
}

/** Milliseconds that a client may take for its request, and an idle connection is kept. */
const requestTimeout = 5000;
const mostConnections = 64;

/** Answers `GET /metrics` and `GET /healthz`. @throws SipctlError `conflict` or `refused` where it cannot listen there */
export async function serveMetrics(options: ScrapeOptions): Promise<ScrapeServer> {
  const server = createServer(
    { requestTimeout, headersTimeout: requestTimeout, keepAliveTimeout: requestTimeout },
    (request, response) => answer(options, request, response),
  );
  server.maxConnections = mostConnections;
  await listening(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  { metrics, health }: ScrapeOptions,
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
): void {
  const [path] = url.split('?', 1);
  const send = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
    response.end(method === 'HEAD' ? '' : text);
  };
  if (path !== '/metrics' && path !== '/healthz') send(404, 'there are /metrics and /healthz\n');
  else if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(405, 'GET only\n');
  } else if (path === '/metrics') send(200, metrics(), 'text/plain; version=0.0.4; charset=utf-8');
  else {
    const { isWell, text } = health();
    send(isWell ? 200 : 503, text);
  }
}

function listening(server: Server, { host, port }: ScrapeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen(port, host, resolve);
  });
}

const cannotListen = ({ code = 'error' }: NodeJS.ErrnoException, host: string, port: number): SipctlError =>
  new SipctlError(code === 'EADDRINUSE' ? 'conflict' : 'refused', {
    code: 'cannot_listen',
    message: `listen: ${host}:${port} cannot be listened on: ${code}`,
    field: 'listen',
    hint: code === 'EADDRINUSE' ? 'another process listens there: choose another port' : 'check the address',
  });
