import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileShipped, type ShippedCatalog } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { SipctlError } from '../../src/errors.ts';
import { acme, folderOf, templatesDir } from './support.ts';

let shipped: ShippedCatalog;
beforeAll(async () => {
  // Through JSON, as a run gets it.
  shipped = JSON.parse(JSON.stringify(await compileShipped(templatesDir)));
});

const withOverlay = async (files: Record<string, string>) =>
  loadCatalog({ shipped, overlay: await folderOf(files) });

async function complaints(files: Record<string, string>) {
  const error = await withOverlay(files).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SipctlError);
  expect((error as SipctlError).outcome).toBe('invalid');
  return (error as SipctlError).problems;
}

describe('without an overlay', () => {
  test('the catalog is the shipped one, also where the folder does not exist or is empty', async () => {
    for (const overlay of [undefined, '/nonexistent/sipctl', await folderOf({})]) {
      const catalog = await loadCatalog(overlay === undefined ? { shipped } : { shipped, overlay });
      expect(catalog.digest).toBe(shipped.digest);
      expect([...catalog.providers.keys()]).toEqual(shipped.providers.map((one) => one.id));
      expect(catalog.users.get('mobile_user')?.title).toBe('Mobile SIP User');
    }
  });

  test('neither yaml nor zod is loaded', async () => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL('../../src/catalog/load.ts', import.meta.url))],
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      splitting: true,
      outdir: 'out',
      packages: 'external',
    });
    const names: string[] = [];
    const follow = (output: string): void => {
      for (const one of metafile.outputs[output]?.imports ?? []) {
        if (one.kind !== 'import-statement') continue;
        names.push(one.path);
        if (one.external !== true) follow(one.path);
      }
    };
    follow('out/load.js');
    expect(names).toContain('node:fs/promises');
    expect(names).not.toContain('yaml');
    expect(names).not.toContain('zod');
  });
});

describe('an overlay', () => {
  test('adds a carrier in a short file, which inherits what all carriers share', async () => {
    const catalog = await withOverlay({ 'providers/acme.yaml': acme() });
    const own = catalog.providers.get('acme');
    expect(own).toMatchObject({
      origin: 'overlay',
      displayName: 'Acme',
      fromUser: 'account',
      networks: null,
    });
    expect(own?.asterisk).toEqual(catalog.providers.get('callcentric')?.asterisk);
    expect(catalog.providers.size).toBe(shipped.providers.length + 1);
    expect(catalog.digest).not.toBe(shipped.digest);
  });

  test('wins over a shipped template of the same id, and can change, add and remove single options', async () => {
    const catalog = await withOverlay({
      'providers/telnyx.yaml': `${acme('telnyx')}asterisk:
  endpoint:
    timers: always
    allow: 'g722'
    from_domain: null
    trust_id_inbound: true
    set_var.mine: MINE={{name}}
  identify: null
`,
    });
    const own = catalog.providers.get('telnyx');
    const base = shipped.providers.find((one) => one.id === 'callcentric')?.asterisk.endpoint ?? {};
    expect(own?.origin).toBe('overlay');
    expect(own?.displayName).toBe('Acme');
    expect(own?.asterisk).not.toHaveProperty('identify');
    const { from_domain: _, ...kept } = base;
    expect(own?.asterisk.endpoint).toEqual({
      ...kept,
      allow: 'g722',
      timers: 'always',
      trust_id_inbound: 'yes',
      'set_var.mine': 'MINE={{name}}',
    });
    expect(Object.keys(own?.asterisk.endpoint ?? {}).indexOf('allow')).toBe(
      Object.keys(base).indexOf('allow'),
    );
    expect(catalog.providers.size).toBe(shipped.providers.length);
  });

  test('lays user templates over the shipped ones', async () => {
    const text = `id: basic_user
display_name: Ours
title: Basic SIP User
description: Desk phones of this house
max_contacts: 2
`;
    const catalog = await withOverlay({ 'users/basic_user.yaml': text });
    expect(catalog.users.get('basic_user')).toMatchObject({ origin: 'overlay', maxContacts: 2 });
    expect(catalog.users.get('basic_user')?.asterisk.aor?.remove_existing).toBe('yes');
  });

  test('ignores what an editor leaves behind', async () => {
    const catalog = await withOverlay({
      'providers/.acme.yaml.swp': 'x',
      'providers/acme.yaml~': ':',
      README: '',
    });
    expect(catalog.digest).toBe(shipped.digest);
  });
});

