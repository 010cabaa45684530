import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { resolveSite } from '../../../../src/model/resolve.ts';
import { Secret } from '../../../../src/model/secret.ts';
import type { ProviderTemplate, UserTemplate } from '../../../../src/model/template.ts';
import { objectChanges, reloadFor } from '../../../../src/platforms/freeswitch/changes.ts';
import { renderIndexes, renderTenant } from '../../../../src/platforms/freeswitch/render/render.ts';
import { attributeOf, type Element } from '../../../../src/platforms/freeswitch/xml/element.ts';
import { parseXml } from '../../../../src/platforms/freeswitch/xml/parse.ts';
import { company } from '../../../support/calls/company.ts';
import { tenantSite } from '../../../support/calls/site-values.ts';
import { shippedCatalog, siteOf, tenantOf, trunkOf, userOf } from '../../asterisk/render/sample-site.ts';

const catalog = await shippedCatalog();
const phone = catalog.users.get('basic_user') as UserTemplate;
const carrier = catalog.providers.get('custom_credential') as ProviderTemplate;

const hostile = [
  '$${x}',
  '$$$${x}',
  '${system(touch /tmp/x)}',
  '%{system(id)}',
  '}[x=y]user/zz,',
  '"/><X-PRE-PROCESS cmd="exec" data="id"/>',
  'x-pre-process',
  '</include>',
  "a&b'c",
  '!USER_BUSY 1 XML t-beta',
];

const all = (element: Element): Element[] => [element, ...element.children.flatMap(all)];
const textOf = (site: Parameters<typeof siteOf>[0]): string =>
  renderTenant(siteOf(site))
    .map(({ text }) => text.toString('utf8'))
    .join('');
/** Parameter or variable → value, of all in a text. */
function valuesIn(text: string): Map<string, string> {
  const elements = parseXml(text).flatMap(all);
  return new Map(elements.map((one) => [attributeOf(one, 'name') ?? '', attributeOf(one, 'value') ?? '']));
}

describe('a hostile value', () => {
  it.each(hostile)('%j stays the value of one parameter of a gateway', (password) => {
    const text = textOf({ trunks: [trunkOf(carrier, 'credential', { password: new Secret(password) })] });
    expect(valuesIn(text).get('password')).toBe(password);
    expect(text).not.toMatch(/\$\$\{|x-pre-process/i);
    expect(text.match(/<param name="password"/g)).toHaveLength(1);
  });

  it.each(hostile)('%j as a password is in the directory as a hash only', (password) => {
    const text = textOf({ users: [userOf(phone, { password: new Secret(password) })] });
    const hash = createHash('md5').update(`ann:acme.example:${password}`).digest('hex');
    expect(valuesIn(text).get('a1-hash')).toBe(hash);
    expect(text).not.toContain('name="password"');
  });

  it.each(hostile)('%j as a name begins no variable and ends no quotes', (displayName) => {
    const text = textOf({ users: [userOf(phone, { displayName })] });
    const shown = valuesIn(text).get('effective_caller_id_name') ?? '';
    expect(shown).not.toMatch(/["\\<>$]/);
    expect(text).not.toMatch(/\$\$\{|x-pre-process/i);
  });

  it.each(['a\nb', 'a\0b'])('%j is refused', (displayName) => {
    expect(() => textOf({ users: [userOf(phone, { displayName })] })).toThrow(/cannot stand in a file/);
  });
});

describe('the directory', () => {
  it('lets nobody in without a secret', () => {
    const values = valuesIn(textOf({ users: [userOf(phone)] }));
    expect(values.get('allow-empty-password')).toBe('false');
    expect(values.get('a1-hash')).toMatch(/^[0-9a-f]{32}$/);
    expect(() => textOf({ users: [userOf(phone, { password: new Secret('') })] })).toThrow(/empty password/);
  });

  it('cannot be without a domain, and says what to do', () => {
    const tenant = tenantOf({ domain: null });
    const render = () => renderTenant({ ...siteOf({ users: [userOf(phone, {}, tenant)] }), tenant });
    expect(render).toThrow(/on FreeSWITCH a user is one of a domain/);
  });

  it('gives no number to a user whose number is the name of another one', () => {
    const users = [
      userOf(phone, { username: '1002', extension: '1001' }),
      userOf(phone, { username: '1001', extension: '1002' }),
    ];
    expect(textOf({ users })).not.toContain('number-alias');
  });
});

describe('rendering', () => {
  const tenant = { ...company.acme.tenant, domain: 'acme.example' };
  const site = resolveSite(tenantSite({ ...company.acme, tenant }), catalog);

  it('gives the same bytes for the same site', () => {
    const hashes = () => renderTenant(site).map(({ key, sha256 }) => `${key} ${sha256}`);
    expect(hashes()).toEqual(hashes());
  });

  it('names nothing of another tenant, and jumps only into contexts that are there', () => {
    const text = renderTenant(site)
      .map(({ text }) => text.toString('utf8'))
      .join('');
    const contexts = new Set([...text.matchAll(/<context name="([^"]+)"/g)].map(([, name]) => name));
    // What a menu leaves for the way back is a jump, too.
    const jumps = /(?:(?:transfer |data="|')[^"' ]+ XML |sipctl_menu=)([^"' $]+)/g;
    const targets = new Set([...text.matchAll(jumps)].map(([, name]) => name));
    expect([...targets].filter((name) => !contexts.has(name)).sort()).toEqual(['acme-bot']);
    expect([...contexts].filter((name) => !/^(t-acme($|\.)|from-trunk-acme$)/.test(name ?? ''))).toEqual([]);
  });

  it('puts one include on each line of an index, under a line of its own', () => {
    const artifacts = Object.fromEntries(renderTenant(site).map((one) => [one.key, one]));
    for (const [file, text] of renderIndexes(artifacts)) {
      const lines = text.trimEnd().split('\n');
      expect([lines[0], lines.at(-1)], file).toEqual(['<include>', '</include>']);
      for (const line of lines) expect(line.match(/</g)?.length, line).toBe(1);
      expect(() => parseXml(text)).not.toThrow();
    }
  });
});

describe('a change', () => {
  const key = 'acme/gateways.xml';
  const rendered = (password: string) =>
    renderTenant(siteOf({ trunks: [trunkOf(carrier, 'credential', { password: new Secret(password) })] }))[0]
      ?.text as Buffer;
  const change = (before: Buffer | null, after: Buffer | null) =>
    ({
      action: 'update',
      key,
      before: null,
      after: null,
      objects: objectChanges(key, before, after),
    }) as const;

  it('of a password is told without it, and ends the gateway before it is made anew', () => {
    const changed = change(rendered('old'), rendered('new'));
    expect(changed.objects).toEqual([
      {
        ...{ action: 'update', kind: 'trunk', tenant: 'acme', name: 'main', unregisters: ['acme.main'] },
        options: ['password', 'contact-params'].map((option) => ({
          ...{ section: 'param', option, before: '[secret]', after: '[secret]' },
        })),
      },
    ]);
    expect(reloadFor([changed])).toEqual([
      { kind: 'unregister', registration: 'acme.main' },
      { kind: 'reload-module', module: 'gateways' },
    ]);
  });

  it('that adds a gateway ends none, and one of users reads the files only', () => {
    expect(reloadFor([change(null, rendered('new'))])).toEqual([
      { kind: 'reload-module', module: 'gateways' },
    ]);
    expect(reloadFor([{ ...change(null, null), key: 'acme/directory.xml' }])).toEqual([
      { kind: 'reload-module', module: 'xml' },
    ]);
    expect(reloadFor([])).toEqual([]);
  });
});
