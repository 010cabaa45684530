import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { everyNoun } from '../../src/model/every-noun.ts';
import type { Field, Noun } from '../../src/model/field.ts';
import { sandboxIn } from '../support/run-sipctl.ts';

type Values = Record<string, unknown>;

const digits = fc.integer({ min: 0, max: 99_999 }).map((number) => String(number).padStart(3, '0'));
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
/** Texts that YAML could take for something else, besides any that a rule takes. */
const tricky = fc.constantFrom(
  'yes',
  'null',
  '~',
  '0100',
  '1e3',
  '0x1f',
  '12:30:45',
  '- a',
  '{a: b}',
  '[x]',
  '# no',
  'a: b',
  'a #b',
  "it's",
  '"q"',
  '*a',
  '&a',
  '!t',
  '%d',
  '@x',
  '`b`',
  '| x',
  '> x',
  '---',
  '...',
  '<<',
  'é',
  '😀',
  '2026-01-01',
  '.5',
  '+1',
  '=',
  'a\\nb',
);
const free = fc.oneof(tricky, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }));

/** A value that the rule of a field takes; null where none is found. */
function taken({ kind, rule }: Field): fc.Arbitrary<unknown> {
  const { choices, bounds } = rule;
  if (kind === 'boolean') return fc.boolean();
  if (kind === 'integer' && bounds !== undefined) return fc.integer({ min: bounds[0], max: bounds[1] });
  if (kind === 'list' && choices !== undefined)
    return fc.uniqueArray(fc.constantFrom(...choices), { minLength: 1, maxLength: 4 });
  if (choices !== undefined) return fc.constantFrom(...choices);
  const text = fc.oneof(
    free,
    digits,
    word,
    fc.constantFrom(
      '+15551234567',
      'host.example',
      'stun:stun.example:3478',
      '192.0.2.0/24',
      'sip:a@b.example',
    ),
  );
  const fits = (value: string): boolean => rule(value).ok;
  if (kind === 'list')
    return fc
      .uniqueArray(text, { maxLength: 3 })
      .map((all) => all.filter((one) => !one.includes(',') && fits(one)));
  return text.map((value) => (fits(value) ? value : null));
}

/** Fields whose values mean something to one another, or name other objects: they are chosen below. */
const chosen = new Set([
  ...[
    'provider',
    'region',
    'host',
    'authType',
    'username',
    'password',
    'realm',
    'did',
    'registration',
    'srtp',
    'transport',
    'isDefault',
    'owner',
    'fromUser',
    'outbound',
  ],
  ...[
    'extension',
    'template',
    'codecs',
    'voicemail',
    'voicemailPin',
    'email',
    'unanswered',
    'trunk',
    'destination',
    'schedule',
    'members',
    'keys',
    'invalid',
  ],
  ...[
    'pin',
    'moderatorPin',
    'waitForModerator',
    'timeZone',
    'open',
    'holidays',
    'closed',
    'match',
    'trunks',
    'strip',
    'prepend',
    'callerId',
    'domain',
    'turnPassword',
    'variables',
    'options',
  ],
]);

const nounNamed = (name: string): Noun => everyNoun.find((noun) => noun.name === name) as Noun;

/** Values of an object's plain fields, some of them. */
function fieldsOf(name: string): fc.Arbitrary<Values> {
  const plain = Object.entries(nounNamed(name).fields).filter(
    ([field, { kind }]) => !chosen.has(field) && kind !== 'secret' && kind !== 'reference',
  );
  const record = Object.fromEntries(plain.map(([field, spec]) => [field, taken(spec)]));
  return fc.record({ ...record, enabled: fc.boolean() }, { requiredKeys: [] });
}

const section = (
  name: string,
  most: number,
  more: (at: number, total: number) => Values,
): fc.Arbitrary<Values[]> =>
  fc
    .array(fieldsOf(name), { maxLength: most })
    .map((all) => all.map((values, at) => ({ ...values, ...more(at, all.length) })));

const named = (prefix: string, all: readonly Values[]): Values =>
  Object.fromEntries(all.map((values, at) => [`${prefix}${at}`, values]));

const pick = <T>(all: readonly T[], at: number): T | null =>
  all.length === 0 ? null : (all[at % all.length] as T);

