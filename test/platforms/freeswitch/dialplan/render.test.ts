import { expect, test } from 'vitest';
import { resolveSite } from '../../../../src/model/resolve.ts';
import { renderTenant } from '../../../../src/platforms/freeswitch/render/render.ts';
import { company } from '../../../support/calls/company.ts';
import { tenantSite } from '../../../support/calls/site-values.ts';
import { shippedCatalog } from '../../asterisk/render/sample-site.ts';

const catalog = await shippedCatalog();

test.each(Object.entries(company))('the company %s', (_name, values) => {
  const site = tenantSite({ ...values, tenant: { ...values.tenant, domain: 'acme.example' } });
  const artifacts = renderTenant(resolveSite(site, catalog));
  for (const { file, text } of artifacts) { console.log(file, text.length); if (process.env.SHOW === file) console.log(text.toString()); }
  expect(artifacts.length).toBeGreaterThan(3);
});
