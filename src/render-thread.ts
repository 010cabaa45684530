import { parentPort, workerData } from 'node:worker_threads';
import type { RenderedTenant } from './pipeline/render-tenants.ts';
import { renderShare, type ThreadJob } from './pipeline/render-threads.ts';
import { asteriskRenderer } from './platforms/asterisk/render/render.ts';
import { openSites } from './store/open-sites.ts';

/** What a thread runs: its share of the tenants, with a connection to the database and a key of its own. */
async function run(job: ThreadJob): Promise<void> {
  const render = await asteriskRenderer(job.recipe);
  const sites = openSites(job.database, job.keyFile);
  try {
    renderShare(job, sites.read, render, hand);
  } finally {
    sites.close();
  }
}

// Handed over, not copied: the texts of a large site are most of what this process holds.
function hand(tenants: RenderedTenant[]): void {
  const texts = tenants.flatMap(({ artifacts }) => artifacts.map(({ text }) => text.buffer as ArrayBuffer));
  parentPort?.postMessage(tenants, texts);
}

void run(workerData as ThreadJob);
