import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { expectOneCompleteGeneration } from '../support/kill/one-complete-generation.ts';
import { type Site, siteIn } from './site.ts';

const tenants = ['default', 'acme', 'constructor'] as const;
const names = ['ann', 'bob', 'constructor', '1001'] as const;
const trunkNames = ['main', 'constructor', 'valueOf'] as const;
const domains = ['acme.example', 'constructor', 'sip.test'] as const;

/** Command lines that change the site; some are refused, which is as good a step as any. */
const tenant = fc.constantFrom(...tenants);
const user = fc.constantFrom(...names);
const trunk = fc.constantFrom(...trunkNames);
const of = (...parts: fc.Arbitrary<string[]>[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts).map((words) => words.flat());
const word = (...texts: string[]): fc.Arbitrary<string[]> => fc.constant(texts);
const one = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string[]> => arbitrary.map((text) => [text]);
const inTenant = of(word('--tenant'), one(tenant));
const switched = fc.constantFrom('enable', 'disable');

const ensureUser = of(
  word('user', 'ensure'),
  one(user),
  inTenant,
  word('--generate-password', '--extension'),
  fc.constantFrom(['101'], ['102'], ['103', '--display-name', 'A; "B" \\ >c'], ['104', '--max-calls', '0']),
  fc.constantFrom([], ['--template', 'webrtc_user'], ['--template', 'own_phone'], ['--video', 'h264']),
);
const ensureTrunk = of(
  word('trunk', 'ensure'),
  one(trunk),
  inTenant,
  fc.constantFrom(
    ['--provider', 'custom_ip', '--host', 'carrier.example', '--networks', '192.0.2.0/24'],
    ['--provider', 'telnyx', '--username', 'account', '--password-stdin', '--did', '+15551234567'],
    ['--provider', 'telnyx', '--username', 'other', '--password-stdin', '--region', 'europe', '--no-inbound'],
    ['--provider', 'own_carrier', '--username', 'own', '--password-stdin'],
  ),
);
const command = fc.oneof(
  { weight: 6, arbitrary: ensureUser },
  { weight: 4, arbitrary: ensureTrunk },
  { weight: 2, arbitrary: of(word('user'), one(switched), one(user), inTenant) },
  { weight: 2, arbitrary: of(word('user', 'remove'), one(user), inTenant, word('--yes', '--cascade')) },
  { weight: 2, arbitrary: of(word('trunk'), one(switched), one(trunk), inTenant) },
  { weight: 2, arbitrary: of(word('trunk', 'remove'), one(trunk), inTenant, word('--yes', '--cascade')) },
  { weight: 2, arbitrary: of(word('tenant', 'ensure'), one(tenant)) },
  {
    weight: 2,
    arbitrary: of(word('tenant', 'set'), one(tenant), word('--domain'), one(fc.constantFrom(...domains))),
  },
  { weight: 1, arbitrary: of(word('tenant', 'set'), one(tenant), word('--unset', 'domain')) },
  { weight: 1, arbitrary: of(word('tenant', 'set'), one(tenant), word('--caller-id', '+15550001111')) },
  { weight: 1, arbitrary: of(word('tenant'), one(switched), one(tenant)) },
  { weight: 1, arbitrary: of(word('tenant', 'remove'), one(tenant), word('--yes', '--cascade')) },
  {
    weight: 1,
    arbitrary: of(word('number', 'ensure', '+15557654321'), inTenant, word('--label', 'x')),
  },
  {
    weight: 1,
    arbitrary: of(
      word('node', 'set', 'pbx2'),
      fc.constantFrom(
        ['--tenants', 'acme'],
        ['--tenants', 'constructor,default'],
        ['--unset', 'tenants'],
        ['--engine-version', '22'],
        ['--transports', 'udp=own-udp'],
        ['--unset', 'transports'],
      ),
    ),
  },
  { weight: 1, arbitrary: word('key', 'rotate', '--yes') },
);
const step = fc.oneof(
  { weight: 12, arbitrary: command.map((argv) => ({ kind: 'run' as const, argv })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'apply' as const, argv: [] as string[] }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...['30', '45', ''].map((seconds) => [seconds]))
      .map((argv) => ({ kind: 'overlay' as const, argv })),
  },
);

function newSite(): Site {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-fast-'));
  for (const folder of ['pbx1', 'pbx2', 'config']) mkdirSync(join(dir, folder));
  return siteIn(dir);
}

async function begin(sipctl: Site): Promise<void> {
  await sipctl.ok('init');
  overlay(sipctl.dir, '60');
  for (const node of ['pbx1', 'pbx2'])
    await sipctl.ok('node', 'add', node, '--kind', 'asterisk', '--dir', join(sipctl.dir, node));
  await sipctl.ok('tenant', 'add', 'acme', '--domain', 'first.acme.example');
}

