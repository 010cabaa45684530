import { describe, expect, it } from 'vitest';
import { resolveSite } from '../../../src/model/resolve.ts';
import { shippedCatalog } from '../../platforms/asterisk/render/sample-site.ts';
import { acme, globex } from '../../support/calls/company.ts';
import { type SiteValues, tenantSite } from '../../support/calls/site-values.ts';

const catalog = await shippedCatalog();
const flowOf = (values: SiteValues) => resolveSite(tenantSite(values), catalog).flow;

describe('a resolved flow', () => {
  it('is the same whatever order a store gives', () => {
    const turned = Object.fromEntries(
      Object.entries(acme).map(([part, values]) => [
        part,
        Array.isArray(values) ? [...values].reverse() : values,
      ]),
    ) as unknown as SiteValues;
    expect(JSON.stringify(flowOf(turned))).toBe(JSON.stringify(flowOf(acme)));
  });

  it('names only what is enabled', () => {
    const flow = flowOf(acme);
    const names = JSON.stringify({ ...flow, dialled: flow.dialled.filter(({ why }) => why !== '') });
    expect(names).not.toMatch(/"name":"(dan|closed|off)"|"trunk":"retired"/);
    expect(flow.trunks.map(({ name }) => name)).toContain('inbound_only');
    expect(flow.accounts).toEqual([...flow.accounts].sort());
  });

  it('is empty for a disabled tenant', () => {
    const flow = flowOf({ ...acme, tenant: { ...acme.tenant, enabled: false } });
    expect([flow.users, flow.inbound, flow.dialled, flow.routes]).toEqual([[], [], [], []]);
  });

  it('makes a route only where none is stored, and never takes a trunk without calls out', () => {
    expect(flowOf(globex).routes.map(({ name, hops }) => [name, hops.map(({ trunk }) => trunk)])).toEqual([
      ['default', ['z_first', 'b_second', 'a_third']],
    ]);
    const disabled = { name: 'own', match: ['+'], enabled: false };
    expect(flowOf({ ...globex, routes: [disabled] }).routes).toEqual([]);
    const hops = flowOf(acme).dialled.find(({ pattern }) => pattern.literal === '933')?.action;
    expect(JSON.stringify(hops)).not.toContain('inbound_only');
  });

  it('lets emergency calls take any trunk where none of their own is in use', () => {
    const flow = flowOf({
      ...acme,
      emergencies: [{ number: '911', callerId: '+15551234567', trunks: ['retired'] }],
    });
    const action = flow.dialled.find(({ why }) => why === 'emergency number')?.action;
    expect(action?.kind === 'emergency' && action.emergency.hops.map(({ trunk }) => trunk)).toEqual([
      'telnyx_main',
      'twilio',
      'voipms',
      'flowroute',
      'vonage',
    ]);
  });

  it('knows countries without a numbering plan by E.164 alone', () => {
    const flow = flowOf({ ...globex, tenant: { name: 'globex', country: 'AQ' } });
    expect(flow.callingCode).toBe('');
    expect(flow.dialled.filter(({ action }) => action.kind === 'canonical')).toHaveLength(1);
  });
});
