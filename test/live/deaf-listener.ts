import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** A TCP port at which the kernel takes connections, and no program ever does. */
export interface DeafListener {
  host: string;
  port: number;
  close(): Promise<void>;
}

/** Listens, then sleeps for good: the connections stay half open. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { createServer } = require('node:net');
const server = createServer().listen({ port: 0, ...workerData }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});
`;

/** With `full`, the kernel's queue is full as well, and it does not even answer those who want to connect. */
export async function startDeafListener(host: string, { full = false } = {}): Promise<DeafListener> {
  const worker = new Worker(program, { eval: true, workerData: { host, backlog: full ? 1 : 64 } });
  const [port] = (await once(worker, 'message')) as [number];
  const waiting: Socket[] = [];
  // A queue of n holds n + 1.
  for (let connected = 0; full && connected < 2; connected++) {
    const socket = createConnection({ host, port }).on('error', () => undefined);
    waiting.push(socket);
    await once(socket, 'connect');
  }
  return {
    ...{ host, port },
    close: async () => {
      for (const socket of waiting) socket.destroy();
      await worker.terminate();
    },
  };
}
