import { Worker } from 'node:worker_threads';
import type { RenderedTenant } from './render-tenants.ts';
import type { StartThread } from './render-threads.ts';

/** Starts threads of this process that run the file `entry`. */
export const startThread =
  (entry: URL): StartThread =>
  (job, take) =>
    new Promise((resolve) => {
      const worker = new Worker(entry, { workerData: job });
      worker.on('message', (tenants: RenderedTenant[]) => take(tenants.map(received)));
      // Whatever it was: the tenants that the thread did not render are rendered by the one that started it.
      worker.on('error', () => resolve());
      worker.on('exit', () => resolve());
    });

// Buffers come over as the plain arrays that they are made of.
const received = ({ artifacts, ...tenant }: RenderedTenant): RenderedTenant => ({
  ...tenant,
  artifacts: artifacts.map(({ text, ...artifact }) => ({
    ...artifact,
    text: Buffer.from(text.buffer, text.byteOffset, text.byteLength),
  })),
});
