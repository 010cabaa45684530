import { Secret } from '../../src/model/secret.ts';
import {
  connectEsl,
  type EslConnection,
  type EslOptions,
} from '../../src/platforms/freeswitch/esl/connection.ts';
import { ends } from './control-client.ts';
import { type EslScript, type EslServer, startEslServer } from './esl-server.ts';

/** A scripted server that ends with the test. */
export async function serverOf(script: EslScript = {}): Promise<EslServer> {
  const server = await startEslServer(script);
  ends.push(() => server.close());
  return server;
}

/** What the scripted server expects. */
export const passwordText = 's3cret';
export const optionsFor = (server: { host: string; port: number }): EslOptions => ({
  host: server.host,
  port: server.port,
  password: new Secret(passwordText),
  connectTimeoutMs: 5000,
  commandTimeoutMs: 5000,
});

/** A session that ends with the test. */
export async function open(
  server: { host: string; port: number },
  more: Partial<EslOptions> = {},
): Promise<EslConnection> {
  const connection = await connectEsl({ ...optionsFor(server), ...more });
  ends.push(() => connection.close());
  return connection;
}
