import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import * as calls from '../../src/model/call-nouns.ts';
import type { Noun } from '../../src/model/field.ts';
import * as nouns from '../../src/model/nouns.ts';
import { type Ended, type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { onServer } from '../support/store-place.ts';

let box: Sandbox;

beforeEach(async () => {
  box = await sandbox();
  await box.ok('tenant add acme --domain acme.example');
  await box.ok('tenant add beta --domain beta.example');
  await box.ok('user add ann --tenant acme --extension 1001 --generate-password --voicemail');
  await box.ok('user add bob --tenant acme --extension 1002 --generate-password');
  await box.ok('user add bea --tenant beta --extension 1001 --generate-password');
  await box.ok(`trunk add main --tenant acme ${carrier}`);
  await box.ok(`trunk add backup --tenant acme ${carrier}`);
});

const carrier = '--provider custom_ip --host carrier.example --networks 192.0.2.1';

interface Sample {
  noun: Noun;
  name: string;
  /** Every field, by its flag. */
  given: string;
  expected: Record<string, unknown>;
  change: string;
  changed: Record<string, unknown>;
  /** What `list` shows of it. */
  row: RegExp;
}

const samples: Sample[] = [
  {
    noun: calls.group,
    name: 'sales',
    given:
      '--extension 2001 --members ann,bob --members external:+4915112345678 --strategy order --ring-time 15 --unanswered voicemail:ann --notes x',
    expected: {
      extension: '2001',
      members: ['ann', 'bob', 'external:+4915112345678'],
      strategy: 'order',
      ringTime: 15,
      unanswered: 'voicemail:ann',
      notes: 'x',
    },
    change: '--strategy all',
    changed: { strategy: 'all' },
    row: /^sales +2001 +order +ann,bob,external:\+4915112345678 +15 +voicemail:ann +enabled$/m,
  },
  {
    noun: calls.ivr,
    name: 'main',
    given:
      '--extension 3000 --greeting custom/hello --key 1=user:ann --key 2=conference:board,*=ivr:main --direct-dial --timeout 8 --attempts 2 --invalid-sound custom/wrong --unanswered user:bob --invalid hangup:busy --notes x',
    expected: {
      greeting: 'custom/hello',
      keys: ['1=user:ann', '2=conference:board', '*=ivr:main'],
      directDial: true,
      timeout: 8,
      attempts: 2,
      invalidSound: 'custom/wrong',
      unanswered: 'user:bob',
      invalid: 'hangup:busy',
    },
    change: '--key 1=user:bob',
    changed: { keys: ['1=user:bob'] },
    row: /^main +3000 +custom\/hello +1=user:ann,2=conference:board,\*=ivr:main +user:bob +enabled$/m,
  },
  {
    noun: calls.conference,
    name: 'staff',
    given:
      '--extension 8001 --pin env:PIN --moderator-pin env:MODERATOR --profile lecture --wait-for-moderator --max-members 20 --no-announce --record --notes x',
    expected: {
      extension: '8001',
      pin: '[secret]',
      moderatorPin: '[secret]',
      profile: 'lecture',
      waitForModerator: true,
      maxMembers: 20,
      announce: false,
      record: true,
    },
    change: '--max-members 0',
    changed: { maxMembers: 0 },
    row: /^staff +8001 +lecture +yes +20 +yes +enabled$/m,
  },
  {
    noun: calls.schedule,
    name: 'office',
    given:
      '--time-zone Europe/Berlin --open mon-fri_09:00-17:00 --open sat_10:00-13:00 --holidays 2026-12-24,12-25 --closed voicemail:ann --notes x',
    expected: {
      timeZone: 'Europe/Berlin',
      open: ['mon-fri 09:00-17:00', 'sat 10:00-13:00'],
      holidays: ['2026-12-24', '12-25'],
      closed: 'voicemail:ann',
    },
    change: '--closed hangup',
    changed: { closed: 'hangup:unallocated' },
    row: /^office +Europe\/Berlin +mon-fri 09:00-17:00,sat 10:00-13:00 +2026-12-24,12-25 +voicemail:ann +enabled$/m,
  },
  {
    noun: calls.route,
    name: 'national',
    given:
      '--match +49,116117 --trunks main --trunks backup --failover 34,41 --strip 3 --prepend 0 --caller-id +4930111111 --ring-time 30 --notes x',
    expected: {
      match: ['+49', '116117'],
      trunks: ['main', 'backup'],
      failover: ['34', '41'],
      strip: 3,
      prepend: '0',
      callerId: '+4930111111',
      ringTime: 30,
    },
    change: '--trunks backup',
    changed: { trunks: ['backup'] },
    row: /^national +\+49,116117 +main,backup +3 +0 +\+4930111111 +enabled$/m,
  },
  {
    noun: calls.emergency,
    name: '112',
    given: '--caller-id +4930222222 --trunks main --notes x',
    expected: { callerId: '+4930222222', trunks: ['main'] },
    change: '--unset trunks',
    changed: { trunks: null },
    row: /^112 +\+4930222222 +main +enabled$/m,
  },
  {
    noun: nouns.number,
    name: '+4930333333',
    given:
      '--to user:ann --trunk main --schedule always --record --variables queue=a,vip=yes --no-outbound --inbound --label desk',
    expected: {
      destination: 'user:ann',
      trunk: 'main',
      schedule: 'always',
      record: true,
      variables: ['queue=a', 'vip=yes'],
    },
    change: '--to hangup:busy',
    changed: { destination: 'hangup:busy' },
    row: /^\+4930333333 +user:ann +always +main +yes +no +desk +enabled$/m,
  },
];

const env = { PIN: '4711', MODERATOR: '815815' };

/** Blanks inside one word of a sample are written as underscores. */
const wordsOf = (line: string): string[] => line.split(' ').map((word) => word.replaceAll('_', ' '));

const call = (verb: string, { noun, name }: Sample, flags: string, tenant = 'acme'): Promise<Ended> =>
  box.sipctl(
    [noun.name, verb, name, '--tenant', tenant, ...(flags === '' ? [] : wordsOf(flags)), '--json', '--yes'],
    {
      env,
    },
  );

async function others(): Promise<void> {
  await box.ok('conference add board --tenant acme --extension 8000');
  await box.ok([
    'schedule',
    'add',
    'always',
    '--tenant',
    'acme',
    '--time-zone',
    'UTC',
    '--open',
    'mon-sun 00:00-24:00',
    '--closed',
    'hangup',
  ]);
  await box.ok('number add +4930222222 --tenant acme');
}

describe.each(samples)('the verbs of $noun.name', (sample) => {
  const { noun, name, given, expected, change, changed, row } = sample;
  const shown = async (): Promise<Record<string, unknown>> =>
    (await call('show', sample, '')).json().data[noun.name];

  it('are tried with every field', () => {
    const flags = Object.values(noun.fields).filter(
      ({ flag }) => !new RegExp(`--(no-)?${flag} ?`).test(given),
    );
    expect(flags.map(({ flag }) => flag)).toEqual([]);
  });

  it('add, show, list, set, disable, enable and remove it, each with an audit row', async () => {
    await others();
    const added = await call('add', sample, given);
    expect([added.code, added.json().warnings], added.stdout).toEqual([0, []]);
    expect(await shown()).toMatchObject({ ...expected, tenant: 'acme', enabled: true });
    expect((await call('add', sample, given)).json().errors).toMatchObject([
      { code: noun.name === 'number' ? 'number_taken' : `${noun.name}_exists` },
    ]);
    const list = await box.ok([noun.name, 'list', '--tenant', 'acme']);
    expect(list.stdout).toMatch(row);
    expect((await box.ok([noun.name, 'list', '--all-tenants'])).stdout).toMatch(/^\S+ +TENANT/);
    expect((await box.ok([noun.name, 'list', '--tenant', 'beta', '--json'])).json().data).toMatchObject({
      count: 0,
    });
    expect((await call('set', sample, change)).json()).toMatchObject({ ok: true, changed: true });
    expect(await shown()).toMatchObject({ ...expected, ...changed });
    expect((await call('set', sample, change)).json()).toMatchObject({ ok: true, changed: false });
    await call('disable', sample, '');
    expect(await shown()).toMatchObject({ enabled: false });
    await call('enable', sample, '');
    expect((await call('remove', sample, '')).json()).toMatchObject({
      ok: true,
      data: { removed: [`${noun.name} ${name}`], changed: [] },
    });
    expect((await call('show', sample, '')).code).toBe(5);
    const { entries } = (await box.ok(`audit --tenant acme --noun ${noun.name} --json`)).json().data as {
      entries: { action: string; name: string }[];
    };
    expect(entries.filter((one) => one.name === name).map(({ action }) => action)).toEqual([
      'remove',
      'set',
      'set',
      'set',
      'add',
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/4711|815815/);
  });

  it('ensure it, and change nothing when that is repeated', async () => {
    await others();
    const answers = [];
    for (let at = 0; at < 3; at++) answers.push((await call('ensure', sample, given)).json());
    expect(answers.map(({ ok, changed: did }) => [ok, did])).toEqual([
      [true, true],
      [true, false],
      [true, false],
    ]);
    const revision = async (): Promise<unknown> => (await box.ok('tenant show acme --json')).json().data;
    const before = await revision();
    await call('ensure', sample, given);
    expect(await revision()).toEqual(before);
    expect((await call('ensure', sample, change)).json().changed).toBe(true);
  });

  it('refuse what is not there, in this tenant', async () => {
    await others();
    for (const verb of ['show', 'set', 'enable', 'disable', 'remove']) {
      const ended = await call(verb, sample, '');
      expect([verb, ended.code, ended.json().errors[0]?.code]).toEqual([verb, 5, `${noun.name}_not_found`]);
    }
    expect((await call('add', sample, given, 'nobody')).code).toBe(5);
  });

  it('ask for everything that is needed, at once', async () => {
    const needed = Object.entries(noun.fields).filter(([, field]) => field.required === true);
    const ended = await call('add', sample, '');
    expect([ended.code, ended.json().errors.map(({ field }) => field)]).toEqual(
      needed.length === 0 ? [0, []] : [3, needed.map(([field]) => field)],
    );
  });
});

describe('values that are none', () => {
  const bad: [noun: string, flag: string, field: string, values: string[]][] = [
    ['group', 'extension', 'extension', ['', 'abc', '1'.repeat(21)]],
    ['group', 'members', 'members', ['', 'ann,', 'ann,ann', 'a b', 'group:x', 'external:123', 'beta/bea']],
    ['group', 'strategy', 'strategy', ['', 'random']],
    ['group', 'ring-time', 'ringTime', ['2', '601', 'x']],
    [
      'group',
      'unanswered',
      'unanswered',
      [
        '',
        'ann',
        'user:',
        'user:a b',
        'queue:x',
        'hangup:never',
        'app:t-beta',
        'app:from-trunk-beta',
        'external:0049',
      ],
    ],
    ['ivr', 'extension', 'extension', ['x']],
    ['ivr', 'greeting', 'greeting', ['', '../etc/passwd', '/abs', 'a b', 'a&b']],
    ['ivr', 'key', 'keys', ['', '1', 'A=user:ann', '12=user:ann', '1=ann', '1=user:ann,1=user:ann']],
    ['ivr', 'timeout', 'timeout', ['0', '61']],
    ['ivr', 'attempts', 'attempts', ['0', '11', '-1']],
    ['ivr', 'invalid-sound', 'invalidSound', ['', '..']],
    ['ivr', 'unanswered', 'unanswered', ['nobody']],
    ['ivr', 'invalid', 'invalid', ['hangup:x']],
    ['conference', 'extension', 'extension', ['', '80 01']],
    ['conference', 'pin', 'pin', ['1234', 'env:NOWHERE', 'env:SHORT', 'env:LETTERS']],
    ['conference', 'moderator-pin', 'moderatorPin', ['1234', 'env:SHORT']],
    ['conference', 'profile', 'profile', ['webinar']],
    ['conference', 'max-members', 'maxMembers', ['-1', '1001']],
    ['schedule', 'time-zone', 'timeZone', ['', 'Berlin', '+1:00', 'Europe/Nowhere']],
    [
      'schedule',
      'open',
      'open',
      ['', 'mon', 'mon 9-17', 'mon 17:00-09:00', 'mon 09:00-24:30', 'mon-xyz 09:00-17:00'],
    ],
    ['schedule', 'holidays', 'holidays', ['', '2026-02-30', '13-01', '12-25,12-25', 'christmas']],
    ['schedule', 'closed', 'closed', ['', 'schedule:office', 'number:+4930111111']],
    ['route', 'match', 'match', ['', '49+', '+49X', 'X9', '9.9', '+1234567890123456']],
    ['route', 'trunks', 'trunks', ['', 'a b', 'main,main', 'beta.main']],
    ['route', 'failover', 'failover', ['', '0', '128', 'busy']],
    ['route', 'strip', 'strip', ['-1', '16']],
    ['route', 'prepend', 'prepend', ['', 'a', '0+', '${EXTEN}']],
    ['route', 'caller-id', 'callerId', ['030111111', 'anonymous']],
    ['route', 'ring-time', 'ringTime', ['4', '601']],
    ['emergency', 'caller-id', 'callerId', ['', '112']],
    ['emergency', 'trunks', 'trunks', ['']],
    ['number', 'to', 'destination', ['', 'ann', 'user:', 'ivr:A B', 'app:t-acme']],
    ['number', 'schedule', 'schedule', ['', 'Office']],
    ['number', 'variables', 'variables', ['', 'a', '1=2', 'a=$' + '{b}', 'SIPCTL_x=1', 'a=1,a=2']],
    ['user', 'ring-time', 'ringTime', ['2', '601']],
    ['user', 'unanswered', 'unanswered', ['ann', 'user:bob@beta']],
    ['user', 'voicemail-pin', 'voicemailPin', ['env:SHORT']],
    ['user', 'email', 'email', ['', 'ann', 'ann@', 'a b@c', 'ann@example.com,bob@example.com']],
    ['user', 'toll-class', 'tollClass', ['none']],
    ['trunk', 'number-format', 'numberFormat', ['e164']],
  ];

  it('are tried for every field that can have one', () => {
    const tried = new Set(bad.map(([noun, flag]) => `${noun} ${flag}`));
    const open = samples
      .slice(0, 6)
      .flatMap(({ noun }) =>
        Object.values(noun.fields).map(({ flag, kind }) => ({ noun: noun.name, flag, kind })),
      )
      .filter(
        ({ noun, flag, kind }) => kind !== 'boolean' && flag !== 'notes' && !tried.has(`${noun} ${flag}`),
      );
    expect(open).toEqual([]);
  });

  it.each(bad)('of %s --%s are refused, with the field and the remedy', async (noun, flag, field, values) => {
    const secrets = { SHORT: '12', LETTERS: 'secret' };
    const name = { emergency: '112', number: '+4930111111', user: 'ann', trunk: 'main' }[noun] ?? 'x';
    const verb = noun === 'user' || noun === 'trunk' ? 'set' : 'add';
    for (const value of values) {
      const argv = [noun, verb, name, '--tenant', 'acme', `--${flag}`, value];
      const ended = await box.sipctl([...argv, '--json'], { env: secrets });
      const own = ended.json().errors.filter((error) => error.field === field);
      expect([argv, ended.code, own.length > 0], ended.stdout).toEqual([argv, 3, true]);
      expect(own.every(({ hint }) => (hint ?? '') !== '')).toBe(true);
      expect((await box.sipctl(argv, { env: secrets })).code).toBe(3);
      if (flag.endsWith('pin')) expect(ended.stdout).not.toMatch(/1234|"12"|secret"/);
    }
  });

  it('of the name itself are refused', async () => {
    for (const [noun, name] of [
      ['group', 'Sales'],
      ['ivr', 'a.b'],
      ['conference', ''],
      ['schedule', 'x-'],
      ['route', 'x'.repeat(41)],
      ['emergency', '+112'],
      ['emergency', '1'],
    ] as const)
      expect([noun, name, (await box.sipctl([noun, 'add', name])).code]).toEqual([noun, name, 3]);
  });
});

describe('a plan', () => {
  it('still ends in nothing to do, with one of everything', async () => {
    mkdirSync(join(box.dir, 'pbx'));
    await box.ok(['node', 'add', 'pbx', '--kind', 'asterisk', '--dir', join(box.dir, 'pbx')]);
    await others();
    for (const sample of samples) expect((await call('add', sample, sample.given)).code).toBe(0);
    await box.apply();
    await box.ok('ivr set main --tenant acme --timeout 9');
    await box.apply();
    // A server's database is copied by other means.
    if (onServer()) return;
    await box.ok('db backup copy.bak'.replace('copy.bak', join(box.dir, 'copy.bak')));
    await box.ok('tenant remove acme --cascade --yes');
    await box.ok(['db', 'restore', join(box.dir, 'copy.bak'), '--yes']);
    expect((await box.ok('ivr list --tenant acme --json')).json().data).toMatchObject({ count: 1 });
  });
});
