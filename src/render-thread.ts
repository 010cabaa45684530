import { parentPort, workerData } from 'node:worker_threads';
import { Secret } from './model/secret.ts';
import type { ResolvedSite } from './model/site.ts';
import type { RenderedTenant } from './pipeline/render-tenants.ts';
import { renderShare, type ThreadJob } from './pipeline/render-threads.ts';
import type { Artifact } from './plan/generation.ts';
import type { RenderRecipe } from './platforms/target.ts';
import { openSites } from './store/open-sites.ts';

/** What a thread runs: its share of the tenants, with a connection to the database and a key of its own. */
async function run(job: ThreadJob): Promise<void> {
  const render = await rendererOf(job.recipe);
  const password = job.password ? new Secret(job.password) : null;
  const sites = await openSites(job.database, job.keyFile, password);
  try {
    await renderShare(job, sites.read, render, hand);
  } finally {
    await sites.close();
  }
}

async function rendererOf(recipe: RenderRecipe): Promise<(site: ResolvedSite) => Artifact[]> {
  if (recipe.kind === 'freeswitch')
    return (await import('./platforms/freeswitch/render/render.ts')).renderTenant;
  const { asteriskRenderer } = await import('./platforms/asterisk/render/render.ts');
  return asteriskRenderer(recipe);
}

// Handed over, not copied: the texts of a large site are most of what this process holds.
function hand(tenants: RenderedTenant[]): void {
  const texts = tenants.flatMap(({ artifacts }) => artifacts.map(({ text }) => text.buffer as ArrayBuffer));
  parentPort?.postMessage(tenants, texts);
}

void run(workerData as ThreadJob);
