import { createConnection, createServer, type Socket } from 'node:net';

/** A way to the manager interface or the event socket of a PBX, on which all connections can be cut. */
export interface CuttableWay {
  /** `host:port` */
  at: string;
  cut(): void;
  close(): void;
}

/** Hands on every connection to where it leads. */
export async function startWay(to: { host: string; port: number }): Promise<CuttableWay> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ host: to.host, port: to.port });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(one);
          other.destroy();
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    at: typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '',
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}
