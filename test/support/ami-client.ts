import { Secret } from '../../src/model/secret.ts';
import {
  type AmiConnection,
  type AmiOptions,
  connectAmi,
} from '../../src/platforms/asterisk/ami/connection.ts';
import { type AmiScript, type AmiServer, startAmiServer } from './ami-server.ts';
import { ends } from './control-client.ts';

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

export const event = (name: string, ...lines: string[]): string =>
  [`Event: ${name}`, ...lines, '', ''].join('\r\n');
