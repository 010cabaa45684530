import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Sections, UserTemplate } from '../../../../src/model/template.ts';
import { loadTemplates } from '../../../../src/platforms/asterisk/render/compiled.ts';
import { fromSpecification, partsOf } from '../../../../src/platforms/asterisk/render/compiled-file.ts';
import {
  trunkContext,
  type UserContext,
  userContext,
} from '../../../../src/platforms/asterisk/render/contexts.ts';
import { precompileShipped } from '../../../../src/platforms/asterisk/render/precompile.ts';
import { digestOfShapes, shapesFrom } from '../../../../src/platforms/asterisk/render/shapes.ts';
import * as sources from '../../../../src/platforms/asterisk/render/shipped.ts';
import { shippedCatalog, templatesDir, trunkOf, userOf } from './sample-site.ts';

const catalog = await shippedCatalog();
const basic = catalog.users.get('basic_user') as UserTemplate;

const withSections = (asterisk: Sections): UserTemplate => ({
  ...basic,
  id: 'own',
  origin: 'overlay',
  asterisk,
});

/** The rendered lines of the only section of a template with these options. */
async function lines(
  options: Record<string, string>,
  values: Partial<UserContext> = {},
  { type = 'endpoint', version = '16' } = {},
): Promise<string[]> {
  const template = withSections({ [type]: options });
  const catalogWithIt = { providers: new Map(), users: new Map([['own', template]]) };
  const { block } = (await loadTemplates(catalogWithIt, version)).user(template);
  const text = block({ ...userContext(userOf(basic)), ...values });
  return text
    .split('\n')
    .filter(
      (line) => line !== '' && !line.startsWith(';') && !line.startsWith('[') && !line.startsWith('type='),
    );
}