describe('a bad overlay', () => {
  test('is refused with every complaint of every file, each with line, column, key and remedy', async () => {
    const problems = await complaints({
      'providers/acme.yaml': `id: acme
display_nam: Acme
docs: https://acme.example/sip
verified: 2026-02-30
auth_types: [credential, password]
transports: [udp, tls]
hosts:
  - { host: sip.acme.example:5060, region: main }
ports: { udp: 5060 }
required_fields: { credential: [username, passwort] }
registration: { mode: sometimes }
networks:
  source: somewhere
  read: 2026-10-01
  cidrs:
    - 192.0.2.0/24
    - sip.acme.example
asterisk:
  endpoint:
    from_user: '{{fromUsr}}'
    allow: '{{#if codecs}}{{codecs}}'
  endpiont: {}
`,
      'users/desk.yaml': 'id: desk\ntitle: 5\n',
    });
    const said = problems.map((one) => `${one.message} | ${one.hint}`);
    expect(said).toEqual(
      expect.arrayContaining([
        "providers/acme.yaml:2:1: display_nam: there is no key 'display_nam' | did you mean 'display_name'?",
        expect.stringContaining('providers/acme.yaml:1:1: display_name: is missing | '),
        "providers/acme.yaml:4:1: verified: '2026-02-30' is not a date | write it as 2026-01-31",
        expect.stringContaining(
          "providers/acme.yaml:5:26: auth_types.1: 'password' is not one of credential, ip",
        ),
        expect.stringContaining(
          "providers/acme.yaml:8:7: hosts.0.host: 'sip.acme.example:5060' is not a host name",
        ),
        expect.stringContaining(
          "providers/acme.yaml:10:43: required_fields.credential.1: 'passwort' is not one of",
        ),
        expect.stringContaining(
          "providers/acme.yaml:11:17: registration.mode: 'sometimes' is not one of required",
        ),
        expect.stringContaining(
          "providers/acme.yaml:17:7: networks.cidrs.1: 'sip.acme.example' is not an address",
        ),
        "providers/acme.yaml:20:5: asterisk.endpoint.from_user: there is no variable 'fromUsr' in this kind of template | did you mean 'fromUser'?",
        expect.stringContaining('providers/acme.yaml:21:5: asterisk.endpoint.allow: {{#if}} is not closed'),
        "providers/acme.yaml:22:3: asterisk.endpiont: there is no key 'endpiont' | did you mean 'endpoint'?",
        expect.stringContaining("users/desk.yaml:2:1: title: '5' is not a text"),
        expect.stringContaining('users/desk.yaml:1:1: description: is missing'),
      ]),
    );
    expect(problems.every((one) => (one.hint ?? '') !== '' && (one.field ?? '') !== '')).toBe(true);
  });

  test.each([
    ['transports: [udp]', 'transports: [udp, tls]\nports: { udp: 5060 }', 'ports: there is no port for tls'],
    ['{ credential: [username, password] }', '{}', 'a trunk cannot do without username, password'],
    [/hosts:\n.*\n/, '', 'a trunk cannot do without host'],
    ['[credential]', '[ip]', 'there is nothing to register with'],
    ['id: acme', 'id: acmee', "'acmee' is not the name of the file"],
    ['docs:', 'id: acme\ndocs:', 'Map keys must be unique'],
    ['docs: https', 'docs: [https', 'providers/acme.yaml:'],
    [acme(), '- acme', 'the file does not hold keys and values'],
    [acme(), '', 'the file does not hold keys and values'],
  ])('such as %s → %s', async (from, to, message) => {
    const problems = await complaints({ 'providers/acme.yaml': acme().replace(from, to) });
    expect(problems.map((one) => one.message).join('\n')).toContain(message);
  });

  test('says it where a file would not count', async () => {
    const problems = await complaints({
      'providers/acme.yml': acme(),
      'providers/_base.yaml': 'codecs: [ulaw]\n',
    });
    expect(problems.map((one) => one.message)).toEqual([
      'providers/_base.yaml: the base of all templates cannot be laid over',
      'providers/acme.yml: the name does not end in .yaml',
    ]);
  });

  test('cannot blow up by aliases', async () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...[...'bcdefgh'].map((key, at) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[at]}`)}]`),
    ];
    const [problem] = await complaints({ 'providers/acme.yaml': bomb.join('\n') });
    expect(problem?.code).toBe('template_syntax');
  });
});

describe('the digest', () => {
  const digestWith = async (text: string) => (await withOverlay({ 'providers/acme.yaml': text })).digest;

  test('does not depend on the order of keys, on comments or on spelling', async () => {
    const [id, ...rest] = acme().trimEnd().split('\n') as [string, ...string[]];
    const hosts = rest.splice(rest.indexOf('hosts:'), 2);
    const moved = ['# a comment', ...hosts, ...rest.reverse(), `${id} # same`].join('\n');
    expect(await digestWith(moved)).toBe(await digestWith(acme()));
  });

  test('changes with every value and with the order of options', async () => {
    const option = (lines: string) => `${acme()}asterisk:\n  endpoint:\n${lines}`;
    const digests = await Promise.all(
      [
        acme(),
        acme().replace('main', 'other'),
        `${acme()}codecs: [alaw, ulaw]\n`,
        `${acme()}notes: [a]\n`,
        option('    timers: always\n    language: de\n'),
        option('    language: de\n    timers: always\n'),
        option('    timers: always\n'),
      ].map(digestWith),
    );
    expect(new Set([shipped.digest, ...digests]).size).toBe(digests.length + 1);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  });
});
