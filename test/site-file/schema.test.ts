import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { everyNoun } from '../../src/model/every-noun.ts';
import { siteSchema } from '../../src/site-file/schema.ts';
import { sectionOf, tenantSections } from '../../src/site-file/sections.ts';
import { root } from '../support/source-graph.ts';

const page = join(root, 'docs', 'sipctl.schema.json');
const validate = new Ajv({ strict: false }).compile(siteSchema());
const isValid = (text: string): unknown => validate(parse(text)) || validate.errors;

describe('the schema of site files', () => {
  it('is the one in docs; SIPCTL_RENEW=1 writes it', () => {
    const text = `${JSON.stringify(siteSchema(), null, 2)}\n`;
    if (process.env.SIPCTL_RENEW === '1') writeFileSync(page, text);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });

  it('takes what sipctl takes', () => {
    const text = `
      x-codecs: &codecs [opus, ulaw]
      tenants:
        acme:
          domain: acme.sip.example
          users:
            ann: {extension: 0100, password: generate, codecs: *codecs, record: yes}
            bob: {extension: "1001", password: env:BOB, enabled: false, displayName: }
          ivrs: {main: {greeting: hi, keys: {1: user:ann}}}
          numbers: {+15551234567: {destination: ivr:main}}
        other:
      nodes: {pbx1: {kind: asterisk, dir: /etc/asterisk}}`;
    expect(isValid(text)).toBe(true);
  });

  it.each([
    'tenants: {acme: {domian: x}}',
    'users: {}',
    'tenants: {acme: {users: {ann: {extension: 1, password: hunter2}}}}',
    'tenants: {acme: {users: {ann: {}}}}',
    'tenants: {acme: {maxCalls: many}}',
    'tenants: {acme: {maxCalls: -1}}',
    'tenants: {acme: {trunks: {t: {provider: x, transport: sctp}}}}',
    'nodes: {pbx1: {kind: kamailio, dir: /x}}',
  ])('refuses %s', (text) => {
    expect(isValid(text)).not.toBe(true);
  });

  it('knows every field of every noun, and no section has the name of a field of the tenant', () => {
    const definitions = siteSchema().definitions as Record<string, { properties: object }>;
    for (const noun of everyNoun)
      expect(Object.keys(definitions[noun.name]?.properties ?? {})).toEqual(
        expect.arrayContaining([...Object.keys(noun.fields), 'enabled']),
      );
    const fields = Object.keys(everyNoun.find(({ name }) => name === 'tenant')?.fields ?? {});
    expect(fields.filter((name) => tenantSections.has(name))).toEqual([]);
    expect(new Set(everyNoun.map(sectionOf)).size).toBe(everyNoun.length);
  });
});
