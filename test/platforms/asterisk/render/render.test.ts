import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SipctlError } from '../../../../src/errors.ts';
import type { Rule, Value } from '../../../../src/model/field.ts';
import * as rule from '../../../../src/model/rules.ts';
import { Secret } from '../../../../src/model/secret.ts';
import type { ResolvedTrunk, ResolvedUser } from '../../../../src/model/site.ts';
import { type HeldArtifact, storePath } from '../../../../src/plan/generation.ts';
import { parseConf } from '../../../../src/platforms/asterisk/conf/parse.ts';
import { parseRendered } from '../../../../src/platforms/asterisk/conf/rendered.ts';
import type { PjsipGroup } from '../../../../src/platforms/asterisk/pjsip-object.ts';
import { loadTemplates } from '../../../../src/platforms/asterisk/render/compiled.ts';
import { renderIndexes, renderTenant } from '../../../../src/platforms/asterisk/render/render.ts';
import { shippedCatalog, siteOf, tenantOf, trunkOf, userOf } from './sample-site.ts';

const catalog = await shippedCatalog();
const templates = await loadTemplates(catalog, '16');
const telnyx = catalog.providers.get('telnyx');
const basic = catalog.users.get('basic_user');
if (telnyx === undefined || basic === undefined) throw new Error('the shipped templates have other names');

const render = (parts: Parameters<typeof siteOf>[0]) =>
  renderTenant(siteOf(parts), { transports: {}, templates });
const groupsOf = (parts: Parameters<typeof siteOf>[0]): PjsipGroup[] =>
  render(parts).flatMap(({ text }) => parseRendered(text.toString('utf8')));
const valuesOf = (group: PjsipGroup | undefined, type: string, option: string): string[] =>
  (group?.objects ?? [])
    .filter((object) => object.type === type)
    .flatMap(({ options }) => options.filter(([name]) => name === option).map(([, value]) => value));

describe('artifacts', () => {
  const site = {
    trunks: [trunkOf(telnyx, 'ip', { name: 'b' }), trunkOf(telnyx, 'credential', { name: 'a' })],
    users: ['zoe', 'Ann', 'ann'].map((username) => userOf(basic, { username })),
  };

  test('there is one per file, with its digest and its number of objects', () => {
    const artifacts = render(site);
    expect(artifacts.map(({ key, tenant, file, objects }) => [key, tenant, file, objects])).toEqual([
      ['acme/pjsip_trunks.conf', 'acme', 'pjsip_trunks.conf', 2],
      ['acme/pjsip_users.conf', 'acme', 'pjsip_users.conf', 3],
    ]);
    expect(artifacts[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a tenant without objects has none', () => {
    expect(render({})).toEqual([]);
    expect(render({ users: [userOf(basic)] }).map(({ file }) => file)).toEqual(['pjsip_users.conf']);
  });

  test('the order of the database does not show, and names are sorted by code unit', () => {
    expect(groupsOf(site).map(({ name }) => name)).toEqual(['a', 'b', 'Ann', 'ann', 'zoe']);
    const turned = { trunks: [...site.trunks].reverse(), users: [...site.users].reverse() };
    expect(render(turned)).toEqual(render(site));
  });

  test('a text is not touched by rendering the next one', () => {
    const [, users] = render(site);
    const before = users?.text.toString('utf8');
    render({ users: Array.from({ length: 3000 }, (_, at) => userOf(basic, { username: `user${at}` })) });
    expect(users?.text.toString('utf8')).toBe(before);
  });

  test('more users than the buffer first holds, in any script, come out whole', () => {
    const users = Array.from({ length: 3000 }, (_, at) =>
      userOf(basic, { username: `user${at}`, displayName: '😀'.repeat(100) }),
    );
    const groups = groupsOf({ users });
    expect(groups).toHaveLength(3000);
    for (const group of groups) {
      expect(valuesOf(group, 'endpoint', 'callerid')).toEqual([`"${'😀'.repeat(19)}" <1001>`]);
    }
  });
});

describe('index files', () => {
  const held = (tenant: string, file: string): HeldArtifact => ({
    tenant,
    file,
    sha256: 'ab'.repeat(32),
    objects: 1,
  });

  test('name every store file by its path below the configuration folder, sorted by key', () => {
    const artifacts = {
      'zeta/pjsip_users.conf': held('zeta', 'pjsip_users.conf'),
      'acme/pjsip_users.conf': held('acme', 'pjsip_users.conf'),
    };
    const indexes = renderIndexes(artifacts, templates);
    expect(parseConf(indexes.get('pjsip_users.conf') ?? '').items).toMatchObject(
      ['acme', 'zeta'].map((tenant) => ({
        kind: 'directive',
        name: 'include',
        argument: `sipctl/${storePath(held(tenant, 'pjsip_users.conf'))}`,
      })),
    );
  });

  test('are there even where they include nothing: a missing #include cuts off what follows it', () => {
    const { items } = parseConf(renderIndexes({}, templates).get('pjsip_trunks.conf') ?? 'x');
    expect(items).toEqual([]);
  });
});

const nasty = fc.constantFrom(
  ...[';', ';--', '--;', '\\', '\\;', '>', '=>', '=', '+=', '[', ']', '[x]', '](+)', '#include x', '#exec x'],
  ...[
    '; === END SIP USER: ann ===',
    '$'.concat('{X}'),
    '%',
    '"',
    "'",
    '<',
    ',',
    ' ',
    'é',
    '😀',
    'שלום',
    'x'.repeat(300),
  ],
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(nasty, { minLength: 1 }).map((parts) => parts.join('').slice(0, 1000)),
);
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,20}$/);

