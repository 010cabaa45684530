import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import { type AmiConnection, connectAmi } from '../../src/platforms/asterisk/ami/connection.ts';
import { type Sandbox, sandboxIn } from '../support/run-sipctl.ts';
import type { AsteriskInstance } from './asterisk.ts';

/** The rights that docs/asterisk.md asks for, and no more. */
const documentedRights = 'config,system';
export const node = 'pbx1';

/**
 * sipctl with a database of its own in front of a running Asterisk: one node, signed in with the documented rights,
 * include lines in place, nothing applied yet. It goes with the instance.
 */
export async function attach(asterisk: AsteriskInstance): Promise<Sandbox> {
  await addManagerUser(asterisk, 'sipctl', documentedRights);
  const dir = join(dirname(asterisk.etc), 'sipctl-site');
  mkdirSync(dir);
  const box = sandboxIn(dir);
  const { ami } = asterisk;
  const control = [
    '--ami',
    `${ami.host}:${ami.port}`,
    '--ami-user',
    'sipctl',
    '--ami-secret',
    'env:AMI_SECRET',
  ];
  await box.ok('init');
  await box.ok(['node', 'add', node, '--kind', 'asterisk', '--dir', asterisk.etc, ...control], {
    env: { AMI_SECRET: ami.secret },
  });
  await box.ok(['node', 'init', node, '--write']);
  return box;
}

/** A further user of manager.conf, with the secret of all the others. */
export async function addManagerUser(asterisk: AsteriskInstance, name: string, write: string): Promise<void> {
  const lines = [`[${name}]`, `secret = ${asterisk.ami.secret}`, `write = ${write}`, 'read =', ''];
  appendFileSync(join(asterisk.etc, 'manager.conf'), `\n${lines.join('\n')}`);
  await asterisk.cli('manager reload');
}

/** A manager session that may do everything, beside the one that is tested. */
export async function withManager<T>(
  asterisk: AsteriskInstance,
  work: (ami: AmiConnection) => Promise<T>,
): Promise<T> {
  const { host, port, user, secret } = asterisk.ami;
  const timeouts = { connectTimeoutMs: 10_000, actionTimeoutMs: 30_000 };
  const ami = await connectAmi({ host, port, username: user, secret: new Secret(secret), ...timeouts });
  try {
    return await work(ami);
  } finally {
    await ami.close();
  }
}

/** Name → fields of all objects that run, by type, as `PJSIPShow…` says it; the endpoints with all their values. */
export type Shown = Readonly<Record<'endpoint' | 'auth' | 'aor' | 'registration', Map<string, ShownObject>>>;
export type ShownObject = Readonly<Record<string, string>>;

/** Everything of PJSIP that runs, asked for without any part of the verification. */
export function shown(asterisk: AsteriskInstance): Promise<Shown> {
  return withManager(asterisk, async (ami) => {
    const list = async (action: string, type: string, fields = {}): Promise<Map<string, ShownObject>> => {
      const items = (await ami.list(action, fields)).filter((item) => item.get('ObjectType') === type);
      return new Map(items.map((item) => [item.get('ObjectName') ?? '', Object.fromEntries(item.entries)]));
    };
    const endpoint = new Map<string, ShownObject>();
    for (const name of (await list('PJSIPShowEndpoints', 'endpoint')).keys()) {
      const [detail] = (await list('PJSIPShowEndpoint', 'endpoint', { Endpoint: name })).values();
      if (detail !== undefined) endpoint.set(name, detail);
    }
    return {
      endpoint,
      auth: await list('PJSIPShowAuths', 'auth'),
      aor: await list('PJSIPShowAors', 'aor'),
      registration: await list('PJSIPShowRegistrationsOutbound', 'registration'),
    };
  });
}

/** One line for each value of each object that runs, but for what changes by itself: contacts, states, counters. */
export async function settings(asterisk: AsteriskInstance): Promise<string[]> {
  const volatile = /^(?:ActionID|ActiveChannels|DeviceState|Status|NextReg|\w*Contacts\w*)$/;
  const lines: string[] = [];
  for (const [type, objects] of Object.entries(await shown(asterisk))) {
    for (const [name, fields] of objects) {
      for (const [field, value] of Object.entries(fields)) {
        if (!volatile.test(field)) lines.push(`${type} ${name} ${field}: ${value}`);
      }
    }
  }
  return lines.sort();
}

/** Reloads of a transport say so, because only some of its settings can change: nothing of ours is a transport. */
const harmless = [
  /Transport '\S+' is not fully reloadable, not reloading: protocol, bind, TLS, TCP, ToS, or CoS options\./,
];

/** Lines logged since the mark that are warnings or errors, but for the harmless ones. */
export async function complaintsSince(asterisk: AsteriskInstance, mark: number): Promise<string[]> {
  await untilLogged(asterisk);
  return asterisk
    .logSince(mark)
    .split('\n')
    .filter((line) => / (?:WARNING|ERROR)\[/.test(line) && !harmless.some((one) => one.test(line)));
}

// The log is written by a thread of its own, in order: when this line is there, so are all before it.
async function untilLogged(asterisk: AsteriskInstance): Promise<void> {
  const mark = asterisk.mark();
  await asterisk.cli('logger reload');
  await vi.waitFor(
    () => {
      if (!asterisk.logSince(mark).includes('Asterisk Queue Logger restarted'))
        throw new Error('not logged yet');
    },
    { timeout: 20_000, interval: 20 },
  );
}

/** A file below the instance's configuration folder. */
export const etcFile = (asterisk: AsteriskInstance, path: string): string =>
  readFileSync(join(asterisk.etc, path), 'utf8');
