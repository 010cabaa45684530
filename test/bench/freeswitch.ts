import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileShipped } from '../../src/catalog/compile.ts';
import { resolveSite } from '../../src/model/resolve.ts';
import type { ResolvedSite } from '../../src/model/site.ts';
import { renderTenant } from '../../src/platforms/freeswitch/render/render.ts';
import { tenantSite } from '../support/calls/site-values.ts';
import { type BenchResult, interleaved } from './result.ts';
import { tenantCount, tenantName, usersPerTenant } from './site.ts';

// The runner bundles this file one folder below the root.
const templatesDir = fileURLToPath(new URL('../templates', import.meta.url));

const rounds = 3;

/** Rendering directory and dialplan from nothing, with digests and parsed back, against only writing the same bytes. */
export async function benchFreeSwitchRender(): Promise<BenchResult[]> {
  const sites = await manySites();
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  const pathOf = ({ tenant, file }: { tenant: string; file: string }) => join(folder, tenant, file);
  try {
    const ready = sites.flatMap(renderTenant);
    const bytes = ready.reduce((sum, { text }) => sum + text.length, 0);
    for (const { name } of sites.map(({ tenant }) => tenant)) mkdirSync(join(folder, name));
    // Store files are always new ones; writing over a file costs a wait for the disk on some file systems.
    const remove = () => {
      for (const one of ready) rmSync(pathOf(one), { force: true });
    };
    const times = await interleaved(
      {
        renderAndWrite: () => {
          for (const site of sites)
            for (const one of renderTenant(site)) writeFileSync(pathOf(one), one.text);
        },
        removeAgain: remove,
        write: () => {
          for (const one of ready) writeFileSync(pathOf(one), one.text);
        },
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
      { name: 'FreeSWITCH: write only', value: times.write, unit: 'ms', note },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
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
