import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileShipped } from '../../src/catalog/compile.ts';
import { emptyFlow } from '../../src/model/flow/resolve-flow.ts';
import type { Tenant } from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import type { ResolvedSite, ResolvedUser } from '../../src/model/site.ts';
import type { UserTemplate } from '../../src/model/template.ts';
import { loadTemplates } from '../../src/platforms/asterisk/render/compiled.ts';
import { renderTenant } from '../../src/platforms/asterisk/render/render.ts';
import { type BenchResult, interleaved } from './result.ts';

// The runner bundles this file one folder below the root.
const templatesDir = fileURLToPath(new URL('../templates', import.meta.url));

const tenantCount = 1000;
const usersPerTenant = 100;
const rounds = 9;

/** Rendering everything from nothing, with digests and self-check, against only writing the same bytes. */
export async function benchRender(): Promise<BenchResult[]> {
  const shipped = await compileShipped(templatesDir);
  const catalog = {
    providers: new Map(shipped.providers.map((one) => [one.id, one])),
    users: new Map(shipped.users.map((one) => [one.id, one])),
  };
  const templates = await loadTemplates(catalog, '22');
  const sites = manySites([...catalog.users.values()]);
  const render = (site: ResolvedSite) => renderTenant(site, { transports: {}, templates });
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  const pathOf = ({ tenant, file }: { tenant: string; file: string }) => join(folder, tenant, file);
  try {
    const ready = sites.flatMap(render);
    const bytes = ready.reduce((sum, { text }) => sum + text.length, 0);
    for (const { tenant } of ready) mkdirSync(join(folder, tenant));
    // Store files are always new ones; writing over a file costs a wait for the disk on some file systems.
    const remove = () => {
      for (const one of ready) rmSync(pathOf(one), { force: true });
    };
    const times = await interleaved(
      {
        render: () => sites.map((site) => render(site).length),
        remove,
        renderAndWrite: () => {
          for (const site of sites) for (const one of render(site)) writeFileSync(pathOf(one), one.text);
        },
        removeAgain: remove,
        write: () => {
          for (const one of ready) writeFileSync(pathOf(one), one.text);
        },
        removeLast: remove,
      },
      rounds,
    );
    const note = `${tenantCount * usersPerTenant} users in ${tenantCount} tenants, ${(bytes / 1e6).toFixed(0)} MB`;
    return [
      {
        name: 'render and write / write',
        value: times.renderAndWrite / times.write,
        unit: 'x',
        target: { atMost: 6 },
        note,
      },
      { name: 'render and write', value: times.renderAndWrite, unit: 'ms', note },
      { name: 'render only', value: times.render, unit: 'ms', note },
      { name: 'write only', value: times.write, unit: 'ms', note },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function manySites(kinds: readonly UserTemplate[]): ResolvedSite[] {
  return Array.from({ length: tenantCount }, (_, tenant) => {
    const name = `tenant-${tenant}`;
    const users = Array.from({ length: usersPerTenant }, (_, user) =>
      resolvedUser(name, user, kinds[user % kinds.length] as UserTemplate),
    );
    return { tenant: { name } as Tenant, trunks: [], users, flow: emptyFlow(name) };
  });
}

function resolvedUser(tenant: string, index: number, template: UserTemplate): ResolvedUser {
  const username = `user${index}`;
  const domain = `${tenant}.example.com`;
  return {
    id: `${username}@${domain}`,
    username,
    tenant,
    domain,
    template,
    password: new Secret(() => `pa;ss-${tenant}-${index}-0123456789`),
    extension: String(1000 + index),
    displayName: index % 10 === 0 ? `Jürgen Müller ${index}` : `Ann Example ${index}`,
    codecs: template.codecs,
    dtmf: 'rfc4733',
    maxContacts: template.maxContacts,
    qualifyFrequency: template.qualifyFrequency,
    transport: null,
    context: `t-${tenant}`,
    callerId: null,
    mailbox: index % 2 === 0 ? `${1000 + index}@default` : null,
    voicemail: false,
    options: [],
    maxCalls: 5,
  };
}
