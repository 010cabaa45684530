import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { resolveSite } from '../../../../src/model/resolve.ts';
import type { ResolvedSite } from '../../../../src/model/site.ts';
import { renderTenant } from '../../../../src/platforms/freeswitch/render/render.ts';
import { maskSecrets } from '../../../../src/report/mask.ts';
import { company } from '../../../support/calls/company.ts';
import { tenantSite } from '../../../support/calls/site-values.ts';
import { shippedCatalog, siteOf, trunkOf, userOf } from '../../asterisk/render/sample-site.ts';

/**
 * What every provider and user template makes of the same small trunk or user, and what two companies that have
 * everything become: reviewed like code. After a wanted change: UPDATE_GOLDEN=1 npx vitest run
 * test/platforms/freeswitch/render, then read the difference.
 */
const folder = fileURLToPath(new URL('../../../golden/freeswitch/', import.meta.url));
const update = process.env.UPDATE_GOLDEN === '1';

const catalog = await shippedCatalog();
const textOf = (site: ResolvedSite): string =>
  renderTenant(site)
    .map(({ text }) => text.toString('utf8'))
    .join('');

const cases = [
  ...[...catalog.providers.values()].flatMap((template) =>
    template.authTypes.map((authType) => ({
      file: `${template.id}-${authType}.xml`,
      text: () => textOf(siteOf({ trunks: [trunkOf(template, authType)] })),
    })),
  ),
  ...[...catalog.users.values()].map((template) => ({
    file: `${template.id}.xml`,
    text: () => textOf(siteOf({ users: [userOf(template)] })),
  })),
  ...Object.entries(company).flatMap(([name, values]) => {
    const tenant = { ...values.tenant, domain: `${name}.example` };
    return renderTenant(resolveSite(tenantSite({ ...values, tenant }), catalog)).map(({ file, text }) => ({
      file: `company-${name}-${file}`,
      text: () => text.toString('utf8'),
    }));
  }),
];

test.each(cases)('$file', ({ file, text }) => {
  const rendered = text();
  if (update) writeFileSync(`${folder}${file}`, rendered);
  expect(existsSync(`${folder}${file}`), `there is no golden file ${file}: run with UPDATE_GOLDEN=1`).toBe(
    true,
  );
  expect(rendered).toBe(readFileSync(`${folder}${file}`, 'utf8'));
});

/** Passwords and PINs of these sites, and whatever is derived from one. */
const secrets = /pass;word|value="carrier"|phone of|\b(?:1234|9876|5555|4711)\b|\b[0-9a-f]{32}\b/;

test.each(cases)('$file shows no secret where secrets are hidden', ({ text }) => {
  expect(maskSecrets(text()).match(secrets)).toBeNull();
});

test('secrets are there to be hidden', () => {
  const shown = cases.filter(({ text }) => secrets.test(text())).map(({ file }) => file);
  for (const part of ['calls', 'directory', 'gateways']) expect(shown).toContain(`company-acme-${part}.xml`);
});

test('no golden file is left over', () => {
  expect(readdirSync(folder).sort()).toEqual(cases.map(({ file }) => file).sort());
});
