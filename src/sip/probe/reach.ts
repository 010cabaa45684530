import type { Finding } from '../finding.ts';
import type { Connection } from '../transport/connection.ts';
import { type Lookup, locate, type Target } from '../transport/dns.ts';
import { endpointText } from '../transport/endpoint.ts';
import type { TlsFacts } from '../transport/tls-facts.ts';
import { openConnection } from '../transport/transport.ts';
import { TransportFailure } from '../transport/transport-failure.ts';
import { stopwatch } from './clock.ts';
import type { ProbeSettings, ProbeSurroundings } from './settings.ts';

/** More addresses than any carrier publishes; the rest is named and left alone. */
const mostTargets = 8;

/** Finds every address of the server, in the order in which they are to be tried (RFC 3263). */
export async function findServer(
  { server }: Pick<ProbeSettings, 'server'>,
  { dns, signal }: ProbeSurroundings,
): Promise<{ finding: Finding; targets: Target[] }> {
  const since = stopwatch();
  const { targets, lookups, cause } = await locate(server, dns, signal);
  const facts = { lookups, targets: targets.map(shownTarget) };
  if (targets.length === 0) {
    return {
      finding: {
        stage: 'dns',
        status: 'failed',
        cause,
        detail: `${server.host}: ${lookups.map(shownLookup).join('; ')}`,
        ms: since(),
        facts,
      },
      targets,
    };
  }
  const asked = lookups.length === 0 ? 'an address needs no DNS' : lookups.map(shownLookup).join('; ');
  return {
    finding: {
      stage: 'dns',
      status: 'ok',
      cause: null,
      detail: `${server.host} → ${targets.map(({ address, port }) => endpointText({ address, port })).join(', ')} (${asked})`,
      ms: since(),
      facts,
    },
    targets: targets.slice(0, mostTargets),
  };
}

const shownTarget = ({ address, port, transport, name }: Target) => ({ address, port, transport, name });

const shownLookup = ({ type, answers, error }: Lookup): string =>
  `${type} ${error ?? (answers.length === 0 ? 'none' : answers.join(' '))}`;

interface Attempt {
  target: Target;
  connection: Connection | null;
  failure: TransportFailure | null;
  tls: TlsFacts | null;
}

/** Opens a connection to every address; those that could be opened are the caller's to close. */
export async function connect(
  targets: readonly Target[],
  around: ProbeSurroundings,
  path?: string,
): Promise<{ finding: Finding; connections: Connection[] }> {
  const since = stopwatch();
  const attempts = await Promise.all(targets.map((target) => attempt(target, around, path)));
  const connections = attempts.flatMap(({ connection }) => (connection === null ? [] : [connection]));
  const failed = attempts.find(({ failure }) => failure !== null)?.failure ?? null;
  // What explains the cause stands at the top, as in other stages.
  const facts = { ...failed?.facts, attempts: attempts.map(shownAttempt) };
  const detail = attempts.map(({ target, failure, tls }) => said(target, failure, tls)).join('; ');
  const status = connections.length === 0 ? 'failed' : failed === null ? 'ok' : 'warning';
  const expiring = attempts.some(({ tls }) => tls !== null && tls.daysLeft >= 0 && tls.daysLeft < fewDays);
  const finding: Finding = {
    stage: 'connect',
    status: status === 'ok' && expiring ? 'warning' : status,
    cause: failed?.reason ?? (expiring ? 'tls_expires_soon' : null),
    detail,
    ms: since(),
    facts,
  };
  return { finding, connections };
}

/** Days before its end at which a certificate ought to have been renewed. */
const fewDays = 14;

async function attempt(target: Target, around: ProbeSurroundings, path?: string): Promise<Attempt> {
  const { timeoutMs, signal, trace, ca } = around;
  try {
    const connection = await openConnection(target, {
      timeoutMs,
      signal,
      ...(trace === undefined ? {} : { trace }),
      ...(ca === undefined ? {} : { tls: { ca } }),
      ...(path === undefined ? {} : { path }),
    });
    return { target, connection, failure: null, tls: connection.tls };
  } catch (error) {
    if (!(error instanceof TransportFailure)) throw error;
    return { target, connection: null, failure: error, tls: error.tls };
  }
}

const shownAttempt = ({ target, failure, tls }: Attempt) => ({
  ...shownTarget(target),
  opened: failure === null,
  ...(failure === null ? {} : { cause: failure.reason, message: failure.message }),
  ...(tls === null ? {} : { tls }),
});

function said(target: Target, failure: TransportFailure | null, tls: TlsFacts | null): string {
  const place = `${target.transport} ${endpointText(target)}`;
  if (failure !== null) return `${target.transport} ${failure.message}`;
  return tls === null
    ? place
    : `${place}: ${tls.protocol} ${tls.cipher}, certificate of ${tls.subject} from ${tls.issuer}, ${tls.daysLeft} days left`;
}
