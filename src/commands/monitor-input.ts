import { readFileSync } from 'node:fs';
import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import type { EventFilter, Watched } from '../model/live/filter.ts';
import * as nouns from '../model/nouns.ts';
import { Secret } from '../model/secret.ts';
import type { WatchedNode, WatchSurroundings } from '../pipeline/monitor/watch-nodes.ts';
import { type Input, nodeNames, type OptionSpec } from './command.ts';

const watchable: readonly Watched[] = ['calls', 'trunks', 'users', 'registrations'];

const callStates = ['ringing', 'answered', 'held', 'ended'];
const trunkWords = ['registered', 'trying', 'unregistered', 'rejected', 'failed', 'gave-up', 'none'];
const states = new Set([...callStates, ...trunkWords]);

const eventNames = new Set([
  ...['call', 'trunk', 'user', 'node'],
  ...['present', 'ringing', 'answered', 'held', 'resumed', 'changed', 'ended'].map((word) => `call.${word}`),
  ...['present', ...trunkWords, 'reachable', 'unreachable', 'gone'].map((word) => `trunk.${word}`),
  ...['user.present', 'user.registered', 'user.unregistered'],
  ...['node.connected', 'node.lost', 'node.restarted'],
]);

/** What narrows that which is watched. */
export const filterFlags: readonly OptionSpec[] = [
  ['--all-tenants', 'every tenant, also where SIPCTL_TENANT names one'],
  ['--trunk <name>', 'only this trunk, and the calls over it'],
  ['--state <words>', 'only calls, trunks and users in one of these states, separated by commas'],
  ['--event <names>', 'only these events, separated by commas: call.ended, trunk, …'],
  ['--node <names>', 'only these nodes, separated by commas'],
];

/** What is asked for, checked against what there is. @throws SipctlError `invalid`, `notFound`, `usage` */
export async function filterOf(app: App, { args: [watched], options }: Input): Promise<EventFilter> {
  if (watched !== undefined && !watchable.some((word) => word === watched)) {
    throw new SipctlError('usage', {
      code: 'unknown_view',
      message: `monitor does not know '${watched}'`,
      hint: `choose of: ${watchable.join(', ')}; or leave it out for all of them`,
    });
  }
  const tenant = await tenantOf(app, options.allTenants === true);
  const trunk = typeof options.trunk === 'string' ? options.trunk : null;
  if (trunk !== null) await demandTrunk(app, tenant, trunk);
  return {
    watched: (watched as Watched | undefined) ?? null,
    tenant,
    trunk,
    states: words('state', options.state, states),
    events: words('event', options.event, eventNames),
  };
}

/**
 * The tenant whose things are to be seen; null for everybody's, which is what is seen where none is named: a PBX is watched
 * as a whole.
 */
export async function tenantOf(app: App, everybody: boolean): Promise<string | null> {
  if (everybody || !app.config.tenantNamed) return null;
  const { records } = await app.store();
  await records.get(nouns.tenant, { tenant: null, name: app.config.tenant });
  return app.config.tenant;
}

// A name that nothing has would be watched for ever, and nothing would be seen.
async function demandTrunk(app: App, tenant: string | null, name: string): Promise<void> {
  const { records } = await app.store();
  if (tenant !== null) await records.get(nouns.trunk, { tenant, name });
  else if (!(await records.list(nouns.trunk)).some((trunk) => trunk.name === name)) {
    throw new SipctlError('notFound', {
      code: 'trunk_not_found',
      message: `there is no trunk ${name}`,
      field: 'trunk',
      hint: 'sipctl trunk list --all-tenants',
    });
  }
}

function words(name: string, given: unknown, known: ReadonlySet<string>): ReadonlySet<string> | null {
  if (typeof given !== 'string') return null;
  const asked = given.split(',').map((word) => word.trim());
  const unknown = asked.filter((word) => !known.has(word));
  if (unknown.length === 0) return new Set(asked);
  throw new SipctlError(
    'invalid',
    unknown.map((word) => ({
      code: `invalid_${name}`,
      message: `${name}: there is no ${name} '${word}'`,
      field: name,
      hint: `choose of: ${[...known].join(', ')}`,
    })),
  );
}

/** The nodes to be watched, with a warning for each that cannot be. @throws SipctlError `invalid` where none can */
export async function watchedNodes(
  app: App,
  input: Input,
): Promise<{ nodes: WatchedNode[]; warnings: Problem[] }> {
  const nodes: WatchedNode[] = [];
  const warnings: Problem[] = [];
  for (const { target } of await app.targets(nodeNames(input))) {
    const control = target.control?.bind(target);
    if (control !== undefined && target.controllable) nodes.push({ node: target.node, control });
    else warnings.push(uncontrolled(target.node, target.kind));
  }
  if (nodes.length > 0) return { nodes, warnings };
  throw new SipctlError('invalid', warnings.length > 0 ? warnings : noNodes);
}

const noNodes: Problem = {
  code: 'no_nodes',
  message: 'there is no node to watch',
  hint: 'sipctl node add describes a PBX',
};

const uncontrolled = (name: string, kind: string): Problem => ({
  code: 'no_control',
  message: `${name} has no control connection, and is not watched`,
  field: 'node',
  hint: `sipctl node set ${name} ${kind === 'asterisk' ? '--ami <host:port> --ami-user <user> --ami-secret-file <file>' : '--esl <host:port> --esl-password-file <file>'}`,
});

/** What watching takes from the application. */
export const watchSurroundings = async (app: App, signal: AbortSignal): Promise<WatchSurroundings> => ({
  parties: await (await app.store()).parties(),
  now: () => app.now().getTime(),
  signal,
});

/** The secret that signs what `--webhook` sends. @throws SipctlError `invalid` where it is not given, or cannot be read */
export function webhookSecret(app: App, { options }: Input): Secret {
  const { webhookSecret: reference, webhookSecretFile: file } = options;
  const match =
    typeof file === 'string' ? ['', 'file', file] : /^(env|file):(.+)$/s.exec(String(reference ?? ''));
  // What was typed may be the secret: it is not repeated.
  if (match === null)
    throw noSecret(
      reference === undefined ? 'is needed to sign what is sent' : 'is not taken from the command line',
    );
  const [, kind, where = ''] = match;
  const text = kind === 'env' ? app.env[where] : contentOf(where);
  if (text === undefined || text === '') throw noSecret(`stands not in ${where}`);
  return new Secret(text);
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw noSecret(`cannot be read from ${file}: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
}

const noSecret = (message: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_webhook_secret',
    message: `webhookSecret: ${message}`,
    field: 'webhookSecret',
    hint: 'give --webhook-secret-file <file>, or --webhook-secret env:NAME',
  });

/** Where `--webhook` sends to. @throws SipctlError `invalid` */
export function webhookUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw badUrl('is no http or https address');
  // It would stand in the list of processes, and fetch refuses it.
  if (url.username !== '' || url.password !== '') throw badUrl('holds a user name or a password');
  return url;
}

const badUrl = (message: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_webhook',
    message: `webhook: what is given ${message}`,
    field: 'webhook',
    hint: 'give it as https://host/path; what is sent is signed instead',
  });
