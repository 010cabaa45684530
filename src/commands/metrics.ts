import { setTimeout as pause } from 'node:timers/promises';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { Counters } from '../model/live/counters.ts';
import type { LiveEvent } from '../model/live/events.ts';
import { Picture } from '../model/live/picture.ts';
import type { Tenant } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import { serveMetrics } from '../pipeline/monitor/scrape-server.ts';
import { snapshots } from '../pipeline/monitor/snapshot.ts';
import { type WatchedNode, watchNodes } from '../pipeline/monitor/watch-nodes.ts';
import { writeWhole } from '../pipeline/monitor/whole-file.ts';
import { type MetricFacts, metricFamilies, metricsText } from '../report/metrics.ts';
import { type Input, integerOption, type Result, type Run, type VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { tenantOf, watchedNodes, watchSurroundings } from './monitor-input.ts';
import { streamed } from './monitor-stream.ts';

type Scope = Pick<MetricFacts, 'version' | 'tenant' | 'limits'>;

const run: Run = async (app, input) => {
  refuseContradictions(app, input);
  const scope = await scopeOf(app, input);
  const { nodes, warnings } = await watchedNodes(app, input);
  if (input.options.listen !== undefined || input.options.every !== undefined) {
    if (!app.config.quiet) for (const { message } of warnings) app.terminal.err(`${message}\n`);
    return keepTelling(app, input, nodes, scope);
  }
  return { ...(await tellOnce(app, input, nodes, scope)), warnings };
};

/** @throws SipctlError `usage` */
function refuseContradictions(app: App, { options: { listen, textfile, every } }: Input): void {
  const wrong = (message: string, hint: string): never => {
    throw new SipctlError('usage', { code: 'contradiction', message, hint });
  };
  if (every !== undefined && textfile === undefined)
    wrong('--every says how often a file is written', 'give --textfile <file>, too');
  if (app.config.json && (listen !== undefined || textfile !== undefined))
    wrong('--json prints what --listen and --textfile tell otherwise', 'leave --json out');
}

async function scopeOf(app: App, { options }: Input): Promise<Scope> {
  const tenant = await tenantOf(app, options.allTenants === true);
  return { version: app.version, tenant, limits: await callLimits(app) };
}

/** Tenant → calls that it may have at one time, where that is limited. */
export async function callLimits(app: App): Promise<Map<string, number>> {
  const tenants = (await (await app.store()).records.list(nouns.tenant)) as unknown as Tenant[];
  return new Map(tenants.flatMap(({ name, maxCalls }) => (maxCalls === null ? [] : [[name, maxCalls]])));
}

/** One look at every node. That one of them is silent is a metric, and no failure; that all are is one. */
async function tellOnce(
  app: App,
  { options: { textfile } }: Input,
  nodes: readonly WatchedNode[],
  scope: Scope,
): Promise<Result> {
  const picture = new Picture(nodes.map(({ node }) => node));
  const taken = await snapshots(nodes, await watchSurroundings(app, app.signal));
  for (const event of taken.flatMap(({ events }) => events)) picture.apply(event);
  const families = metricFamilies({ ...scope, picture, counters: null });
  const errors = taken.flatMap(({ error }) => (error === null ? [] : [error]));
  const text = metricsText(families);
  if (typeof textfile === 'string') writeWhole(textfile, text);
  else if (!app.config.json) await app.terminal.out(text);
  for (const { message } of errors) if (!app.config.quiet) app.terminal.err(`${message}\n`);
  return {
    data: { metrics: families },
    text: () => '',
    ...(errors.length === nodes.length ? { ...endedBy(errors), tellsErrors: true } : {}),
  };
}

/** Watches until Ctrl-C: whoever asks, or reads the file, gets what is known then. */
async function keepTelling(
  app: App,
  input: Input,
  nodes: readonly WatchedNode[],
  scope: Scope,
): Promise<Result> {
  app.endsAtInterrupt();
  const picture = new Picture(nodes.map(({ node }) => node));
  const counters = new Counters();
  const now = (): number => app.now().getTime();
  const text = (): string => metricsText(metricFamilies({ ...scope, picture, counters }));
  const take = (events: readonly LiveEvent[]): void => {
    for (const event of events) {
      picture.apply(event);
      counters.apply(event, now());
    }
  };
  const ending = new AbortController();
  const until = AbortSignal.any([app.signal, ending.signal]);
  const refused = (node: string, { message }: SipctlError): void => {
    picture.refused(node, message, now());
    app.terminal.err(`${message}\n`);
  };
  const server = await openServer(app, input, text, picture);
  const watching = watchNodes(nodes, { take, refused }, await watchSurroundings(app, until));
  try {
    await Promise.race([watching, writeEvery(input, text, until).then(() => watching)]);
  } finally {
    ending.abort();
    await watching.catch(() => undefined);
    await server?.close();
  }
  return streamed(app.signal.aborted);
}

async function openServer(
  app: App,
  { options: { listen } }: Input,
  metrics: () => string,
  picture: Picture,
): Promise<{ close(): Promise<void> } | null> {
  if (typeof listen !== 'string') return null;
  const { host, port } = addressOf(listen);
  const server = await serveMetrics({ host, port, metrics, health: () => healthOf(picture) });
  if (!app.config.quiet) app.terminal.err(`http://${hostText(host)}:${server.port}/metrics\n`);
  return server;
}

const hostText = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function healthOf({ nodes }: Picture): { isWell: boolean; text: string } {
  const all = [...nodes.values()];
  return {
    isWell: all.some(({ state }) => state === 'connected'),
    text: all.map(({ node, state }) => `${node} ${state}\n`).join(''),
  };
}

/** @throws SipctlError `invalid` */
function addressOf(given: string): { host: string; port: number } {
  const match = /^(?:(?<host>\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?(?<port>\d{1,5})$/.exec(given);
  const port = Number(match?.groups?.port);
  if (match !== null && port <= 65_535)
    return { host: (match.groups?.host ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
  throw new SipctlError('invalid', {
    code: 'invalid_listen',
    message: `listen: '${given}' is no address with a port`,
    field: 'listen',
    hint: 'give it as 127.0.0.1:9464, or as [::1]:9464',
  });
}

/** Rejects where the file cannot be written; resolves when the signal says that it is enough. */
async function writeEvery(input: Input, text: () => string, signal: AbortSignal): Promise<void> {
  const { textfile } = input.options;
  if (typeof textfile !== 'string') return;
  const seconds = integerOption(input, 'every', 1, 'give whole seconds, for example 15') ?? 15;
  while (!signal.aborted) {
    await pause(seconds * 1000, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) writeWhole(textfile, text());
  }
}

export const metrics: VerbSpec = {
  name: 'metrics',
  summary: 'calls, registrations and nodes, as Prometheus reads them',
  options: [
    ['--all-tenants', 'every tenant, also where SIPCTL_TENANT names one'],
    ['--node <names>', 'only these nodes, separated by commas'],
    ['--textfile <file>', 'write a file for the textfile collector of node_exporter, whole or not at all'],
    ['--every <s>', 'keep watching, and write the file again every so many seconds'],
    ['--listen <address>', 'keep watching, and answer GET /metrics and /healthz there: 127.0.0.1:9464'],
  ],
  examples: [
    'sipctl metrics',
    'sipctl metrics --textfile /var/lib/node_exporter/sipctl.prom',
    'sipctl metrics --listen 127.0.0.1:9464',
  ],
  run,
};
