import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { compileShipped } from '../../src/catalog/compile.ts';
import { resolveSite } from '../../src/model/resolve.ts';
import type { ResolvedSite } from '../../src/model/site.ts';
import type { Artifact } from '../../src/plan/generation.ts';
import { renderTenant } from '../../src/platforms/freeswitch/render/render.ts';
import { tenantSite } from '../support/calls/site-values.ts';
import { type BenchResult, interleaved } from './result.ts';
import { tenantCount, tenantName, usersPerTenant } from './site.ts';

// The runner bundles this file one folder below the root.
const templatesDir = fileURLToPath(new URL('../templates', import.meta.url));

const rounds = 3;

/**
 * Rendering directory and dialplan from nothing, with digests and parsed back, against only writing the same bytes. As in
 * sipctl itself, this thread and another one render.
 */
export async function benchFreeSwitchRender(): Promise<BenchResult[]> {
  const sites = await manySites();
  const thread = await startThread();
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  const pathOf = ({ tenant, file }: { tenant: string; file: string }) => join(folder, tenant, file);
  try {
    const all = sites.flatMap(renderTenant);
    const bytes = all.reduce((sum, { text }) => sum + text.length, 0);
    for (const { name } of sites.map(({ tenant }) => tenant)) mkdirSync(join(folder, name));
    // Store files are always new ones; writing over a file costs a wait for the disk on some file systems.
    const remove = () => {
      for (const one of all) rmSync(pathOf(one), { force: true });
    };
    const write = (artifacts: readonly Artifact[]) => {
      for (const one of artifacts) writeFileSync(pathOf(one), one.text);
    };
    const times = await interleaved(
      {
        renderAndWrite: async () => {
          const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
          const ended = thread.render(next, write);
          renderShare(sites, next, write);
          await ended;
        },
        removeHere: remove,
        renderHereAndWrite: () => {
          for (const site of sites) write(renderTenant(site));
        },
        removeAgain: remove,
        write: () => write(all),
        removeLast: remove,
      },
      rounds,
    );
    const note = `${tenantCount * usersPerTenant} users in ${tenantCount} tenants, ${(bytes / 1e6).toFixed(0)} MB of XML`;
    return [
      {
        name: 'FreeSWITCH: render and write / write',
        value: times.renderAndWrite / times.write,
        unit: 'x',
        target: { atMost: 8 },
        note,
      },
      { name: 'FreeSWITCH: render and write', value: times.renderAndWrite, unit: 'ms', note },
      { name: 'FreeSWITCH: the same in one thread', value: times.renderHereAndWrite, unit: 'ms', note },
      { name: 'FreeSWITCH: write only', value: times.write, unit: 'ms', note },
    ];
  } finally {
    await thread.end();
    rmSync(folder, { recursive: true });
  }
}

/** Renders the next tenants that no thread has taken, until none is left. */
function renderShare(
  sites: readonly ResolvedSite[],
  next: Int32Array,
  take: (artifacts: Artifact[]) => void,
): void {
  for (;;) {
    const site = sites[Atomics.add(next, 0, 1)];
    if (site === undefined) return;
    take(renderTenant(site));
  }
}

interface RenderingThread {
  /** Resolves when its share is rendered, and all of it taken. */
  render(next: Int32Array, take: (artifacts: readonly Artifact[]) => void): Promise<void>;
  end(): Promise<unknown>;
}

const [ready, done] = ['ready', 'done'];

/** A thread that runs this file and has the same sites. */
async function startThread(): Promise<RenderingThread> {
  // The runner's own options say how to read what it was given, which is no file.
  const worker = new Worker(new URL(import.meta.url), { execArgv: [] });
  const until = (what: string, take: (artifacts: readonly Artifact[]) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.on('message', function listen(message: string | readonly Artifact[]) {
        if (typeof message !== 'string') take(message);
        else if (message === what) {
          worker.off('message', listen);
          worker.off('error', reject);
          resolve();
        }
      });
    });
  await until(ready, () => {});
  return {
    render: (next, take) => {
      const ended = until(done, take);
      worker.postMessage(next);
      return ended;
    },
    end: () => worker.terminate(),
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const sites = await manySites();
  port.on('message', (next: Int32Array) => {
    renderShare(sites, next, (artifacts) =>
      port.postMessage(
        artifacts,
        artifacts.map(({ text }) => text.buffer as ArrayBuffer),
      ),
    );
    port.postMessage(done);
  });
  port.postMessage(ready);
}

async function manySites(): Promise<ResolvedSite[]> {
  const shipped = await compileShipped(templatesDir);
  const catalog = {
    providers: new Map(shipped.providers.map((one) => [one.id, one])),
    users: new Map(shipped.users.map((one) => [one.id, one])),
    digest: shipped.digest,
  };
  return Array.from({ length: tenantCount }, (_, at) => {
    const name = tenantName(at);
    const users = Array.from({ length: usersPerTenant }, (_, user) => ({
      username: `u${user}`,
      extension: String(1000 + user),
      password: `secret-${at}-${user}-0123456789`,
      displayName: `User ${user}`,
      codecs: ['ulaw', 'alaw'],
      template: 'basic_user',
      maxCalls: 5,
    }));
    return resolveSite(tenantSite({ tenant: { name, domain: `${name}.example` }, users }), catalog);
  });
}
