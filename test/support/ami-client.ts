import { inspect } from 'node:util';
import { afterEach } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import { Secret } from '../../src/model/secret.ts';
import {
  type AmiConnection,
  type AmiOptions,
  connectAmi,
} from '../../src/platforms/asterisk/ami/connection.ts';
import { type AmiScript, type AmiServer, startAmiServer } from './ami-server.ts';

/** What a test undoes when it is over, last things first. */
export const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A scripted server that ends with the test. */
export async function serverOf(script: AmiScript = {}): Promise<AmiServer> {
  const server = await startAmiServer(script);
  ends.push(() => server.close());
  return server;
}

/** What the scripted server expects. */
export const secretText = 's3cret';
export const optionsFor = (server: { host: string; port: number }): AmiOptions => ({
  host: server.host,
  port: server.port,
  username: 'sipctl',
  secret: new Secret(secretText),
  connectTimeoutMs: 5000,
  actionTimeoutMs: 5000,
});

/** A session that ends with the test. */
export async function open(
  server: { host: string; port: number },
  more: Partial<AmiOptions> = {},
): Promise<AmiConnection> {
  const connection = await connectAmi({ ...optionsFor(server), ...more });
  ends.push(() => connection.close());
  return connection;
}

/** The error of a promise that must fail. */
export async function errorOf(promise: Promise<unknown>): Promise<SipctlError> {
  const outcome = await promise.then(
    (value) => new Error(`no error but ${inspect(value)}`),
    (error: unknown) => error,
  );
  if (!(outcome instanceof SipctlError)) throw outcome;
  return outcome;
}

/** Every way in which an error can be printed. */
export const shown = (error: unknown): string =>
  inspect(error, { depth: 9 }) + JSON.stringify(error) + String(error);

/** Waits for a condition that must come true. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 1000) throw new Error('this never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const event = (name: string, ...lines: string[]): string =>
  [`Event: ${name}`, ...lines, '', ''].join('\r\n');