describe('an expression', () => {
  test.each([
    ['all', {}, ['accountcode=all']],
    ['{{extension}}', {}, ['accountcode=1001']],
    ['{{maxCalls}}', { maxCalls: 0 }, ['accountcode=0']],
    ['{{mailbox}}', { mailbox: '' }, []],
    ['{{mailbox}}{{transport}}', { mailbox: '', transport: 't' }, ['accountcode=t']],
    ['{{mailbox}}{{transport}}', { mailbox: '', transport: '' }, []],
    ['{{mailbox}} {{transport}}', { mailbox: 'm', transport: 't' }, ['accountcode=m t']],
    ['{{mailbox}} {{transport}}', { mailbox: '', transport: 't' }, ['accountcode=t']],
    ['{{#if mailbox}}yes{{/if}}', { mailbox: '' }, []],
    ['{{#if mailbox}}yes{{else}}no{{/if}}', { mailbox: '' }, ['accountcode=no']],
    ['{{#unless mailbox}}{{transport}}{{/unless}}', { mailbox: '', transport: '' }, []],
    ['{{#if mailbox}}{{#if transport}}both{{/if}}{{/if}}', { mailbox: 'm', transport: '' }, []],
    ['{{#if mailbox}}{{mailbox}}{{/if}}-{{extension}}', { mailbox: '' }, ['accountcode=-1001']],
    ['{{#if maxCalls}}some{{else}}any{{/if}}', { maxCalls: 0 }, ['accountcode=any']],
    ['a;b', {}, ['accountcode=a\\;b']],
    ['>a', {}, ['accountcode= >a']],
    ['{{password}}', { password: '>p', passwordGuard: ' ' }, ['accountcode= >p']],
    ['{{#if mailbox}}{{password}}{{/if}}', { password: '>p', passwordGuard: ' ' }, ['accountcode= >p']],
    ['{{displayName}}>', { displayName: '', displayNameGuard: '' }, ['accountcode= >']],
    ['x{{password}}', { password: '>p', passwordGuard: ' ' }, ['accountcode=x>p']],
  ] as const)('%j with %j gives %j', async (expression, values, expected) => {
    expect(await lines({ accountcode: expression }, values)).toEqual(expected);
  });

  test('may stand several times for one option', async () => {
    expect(await lines({ 'set_var.a': 'A={{extension}}', 'set_var.b': 'B=1' })).toEqual([
      'set_var=A=1001',
      'set_var=B=1',
    ]);
  });

  test('answers for the values of each object, not of the first one', async () => {
    const template = withSections({ endpoint: { accountcode: '{{mailbox}}', context: '{{context}}' } });
    const { block } = (
      await loadTemplates({ providers: new Map(), users: new Map([['own', template]]) }, '16')
    ).user(template);
    const base = userContext(userOf(basic));
    const texts = [
      { ...base, mailbox: 'one' },
      { ...base, mailbox: '' },
      { ...base, mailbox: 'two', context: 'other' },
    ].map((context) => block(context));
    expect(texts.map((text) => /accountcode=.*/.exec(text)?.[0])).toEqual([
      'accountcode=one',
      undefined,
      'accountcode=two',
    ]);
    expect(texts[2]).toContain('context=other\n');
  });

  test.each([
    ['{{> other}}', /PartialStatement is not allowed/],
    ['{{#each codecs}}x{{/each}}', /only \{\{#if name\}\}/],
    ['{{lookup this "constructor"}}', /helpers are not allowed/],
    ['{{#if (lookup this "x")}}y{{/if}}', /only plain names/],
    ['{{constructor}}', /no variable 'constructor'/],
    ['{{__proto__}}', /no variable '__proto__'/],
    ['{{this}}', /only plain names/],
    ['{{../id}}', /only plain names/],
    ['{{@root}}', /only plain names/],
    ['{{id.length}}', /only plain names/],
    ['{{passwordGuard}}', /no variable 'passwordGuard'/],
    ['{{{id}}', /Parse error|Expecting/],
    ['{{!-- note --}}', /CommentStatement is not allowed/],
    ['a\n[evil]', /control character/],
    ['a\u0001', /control character/],
    ['{{#if mailbox}}x{{/if}}'.repeat(11), /more than 10 blocks/],
  ])('%j is refused', async (expression, message) => {
    await expect(lines({ accountcode: expression })).rejects.toThrow(message);
  });

  test('cannot reach the structure through whitespace control', async () => {
    expect(await lines({ accountcode: '{{~extension~}}', context: ' {{~context}}' })).toEqual([
      'accountcode=1001',
      'context=t-acme',
    ]);
  });
});

describe('names', () => {
  test('of options and types are checked against Asterisk, all complaints at once', async () => {
    const bad = lines({ call_limit: '5', 'allow\nx': 'y' }, {}, { version: '22' });
    await expect(bad).rejects.toThrow(/endpoint\.call_limit[\s\S]*endpoint\.allow\nx/);
    await expect(lines({ type: 'aor' })).rejects.toThrow(/'type' is not an option of endpoint/);
    await expect(lines({ allow: 'ulaw' }, {}, { type: 'endpoint]\n[x' })).rejects.toThrow();
  });

  test('that only later versions know are refused for earlier ones', async () => {
    await expect(lines({ send_aoc: 'yes' }, {}, { version: '16' })).rejects.toThrow(
      /'own': Asterisk 16 has no option endpoint\.send_aoc/,
    );
    expect(await lines({ send_aoc: 'yes' }, {}, { version: '22' })).toEqual(['send_aoc=yes']);
  });
});

test('a section stands where its condition is met', async () => {
  expect(await lines({ $when: 'mailbox', context: 'x' }, { mailbox: '' })).toEqual([]);
  expect(await lines({ $when: 'mailbox', context: 'x' })).toEqual(['context=x']);
  await expect(lines({ $when: 'nothing', context: 'x' })).rejects.toThrow(/no variable 'nothing'/);
});

test('what the build compiles renders the same bytes, and is the same at every build', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-templates-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const shipped = { providers: catalog.providers.values(), users: catalog.users.values() };
  const source = precompileShipped(shipped, join(templatesDir, 'asterisk'));
  const again = { providers: catalog.providers.values(), users: catalog.users.values() };
  expect(precompileShipped(again, join(templatesDir, 'asterisk'))).toBe(source);
  const file = join(folder, 'shipped.mjs');
  writeFileSync(file, source);
  const { specifications, shapeText, shapesDigest } = await import(
    /* @vite-ignore */ pathToFileURL(file).href
  );
  expect(shapeText('index.conf')).toContain('#include');
  expect(shapesDigest()).toBe(sources.shapesDigest());
  const compiled = await loadTemplates(catalog, '16');
  for (const template of catalog.users.values()) {
    const { block } = partsOf(fromSpecification(specifications[`user ${template.id}`]), 'users');
    const context = userContext(userOf(template));
    expect(block(context)).toBe(compiled.user(template).block(context));
  }
  for (const template of catalog.providers.values()) {
    const { block } = partsOf(fromSpecification(specifications[`trunk ${template.id}`]), 'trunks');
    for (const authType of template.authTypes) {
      const context = trunkContext(trunkOf(template, authType), {});
      expect(block(context)).toBe(compiled.trunk(template).block(context));
    }
  }
});

test('a changed shape has another digest, whichever of them it is', () => {
  const digests = ['', 'pjsip_trunks.conf', 'pjsip_users.conf', 'index.conf'].map((changed) =>
    digestOfShapes(shapesFrom((file) => sources.shapeText(file) + (file === changed ? '; more\n' : ''))),
  );
  expect(digests[0]).toBe(sources.shapesDigest());
  expect(new Set(digests).size).toBe(digests.length);
});
