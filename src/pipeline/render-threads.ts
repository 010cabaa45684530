import type { ResolvedSite, TenantSite } from '../model/site.ts';
import type { Artifact } from '../plan/generation.ts';
import type { RenderRecipe } from '../platforms/target.ts';
import type { Store } from '../store/store.ts';
import { type RenderedTenant, type RenderTenants, rendered, renderHere } from './render-tenants.ts';

/**
 * What a thread is started with. Every thread, and the one that started them, takes the next batch of names until none
 * is left; `next`, which they all share, counts the batches that were taken.
 *
 * ```
 *            names   [a b c d][e f g h][i j k l] …
 *   this thread ──────┘        │        │
 *   thread 1 ──────────────────┘        │      ─ rendered tenants ─▶ this thread
 *   thread 2 ───────────────────────────┘      ─ rendered tenants ─▶
 * ```
 */
export interface ThreadJob {
  database: string;
  /** Of a database that wants one. */
  password?: string | null;
  keyFile: string;
  recipe: RenderRecipe;
  names: readonly string[];
  next: Int32Array;
}

/** Starts a thread that renders, and hands what it rendered to `take`. Resolves when it has ended, also where it failed. */
export type StartThread = (job: ThreadJob, take: (tenants: RenderedTenant[]) => void) => Promise<void>;

/** Users from which on a thread earns the time of its start. */
const manyUsers = 5000;

/** Tenants that are taken at once. */
const batch = 4;

/** Renders the tenants that are left for this thread, until all threads together have taken all of them. */
export async function renderShare(
  { names, next, recipe }: ThreadJob,
  sites: (names: readonly string[]) => AsyncIterable<TenantSite>,
  render: (site: ResolvedSite) => Artifact[],
  take: (tenants: RenderedTenant[]) => void,
): Promise<void> {
  for (;;) {
    const at = Atomics.add(next, 0, 1) * batch;
    if (at >= names.length) return;
    take(await rendered(sites(names.slice(at, at + batch)), recipe.catalog, render));
  }
}

/**
 * Renders in this thread and, where there is much to do, in as many others. What a thread leaves undone, because it
 * failed or could not start, is done here in the end: an error is always the one that rendering here gives.
 */
export function renderInThreads(
  store: Store,
  threadStarter: () => Promise<StartThread>,
  threads: number,
): RenderTenants {
  const here = renderHere(store);
  return async (target, names) => {
    if (threads === 0 || (await store.countUsers(names)) < manyUsers) return here(target, names);
    // Asked for only here: what starts threads takes longer to load than a small plan to make.
    const startThread = await threadStarter();
    const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const { file: database, password, keyFile } = store;
    const job = { database, password, keyFile, recipe: target.recipe, names, next };
    const done: RenderedTenant[] = [];
    const take = (tenants: RenderedTenant[]): void => void done.push(...tenants);
    // This thread takes a batch, too.
    const useful = Math.min(threads, Math.ceil(names.length / batch) - 1);
    const ended = Array.from({ length: useful }, () => startThread(job, take));
    try {
      await renderShare(job, (some) => store.tenantSites(some), target.render, take);
    } catch {
      // Of several tenants that cannot be rendered, the first one is to be named: that is found out below.
      Atomics.store(next, 0, names.length);
    }
    await Promise.all(ended);
    const ready = new Set(done.map(({ name }) => name));
    const left = names.filter((name) => !ready.has(name));
    return [...done, ...(await here(target, left))];
  };
}