/** A carrier and a phone of the operator's own; without seconds both are as they were first. */
function overlay(dir: string, seconds: string): void {
  const folder = join(dir, 'config', 'sipctl', 'templates');
  mkdirSync(join(folder, 'providers'), { recursive: true });
  mkdirSync(join(folder, 'users'), { recursive: true });
  const qualify = seconds === '' ? '60' : seconds;
  writeFileSync(
    join(folder, 'providers', 'own_carrier.yaml'),
    `id: own_carrier
display_name: Own Carrier
docs: https://carrier.example/
verified: 2026-01-01
auth_types: [credential]
transports: [udp]
hosts:
  - { host: sip.carrier.example, region: main }
required_fields: { credential: [username, password] }
registration: { mode: optional, expiry: 300 }
qualify_frequency: ${qualify}
`,
  );
  writeFileSync(
    join(folder, 'users', 'own_phone.yaml'),
    `id: own_phone
display_name: Own phone
title: Own SIP User
description: a phone of our own
codecs: [ulaw]
max_contacts: 1
qualify_frequency: ${qualify}
`,
  );
}

/** Both ways to plan, which must tell the same. */
async function expectSamePlan(sipctl: Site): Promise<boolean> {
  const fast = await sipctl.run('plan');
  const refreshed = await sipctl.run('plan', '--refresh');
  expect(refreshed).toEqual(fast);
  expect(fast.code).toBe(0);
  return fast.data.pending as boolean;
}

async function applyAll(sipctl: Site): Promise<void> {
  const plan = await sipctl.ok('plan');
  for (const { node, count, refusals } of plan.data.nodes as Planned[]) {
    const confirm = refusals.length > 0 ? ['--confirm', String(count.delete)] : [];
    await sipctl.ok('apply', '--yes', '--node', node, ...confirm);
    await expectOneCompleteGeneration(join(sipctl.dir, node));
  }
  expect(await expectSamePlan(sipctl), 'nothing is left to do').toBe(false);
}

// Enough to change and to remove: on an empty site most commands would be refused.
const firstSite = [
  ['tenant', 'add', 'constructor', '--domain', 'first.example'],
  ...tenants.flatMap((name) => [
    ...['user', 'trunk'].map((noun) => [
      ...[noun, 'add', noun === 'user' ? 'ann' : 'main', '--tenant', name],
      ...(noun === 'user'
        ? ['--extension', '100', '--generate-password']
        : ['--provider', 'custom_ip', '--host', 'first.example', '--networks', '192.0.2.9']),
    ]),
  ]),
];

interface Planned {
  node: string;
  count: { delete: number };
  refusals: unknown[];
}

it('plans by revisions what it plans by reading everything, over any sequence of writes and applies', async () => {
  let refused = 0;
  let done = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const sipctl = newSite();
      try {
        await begin(sipctl);
        for (const argv of firstSite) await sipctl.ok(...argv);
        for (const { kind, argv } of steps) {
          if (kind === 'apply') await applyAll(sipctl);
          else if (kind === 'overlay') overlay(sipctl.dir, argv[0] ?? '');
          else if ((await sipctl.run(...argv)).code === 0) done++;
          else refused++;
          await expectSamePlan(sipctl);
        }
        await applyAll(sipctl);
      } finally {
        rmSync(sipctl.dir, { recursive: true, force: true });
      }
    }),
    { numRuns: 15 },
  );
  expect(done, `${refused} were refused`).toBeGreaterThan(refused);
}, 300_000);

/** Path → what a write would change: kind, size, place on the disk, and times. */
function snapshot(dir: string, under = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(dir, under)).sort()) {
    const path = join(under, name);
    const { mode, size, ino, mtimeMs, ctimeMs } = lstatSync(join(dir, path));
    found[path] = [mode, size, ino, mtimeMs, ctimeMs].join(' ');
    if (lstatSync(join(dir, path)).isDirectory()) Object.assign(found, snapshot(dir, path));
  }
  return found;
}

const added = (before: Record<string, string>, after: Record<string, string>): string[] =>
  Object.keys(after).filter((path) => !(path in before));

async function siteOfFour(): Promise<Site> {
  const sipctl = newSite();
  onTestFinished(() => rmSync(sipctl.dir, { recursive: true, force: true }));
  await begin(sipctl);
  await sipctl.ok('node', 'remove', 'pbx2', '--yes');
  for (const tenant of ['acme', 'beta']) {
    await sipctl.ok('tenant', 'ensure', tenant, '--domain', `${tenant}.example`);
    for (const user of ['ann', 'bob']) {
      const extension = user === 'ann' ? '101' : '102';
      await sipctl.ok(
        ...['user', 'add', user, '--tenant', tenant, '--extension', extension, '--generate-password'],
      );
    }
  }
  return sipctl;
}

