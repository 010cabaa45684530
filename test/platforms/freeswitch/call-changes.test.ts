import { describe, expect, it } from 'vitest';
import { resolveSite } from '../../../src/model/resolve.ts';
import type { ObjectChange } from '../../../src/plan/plan.ts';
import { objectChanges } from '../../../src/platforms/freeswitch/changes.ts';
import { renderTenant } from '../../../src/platforms/freeswitch/render/render.ts';
import { acme } from '../../support/calls/company.ts';
import { type SiteValues, tenantSite } from '../../support/calls/site-values.ts';
import { shippedCatalog } from '../asterisk/render/sample-site.ts';

const catalog = await shippedCatalog();

const filesOf = (values: SiteValues): Map<string, Buffer> => {
  const tenant = { ...values.tenant, domain: 'acme.example' };
  const artifacts = renderTenant(resolveSite(tenantSite({ ...values, tenant }), catalog));
  return new Map(artifacts.map(({ key, text }) => [key, text]));
};

function changesBetween(before: SiteValues | null, after: SiteValues | null): ObjectChange[] {
  const [old, fresh] = [before, after].map((site) => (site === null ? new Map() : filesOf(site)));
  const keys = new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])]);
  return [...keys].flatMap((key) => objectChanges(key, old?.get(key) ?? null, fresh?.get(key) ?? null));
}

const named = (changes: readonly ObjectChange[]): string[] =>
  [...new Set(changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`))].sort();

describe('a change of calls', () => {
  it('names everything that a first apply creates, and that a last one deletes', () => {
    const created = named(changesBetween(null, acme));
    for (const one of ['user ann', 'trunk voipms', 'group sales', 'ivr main', 'conference board'])
      expect(created).toContain(`create ${one}`);
    for (const one of ['number +15551234567', 'route world', 'schedule office', 'emergency 911'])
      expect(created).toContain(`create ${one}`);
    expect(created.filter((one) => one.includes('tenant'))).toEqual([]);
    const numbers = acme.numbers?.filter((one) => one.enabled !== false && one.inbound !== false) ?? [];
    expect(created.filter((one) => one.includes(' number '))).toEqual(
      numbers.map((one) => `create number ${one.number}`).sort(),
    );
    const deleted = named(changesBetween(acme, null));
    expect(deleted).toEqual(created.map((one) => one.replace('create', 'delete')));
  });

  it('is told of whom it belongs to, and of nobody else', () => {
    const [first, ...others] = acme.groups ?? [];
    const after = { ...acme, groups: [{ ...first, name: 'sales', ringTime: 9 }, ...others] };
    const changes = changesBetween(acme, after);
    expect(named(changes)).toEqual(['update group sales']);
    const options = changes.flatMap((one) => one.options);
    expect(options).toContainEqual({
      ...{ section: 'group.sales, group sales', option: 'line 3', before: 'set call_timeout=4' },
      after: 'set call_timeout=9',
    });
  });

  it('shows no PIN', () => {
    const [first, ...others] = acme.conferences ?? [];
    const changes = changesBetween(acme, {
      ...acme,
      conferences: [{ ...first, name: 'board', pin: '55551' }, ...others],
    });
    expect(named(changes)).toEqual(['update conference board']);
    const told = JSON.stringify(changes);
    expect(told).toContain('[secret]');
    expect(told).not.toMatch(/1234|9876|55551/);
  });
});
