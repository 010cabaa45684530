import { expect, it } from 'vitest';
import { simulate } from '../../../src/model/flow/simulate.ts';
import { resolveSite } from '../../../src/model/resolve.ts';
import { shippedCatalog } from '../../platforms/asterisk/render/sample-site.ts';
import { callCases } from '../../support/calls/cases.ts';
import { company } from '../../support/calls/company.ts';
import { tenantSite } from '../../support/calls/site-values.ts';

const catalog = await shippedCatalog();
const flows = {
  acme: resolveSite(tenantSite(company.acme), catalog).flow,
  globex: resolveSite(tenantSite(company.globex), catalog).flow,
};

it.each(callCases)('$tenant: $name', ({ tenant, call, world, outcome, hops, variables, recorded }) => {
  const simulation = simulate(flows[tenant], call, world);
  expect(simulation.outcome).toEqual(outcome);
  expect(simulation.hops).toEqual(hops ?? []);
  expect(simulation.variables).toMatchObject(variables ?? {});
  expect(simulation.recorded).toBe(recorded ?? false);
});

it('names every case differently', () => {
  expect(new Set(callCases.map(({ name }) => name)).size).toBe(callCases.length);
});