/** What a rule makes of a text; undefined where it refuses. */
function accepted<T extends Value>(by: Rule<T>, value: string): T | undefined {
  const parsed = by(value);
  return parsed.ok ? parsed.value : undefined;
}

// What Asterisk's own reader makes of a quoted caller ID (callerid.c).
const unquoted = (callerid: string): string =>
  callerid.slice(1, callerid.lastIndexOf('"')).replace(/\\(.)/gu, '$1');

// Asterisk keeps 79 bytes of a name; whole characters of them are written.
function asKept(name: string): string {
  if (Buffer.byteLength(name) <= 79) return name;
  return Buffer.from(name)
    .subarray(0, 79)
    .toString()
    .replace(/\ufffd+$/u, '')
    .trimEnd();
}

describe('whatever a rule lets through comes back exactly, beside neighbours that do not change', () => {
  const before = userOf(basic, { username: '0' });
  const after = userOf(basic, { username: 'zzzz' });
  const [plainBefore, plainAfter] = groupsOf({ users: [before, after] });

  test('for users', () => {
    fc.assert(
      fc.property(
        text,
        text,
        name,
        fc.constantFrom(...catalog.users.values()),
        (shown, secret, who, template) => {
          const displayName = accepted(rule.text(100), shown) ?? null;
          const password = accepted(rule.password, secret);
          const username = accepted(rule.sipUser, `u${who}`);
          fc.pre(password !== undefined && username !== undefined);
          const user = userOf(template, { username, displayName, password });
          const groups = groupsOf({ users: [before, user, after] });
          expect(groups).toHaveLength(3);
          expect(groups[0]).toEqual(plainBefore);
          expect(groups[2]).toEqual(plainAfter);
          expect(groups[1]?.objects.map(({ type, id }) => [type, id])).toEqual(
            Object.keys(template.asterisk).map((type) => [type, user.id]),
          );
          expect(valuesOf(groups[1], 'auth', 'password')).toEqual([password.reveal()]);
          const [callerid = ''] = valuesOf(groups[1], 'endpoint', 'callerid');
          expect(unquoted(callerid)).toBe(asKept(displayName ?? user.extension));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('for trunks', () => {
    const neighbour = trunkOf(telnyx, 'credential', { name: 'zzzz' });
    const [plain] = groupsOf({ trunks: [neighbour] });
    fc.assert(
      fc.property(text, text, text, (secret, account, domain) => {
        const password = accepted(rule.password, secret);
        const realm = accepted(rule.text(253), domain);
        const authUsername = accepted(rule.authUsername, account);
        fc.pre(password !== undefined && realm !== undefined);
        const fromDomain = 'sip.telnyx.com';
        const values = { name: 'main', password, realm, authUsername: authUsername ?? null, fromDomain };
        const groups = groupsOf({ trunks: [neighbour, trunkOf(telnyx, 'credential', values)] });
        expect(groups).toHaveLength(2);
        expect(groups[1]).toEqual(plain);
        expect(valuesOf(groups[0], 'auth', 'password')).toEqual([password.reveal()]);
        expect(valuesOf(groups[0], 'auth', 'realm')).toEqual([realm]);
        expect(valuesOf(groups[0], 'auth', 'username')).toEqual([authUsername ?? '1234567890']);
      }),
      { numRuns: 500 },
    );
  });
});

// The store may hold what an earlier version, or somebody else, wrote into it: rules are not the last line.
describe('what no rule would have let through', () => {
  const userFields = ['extension', 'displayName', 'transport', 'context', 'callerId', 'mailbox'] as const;
  const trunkFields = [
    'username',
    'authUsername',
    'realm',
    'host',
    'context',
    'did',
    'fromDomain',
    'outboundProxy',
  ] as const;
  const attack = fc.oneof(
    text,
    text.map((value) => `x\n[evil]\ntype=endpoint\n${value}`),
    text.map((value) => `x\r[evil]${value}`),
  );

  const wellFormed = (value: string) => Buffer.from(value).toString();

  const holds = (act: () => PjsipGroup[], objects: readonly string[]) => {
    let groups: PjsipGroup[];
    try {
      groups = act();
    } catch (error) {
      expect(error).toBeInstanceOf(SipctlError);
      return;
    }
    expect(groups).toHaveLength(1);
    expect(groups[0]?.objects.map(({ type }) => type)).toEqual(objects);
  };

  test('is refused or harmless in a user', () => {
    fc.assert(
      fc.property(attack, fc.constantFrom(...userFields), (value, field) => {
        const user: ResolvedUser = { ...userOf(basic), [field]: value };
        holds(() => groupsOf({ users: [user] }), Object.keys(basic.asterisk));
      }),
      { numRuns: 500 },
    );
  });

  test('is refused or harmless in a trunk', () => {
    fc.assert(
      fc.property(attack, fc.constantFrom(...trunkFields), (value, field) => {
        // Lone surrogates never come out of a database, whose texts are UTF-8.
        const trunk: ResolvedTrunk = { ...trunkOf(telnyx, 'credential'), [field]: wellFormed(value) };
        holds(() => groupsOf({ trunks: [trunk] }), Object.keys(telnyx.asterisk));
      }),
      { numRuns: 500 },
    );
  });

  test.each(['ann\n[evil]', 'ann]', 'ann;--', 'ann ===\n[evil]'])('%j as a name is refused', (username) => {
    const user = { ...userOf(basic), username, id: username };
    expect(() => render({ users: [user] })).toThrow();
  });
});

test('a line that Asterisk would skip is refused, with object and option', () => {
  const networks = Array.from({ length: 1000 }, (_, at) => `192.0.${at >> 8}.${at & 255}`);
  const trunk = { ...trunkOf(telnyx, 'ip'), networks };
  expect(() => render({ trunks: [trunk] })).toThrow(/trunk main: match is longer than the 8190 bytes/);
});

test('secrets are not in what is thrown', () => {
  const user = userOf(basic, { password: new Secret(`s3cret${'\t'}`) });
  try {
    render({ users: [user] });
    expect.unreachable();
  } catch (error) {
    expect(JSON.stringify([(error as SipctlError).message, (error as SipctlError).problems])).not.toContain(
      's3cret',
    );
  }
});

test('an object with a domain carries it in its sections and not in its markers', () => {
  const [group] = groupsOf({ users: [userOf(basic, {}, tenantOf({ domain: 'acme.example' }))] });
  expect(group?.name).toBe('ann');
  expect(new Set(group?.objects.map(({ id }) => id))).toEqual(new Set(['ann@acme.example']));
});
