import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseConf } from '../../../../src/platforms/asterisk/conf/parse.ts';
import { parseRendered } from '../../../../src/platforms/asterisk/conf/rendered.ts';
import { loadTemplates } from '../../../../src/platforms/asterisk/render/compiled.ts';
import { renderTenant } from '../../../../src/platforms/asterisk/render/render.ts';
import { shippedCatalog, siteOf, trunkOf, userOf } from './sample-site.ts';

/**
 * What every provider and user template makes of the same small trunk or user: reviewed like code. After a wanted
 * change: UPDATE_GOLDEN=1 npx vitest run test/platforms/asterisk/render, then read the difference.
 */
const folder = fileURLToPath(new URL('../../../golden/asterisk/', import.meta.url));
const update = process.env.UPDATE_GOLDEN === '1';

const catalog = await shippedCatalog();
// What the oldest supported version knows, every later one knows.
const templates = await loadTemplates(catalog, '16');
const textOf = (site: Parameters<typeof siteOf>[0]): string =>
  renderTenant(siteOf(site), { transports: {}, templates })
    .map(({ text }) => text.toString('utf8'))
    .join('');

const cases = [
  ...[...catalog.providers.values()].flatMap((template) =>
    template.authTypes.map((authType) => ({
      file: `${template.id}-${authType}.conf`,
      text: () => textOf({ trunks: [trunkOf(template, authType)] }),
    })),
  ),
  ...[...catalog.users.values()].map((template) => ({
    file: `${template.id}.conf`,
    text: () => textOf({ users: [userOf(template)] }),
  })),
];

test.each(cases)('$file', ({ file, text }) => {
  const rendered = text();
  if (update) writeFileSync(`${folder}${file}`, rendered);
  expect(existsSync(`${folder}${file}`), `there is no golden file ${file}: run with UPDATE_GOLDEN=1`).toBe(
    true,
  );
  expect(rendered).toBe(readFileSync(`${folder}${file}`, 'utf8'));
});

test.each(cases)('$file holds one group, and nothing that Asterisk would pass over', ({ text }) => {
  const rendered = text();
  const { items } = parseConf(rendered);
  expect(items.filter(({ kind }) => kind === 'fault' || kind === 'directive')).toEqual([]);
  const groups = parseRendered(rendered);
  expect(groups).toHaveLength(1);
  const objects = groups[0]?.objects ?? [];
  expect(items.filter(({ kind }) => kind === 'section')).toHaveLength(objects.length);
  expect(new Set(objects.map(({ type }) => type)).size).toBe(objects.length);
  for (const { options } of objects) for (const [, value] of options) expect(value).not.toBe('');
});

test('no golden file is left over', () => {
  expect(readdirSync(folder).sort()).toEqual(cases.map(({ file }) => file).sort());
});
