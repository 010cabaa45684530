import { beforeAll, describe, expect, test } from 'vitest';
import { compileShipped, type ShippedCatalog } from '../../src/catalog/compile.ts';
import { expressionFault } from '../../src/catalog/expressions.ts';
import { lintTemplate, type OptionTable } from '../../src/catalog/lint.ts';
import { newProviderYaml } from '../../src/catalog/new-provider.ts';
import { providerSchema } from '../../src/catalog/schema.ts';
import { acme, templatesDir } from './support.ts';

let shipped: ShippedCatalog;
let options: OptionTable;
beforeAll(async () => {
  shipped = await compileShipped(templatesDir);
  const known = (type: string) =>
    shipped.providers.flatMap((one) => Object.keys(one.asterisk[type] ?? {})).map((key) => key.split('.')[0]);
  const table = (type: string) => Object.fromEntries(known(type).map((option) => [option, {}]));
  options = {
    ...Object.fromEntries(['registration', 'auth', 'aor', 'identify'].map((type) => [type, table(type)])),
    endpoint: {
      ...table('endpoint'),
      direct_media: { kind: 'boolean' },
      timers: { kind: 'checked', values: ['no', 'yes', 'required', 'always', 'forced'] },
      tenantid: { kind: 'text', since: ['18.25.0', '20.10.0'], in16: false },
      type: {},
    },
  };
});

const lint = (text: string, today = '2026-11-21') =>
  lintTemplate(text, 'providers/acme.yaml', {
    kind: 'provider',
    base: shipped.bases.provider,
    options,
    today,
  });
const endpoint = (line: string) => lint(`${acme()}asterisk:\n  endpoint:\n    ${line}\n`);

describe('lint', () => {
  test('has nothing to say of a good file', () => {
    expect(lint(acme())).toEqual({ errors: [], warnings: [] });
  });

  test.each([
    [
      'direct_medai: no',
      "no option 'direct_medai' in a section of type endpoint",
      "did you mean 'direct_media'?",
    ],
    ['call_limit: 5', "no option 'call_limit'", 'drops the whole object'],
    ['type: endpoint', "no option 'type'", 'drops'],
    ['direct_media: maybe', "'maybe' is not a value", 'yes, no'],
    ['timers: often', "'often' is not a value", 'always'],
  ])('refuses %s', (line, message, hint) => {
    const { errors } = endpoint(line);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain('providers/acme.yaml:13:5: asterisk.endpoint.');
    expect(errors[0]?.message).toContain(message);
    expect(errors[0]?.hint).toContain(hint);
  });

  test('refuses a password outside of its own option, where no output hides it', () => {
    const { errors } = endpoint("set_var.x: 'PW={{password}}'");
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('shows the password')]);
    expect(endpoint("set_var.x: 'PW={{#if password}}yes{{/if}}'").errors).toEqual([]);
  });

  test('judges no value that a variable decides', () => {
    expect(endpoint("direct_media: '{{#if tls}}no{{else}}yes{{/if}}'").errors).toEqual([]);
  });

  test('warns of options that Asterisk 16 does not have', () => {
    const { errors, warnings } = endpoint("tenantid: '{{tenant}}'");
    expect(errors).toEqual([]);
    expect(warnings.map((one) => one.message)).toEqual([
      'providers/acme.yaml:13:5: asterisk.endpoint.tenantid: Asterisk 16 has no such option, it came with 18.25.0, 20.10.0',
    ]);
  });

  test('warns of an old reading, and refuses one that lies in the future', () => {
    expect(lint(acme(), '2027-12-01').warnings[0]?.message).toContain(
      ':4:1: verified: was read 426 days ago',
    );
    expect(lint(acme(), '2026-09-30').errors[0]?.message).toContain('2026-10-01 lies in the future');
    const networks = 'networks: { source: x, read: 2025-01-01, cidrs: [192.0.2.1] }\n';
    expect(lint(acme() + networks).warnings[0]?.message).toContain('networks.read: was read 689 days ago');
  });

  test('hands on what keeps the file from being a template', () => {
    const { errors } = lint(acme().replace('sip.acme.example', 'sip:acme'));
    expect(errors[0]?.message).toContain(
      "providers/acme.yaml:8:7: hosts.0.host: 'sip:acme' is not a host name",
    );
  });
});

describe('the starter of a new provider', () => {
  test('is a template that lints clean', () => {
    const text = newProviderYaml('acme', '2026-11-21');
    expect(lint(text)).toEqual({ errors: [], warnings: [] });
  });

  test('names every key, and its commented examples are right too', () => {
    const text = newProviderYaml('acme', '2026-11-21');
    const uncommented = text.replace(/^#(?=[a-z0-9_]+:| {2})/gm, '');
    expect(lint(uncommented)).toEqual({ errors: [], warnings: [] });
    for (const key of Object.keys(providerSchema.shape).filter((one) => one !== 'optional_fields')) {
      expect(uncommented).toMatch(new RegExp(`^${key}:`, 'm'));
    }
  });
});

describe('an expression', () => {
  const known = ['name', 'tls'];
  test.each([
    'plain',
    '{{name}}',
    'a{{name}}b{{tls}}',
    '{{#if tls}}{{#unless name}}x{{else}}y{{/unless}}{{/if}}',
  ])('may be %s', (expression) => expect(expressionFault(expression, known)).toBeNull());

  test.each([
    ['{{other}}', "there is no variable 'other'"],
    ['{{{name}}}', 'three braces'],
    ['\\{{name}}', 'a backslash'],
    ['{{name', 'a {{ has no }}'],
    ['name}}', 'a {{ has no }}'],
    ['{{#if tls}}', 'not closed'],
    ['{{#if tls}}{{/unless}}', 'closes no open block'],
    ['{{/if}}', 'closes no open block'],
    ['{{else}}', 'belongs to no open block'],
    ['{{#if tls}}{{else}}{{else}}{{/if}}', 'belongs to no open block'],
    ['{{#each name}}{{/each}}', '{{#each name}} is not'],
    ['{{name.length}}', 'is not {{name}}'],
    ['{{lookup name tls}}', 'is not {{name}}'],
    ['{{~name~}}', 'is not {{name}}'],
    ['{{> partial}}', 'is not {{name}}'],
    [Array(11).fill('{{#if tls}}x{{/if}}').join(''), 'more than 9 blocks'],
    ['{{!-- note --}}', 'is not {{name}}'],
  ])('may not be %s', (expression, message) => {
    expect(expressionFault(expression, known)?.message).toContain(message);
  });
});