it('writes nothing at all where nothing changed', async () => {
  const sipctl = await siteOfFour();
  await sipctl.ok('apply', '--yes');
  const before = snapshot(join(sipctl.dir, 'pbx1'));
  for (const argv of [['plan'], ['plan', '--refresh'], ['apply', '--yes'], ['apply', '--yes', '--refresh']])
    await sipctl.ok(...argv);
  // A write that changes nothing of what is rendered bumps the revision, and still delivers nothing.
  await sipctl.ok('user', 'set', 'ann', '--tenant', 'acme', '--notes', 'on holiday');
  expect((await sipctl.ok('apply', '--yes')).changed).toBe(false);
  expect(snapshot(join(sipctl.dir, 'pbx1'))).toEqual(before);
});

it('writes one store file and one generation where one user changed', async () => {
  const sipctl = await siteOfFour();
  await sipctl.ok('apply', '--yes');
  const dir = join(sipctl.dir, 'pbx1');
  const before = snapshot(dir);
  await sipctl.ok('user', 'set', 'ann', '--tenant', 'acme', '--display-name', 'Ann');
  const applied = await sipctl.ok('apply', '--yes');
  const after = snapshot(dir);
  const fresh = added(before, after);
  expect(fresh.filter((path) => path.startsWith('sipctl/store/'))).toEqual([
    expect.stringMatching(/^sipctl\/store\/acme\/pjsip_users\.[0-9a-f]{16}\.conf$/),
  ]);
  expect(fresh.filter((path) => !path.startsWith('sipctl/store/'))).toEqual([
    'sipctl/generations/000002',
    'sipctl/generations/000002/confbridge_rooms.conf',
    'sipctl/generations/000002/extensions_calls.conf',
    'sipctl/generations/000002/manifest.json',
    'sipctl/generations/000002/pjsip_trunks.conf',
    'sipctl/generations/000002/pjsip_users.conf',
    'sipctl/generations/000002/voicemail_boxes.conf',
  ]);
  expect(added(after, before)).toEqual([]);
  // What was there stays the very same file: nothing below `store` and of older generations is written again.
  const touched = Object.keys(before).filter((path) => before[path] !== after[path]);
  expect(touched.sort()).toEqual(['sipctl', 'sipctl/current', 'sipctl/generations', 'sipctl/store/acme']);
  expect(applied.data.nodes[0].written.files).toBe(7);
});

it('gives the same bytes for the same input, whatever the order it came in', async () => {
  const texts = await Promise.all(
    [false, true].map(async (reversed) => {
      const sipctl = newSite();
      onTestFinished(() => rmSync(sipctl.dir, { recursive: true, force: true }));
      await begin(sipctl);
      const commands = [
        ['trunk', 'add', 'b', '--provider', 'custom_ip', '--host', 'b.example', '--networks', '192.0.2.2'],
        ['trunk', 'add', 'a', '--provider', 'telnyx', '--username', 'account', '--password-stdin'],
        ['user', 'add', 'ann', '--extension', '101', '--password-stdin'],
        ['user', 'add', 'bob', '--extension', '102', '--password-stdin', '--tenant', 'acme'],
        ['user', 'add', 'Zoe', '--extension', '103', '--password-stdin'],
      ];
      for (const argv of reversed ? commands.reverse() : commands) await sipctl.ok(...argv);
      await sipctl.ok('apply', '--yes');
      const store = join(sipctl.dir, 'pbx1', 'sipctl', 'store');
      const files = (readdirSync(store, { recursive: true }) as string[]).filter((path) =>
        path.endsWith('.conf'),
      );
      return files.sort().map((path) => [path, readFileSync(join(store, path), 'utf8')]);
    }),
  );
  // Trunks, users and the dialplan of one tenant, users and the dialplan of the other.
  expect(texts[0]).toHaveLength(5);
  expect(texts[1]).toEqual(texts[0]);
});

it('mends a delivered file that somebody edited, when it is told to read everything', async () => {
  const sipctl = await siteOfFour();
  await sipctl.ok('apply', '--yes');
  const store = join(sipctl.dir, 'pbx1', 'sipctl', 'store', 'acme');
  const file = readdirSync(store).find((name) => name.startsWith('pjsip_users')) ?? '';
  const right = readFileSync(join(store, file), 'utf8');
  for (const spoil of [
    () => writeFileSync(join(store, file), right.replace('max_contacts', 'mox_contacts')),
    () => rmSync(join(store, file)),
  ]) {
    spoil();
    expect((await sipctl.ok('plan')).data.pending, 'revisions know nothing of it').toBe(false);
    expect((await sipctl.ok('plan', '--refresh')).data.pending).toBe(true);
    await sipctl.ok('apply', '--yes', '--refresh');
    expect(readFileSync(join(store, file), 'utf8')).toBe(right);
    expect(await expectSamePlan(sipctl)).toBe(false);
  }
});