/** A tenant whose objects name one another, as they are in a site file. */
const tenantTree = fc
  .record({
    own: fieldsOf('tenant'),
    users: section('user', 6, (at) => ({ extension: `1${at}`, password: 'generate' })),
    trunks: section('trunk', 3, (at) => ({
      provider: 'custom_ip',
      host: `h${at}.example`,
      networks: [`192.0.2.${at}`],
      isDefault: at === 1,
    })),
    numbers: section('number', 4, () => ({})),
    groups: section('group', 2, (at) => ({ extension: `2${at}` })),
    ivrs: section('ivr', 2, (at) => ({ extension: `3${at}` })),
    conferences: section('conference', 2, (at) => ({ extension: `4${at}`, pin: 'generate' })),
    schedules: section('schedule', 2, () => ({
      timeZone: 'Europe/Berlin',
      open: ['mon-fri 09:00-17:00'],
      holidays: ['12-25'],
      closed: 'hangup:busy',
    })),
    routes: section('route', 2, (at) => ({ match: [`+4${at}`] })),
  })
  .map(({ own, ...parts }) => (index: number): Values => {
    const { users, trunks, numbers, groups, ivrs, conferences, schedules, routes } = parts;
    const to = (at: number): string =>
      pick(
        [
          ...users.map((_, one) => `user:u${one}`),
          ...ivrs.map((_, one) => `ivr:m${one}`),
          'external:+4930123456',
        ],
        at,
      ) as string;
    return {
      ...own,
      domain: `t${index}.example`,
      users: named(
        'u',
        users.map((values, at) => ({ ...values, unanswered: at % 2 === 0 ? to(at + 1) : null })),
      ),
      trunks: named(
        't',
        trunks.map((values, at) => ({
          ...values,
          owner: pick(
            users.map((_, one) => `u${one}`),
            at,
          ),
        })),
      ),
      numbers: Object.fromEntries(
        numbers.map((values, at) => [
          `+49301234${index}${at}`,
          {
            ...values,
            destination: to(at),
            trunk: pick(
              trunks.map((_, one) => `t${one}`),
              at,
            ),
            schedule: pick(
              schedules.map((_, one) => `s${one}`),
              at,
            ),
          },
        ]),
      ),
      groups: named(
        'g',
        groups.map((values, at) => ({
          ...values,
          members: ['external:+4930123456', ...users.map((_, one) => `u${one}`)],
          unanswered: `hangup:busy`,
          notes: `g ${at}`,
        })),
      ),
      ivrs: named(
        'm',
        ivrs.map((values) => ({ ...values, greeting: 'custom/hi', keys: { 1: to(0), '#': to(1) } })),
      ),
      conferences: named('c', conferences),
      schedules: named('s', schedules),
      routes: named(
        'r',
        routes.map((values) => ({
          ...values,
          trunks: trunks.flatMap(({ outbound }, one) => (outbound === false ? [] : [`t${one}`])),
        })),
      ),
    };
  });

const siteTree = fc.array(tenantTree, { minLength: 1, maxLength: 2 }).map((tenants) => ({
  tenants: Object.fromEntries(tenants.map((tenant, at) => [`t${at}`, tenant(at)])),
  nodes: { n1: { kind: 'asterisk', dir: '/etc/asterisk', keep: 3 } },
}));

/** A folder with a database; what is done there throws where it fails. */
async function place(dir: string) {
  mkdirSync(dir);
  const box = sandboxIn(dir);
  await box.ok('init');
  return {
    apply: async (text: string, env: Record<string, string> = {}) => {
      writeFileSync(join(dir, 'site.yaml'), text);
      return box.ok(['apply', '-f', join(dir, 'site.yaml'), '--no-apply', '--yes', '--prune', '--json'], {
        env,
      });
    },
    export: async (...flags: string[]) => (await box.ok(['export', ...flags])).stdout,
  };
}

it('an exported site applies with no change, is the same bytes again, and makes the same site elsewhere', async () => {
  let rich = 0;
  await fc.assert(
    fc.asyncProperty(siteTree, async (tree) => {
      const dir = mkdtempSync(join(tmpdir(), 'sipctl-export-'));
      try {
        const here = await place(join(dir, 'here'));
        await here.apply(JSON.stringify(tree));
        const yaml = await here.export();
        for (const text of [yaml, await here.export('--format', 'json')]) {
          const again = (await here.apply(text)).json();
          expect([again.changed, again.data]).toMatchObject([
            false,
            { count: { create: 0, update: 0, delete: 0 } },
          ]);
        }
        expect(await here.export()).toBe(yaml);
        const movable = await here.export('--secrets', 'env');
        const variables = [...movable.matchAll(/env:(\w+)/g)].map(([, name]) => name as string);
        expect(new Set(variables).size).toBe(variables.length);
        const there = await place(join(dir, 'there'));
        await there.apply(movable, Object.fromEntries(variables.map((name) => [name, '12345678'])));
        expect(await there.export()).toBe(yaml);
        expect(await there.export('--secrets', 'env')).toBe(movable);
        if (yaml.length > 1500) rich++;
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    }),
    { numRuns: 25, seed: 20261122 },
  );
  expect(rich).toBeGreaterThan(5);
}, 120_000);
