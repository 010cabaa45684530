import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import { readSite, type SiteReading } from '../../src/site-file/read.ts';

const environment: Record<string, string> = { PW: 'phone-Secret-9', BAD: 'two\nlines-Secret-9' };

function read(text: string, more: { tenant?: string; label?: string } = {}): SiteReading {
  return readSite([{ source: 'site.yaml', text }], {
    tenant: more.tenant ?? null,
    label: more.label ?? null,
    reveal: (reference) => {
      const value = reference.kind === 'env' ? environment[reference.name] : `of ${reference.kind}`;
      return value === undefined ? { ok: false, message: 'is not there' } : { ok: true, value };
    },
  });
}

/** Users of one tenant, each a line. */
const users = (...lines: string[]): string =>
  `tenants:\n  acme:\n    users:\n${lines.map((line) => `      ${line}\n`).join('')}`;
const complaints = ({ problems }: SiteReading): string[] =>
  problems.map(({ message, place }) => `${place?.line}:${place?.column} ${message}`);
const valuesOf = (text: string, name: string): Record<string, unknown> => {
  const reading = read(text);
  expect(complaints(reading)).toEqual([]);
  return { ...reading.declared.find((one) => one.name === name)?.values };
};

describe('values', () => {
  it.each([
    ['0100', '0100'],
    ['1001', '1001'],
    ['"1001"', '1001'],
    ["'0017'", '0017'],
    ['"*97"', '*97'],
  ])('takes extension: %s as it is written', (written, extension) => {
    const reading = read(users(`ann: {extension: ${written}, password: generate}`));
    expect(reading.declared.find(({ name }) => name === 'ann')?.values.extension).toBe(extension);
  });

  it.each(['yes', 'true', 'on', 'True', 'YES', '"yes"'])('takes %s for yes', (written) => {
    expect(valuesOf(users(`ann: {record: ${written}, enabled: ${written}}`), 'ann')).toEqual({
      record: true,
      enabled: true,
    });
  });

  it('takes numbers with a plus without quotes, as values and as names', () => {
    const text =
      'tenants:\n  acme:\n    numbers:\n      +15551234567: {label: 0012}\n    defaultCallerId: +15551234567\n';
    expect(valuesOf(text, '+15551234567')).toEqual({ label: '0012' });
    expect(valuesOf(text, 'acme')).toEqual({ defaultCallerId: '+15551234567' });
  });

  it.each([
    '[ulaw, alaw]',
    'ulaw,alaw',
    '"ulaw, alaw"',
    '\n          - ulaw\n          - alaw',
  ])('takes a list as %j', (written) => {
    expect(valuesOf(users(`ann:\n        codecs: ${written}`), 'ann')).toEqual({ codecs: ['ulaw', 'alaw'] });
  });

  it('takes what each key of a menu does as pairs', () => {
    const text = 'tenants: {acme: {ivrs: {main: {greeting: hi, keys: {1: user:ann, "#": hangup:busy}}}}}';
    expect(valuesOf(text, 'main').keys).toEqual(['1=user:ann', '#=hangup:busy']);
  });

  it('takes an empty value, ~ and [] for the default', () => {
    expect(valuesOf(users('ann: {displayName: , callerId: ~, codecs: [], labels: null}'), 'ann')).toEqual({
      ...{ displayName: null, callerId: null, codecs: null, labels: null },
    });
  });

  it('repeats values by anchors and merge keys, with those that stand there before the merged ones', () => {
    const text = `x-phone: &phone {codecs: [g722], ringTime: 40}\n${users('ann: {<<: *phone, ringTime: 10}', 'bob: *phone')}`;
    expect(valuesOf(text, 'ann')).toEqual({ codecs: ['g722'], ringTime: 10 });
    expect(valuesOf(text, 'bob')).toEqual({ codecs: ['g722'], ringTime: 40 });
  });

  it('reads several documents, and JSON', () => {
    const { declared } = read('tenants: {a: {}}\n---\n---\n# nothing\n---\ntenants: {b: {}}\n');
    expect(declared.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(read('{\n\t"$schema": "x", "tenants": {"a": {"country": "DE"}}}').declared[0]?.values).toEqual({
      country: 'DE',
    });
  });
});

describe('what is meant', () => {
  it('is all of an object, and nothing of a tenant of which nothing is said', () => {
    const { declared } = read('tenants: {a: {users: {ann: }}, b: {country: DE}}');
    expect(declared.map(({ name, extent }) => [name, extent])).toEqual([
      ['a', 'given'],
      ['ann', 'whole'],
      ['b', 'whole'],
    ]);
  });

  it('is one tenant where one is named, and says what is passed over', () => {
    const text = 'tenants: {a: {users: {ann: }}, b: {users: {bob: }}}\nnodes: {n: {kind: asterisk, dir: /x}}';
    const { declared, passedOver } = read(text, { tenant: 'b' });
    expect(declared.map(({ name }) => name)).toEqual(['b', 'bob']);
    expect(passedOver).toEqual(['tenant a', 'node n']);
  });

  it('is what has a label where one is named; secrets of others are not asked for', () => {
    const text = users('ann: {labels: [vip], password: env:PW}', 'bob: {password: env:NOT_THERE}');
    const { declared, problems } = read(text, { label: 'vip' });
    expect([declared.map(({ name }) => name), problems]).toEqual([['ann'], []]);
  });
});

describe('secrets', () => {
  const secretOf = (written: string): SiteReading => read(users(`ann: {password: ${written}}`));

  it.each(['env:PW', '"env:PW"', '{env: PW}'])('come from where %s says', (written) => {
    const { password } = secretOf(written).declared[1]?.values ?? {};
    expect((password as Secret).reveal()).toBe('phone-Secret-9');
    expect(password).toBeInstanceOf(Secret);
  });

  it.each(['generate', '"generate:"', '{generate: }'])('are made where there is none: %s', (written) => {
    expect(secretOf(written).declared[1]?.generated).toEqual(['password']);
  });

  it.each([
    'hunter2-Secret-9',
    '[hunter2-Secret-9]',
    '{hunter2-Secret-9: x, y: z}',
    '"env: hunter2-Secret-9"',
    '12345Secret-9',
    'env:BAD',
    '{a: hunter2-Secret-9}',
  ])('are refused where they are %s, and not repeated', (written) => {
    const reading = secretOf(written);
    expect(reading.problems).toHaveLength(1);
    expect(reading.problems[0]).toMatchObject({
      code: 'invalid_password',
      field: 'password',
      place: { line: 4 },
    });
    expect(JSON.stringify(reading.problems)).not.toContain('Secret-9');
    expect(reading.declared[1]?.faulty).toEqual(['password']);
  });
});

describe('complaints', () => {
  it('come all at once, each with its line and column, and the nearest word that is known', () => {
    const reading = read(
      [
        'tenant: {}',
        'users: {}',
        'tenants:',
        '  acme:',
        '    display-name: X',
        '    domian: y',
        '    maxCalls: five',
        '    users:',
        '      ann: {extension: 12a, pasword: x, extension: 5}',
        '      ann: {}',
        '      Béa: {}',
        '      carl: [1]',
        '      eve: {extension: [1], codecs: [ulaw, mp3], id: 4}',
      ].join('\n'),
    );
    const hints = reading.problems.map(({ hint }) => hint);
    expect(complaints(reading).map((line) => line.replace(/ is not one of .*/, ''))).toEqual([
      "9:41 'extension' stands twice, first in line 9",
      "10:7 'ann' stands twice, first in line 9",
      "1:1 there is no 'tenant' at the top of a site file",
      "2:1 there is no 'users' at the top of a site file",
      "5:5 tenant acme: there is no field 'display-name'",
      "6:5 tenant acme: there is no field 'domian'",
      "7:15 tenant acme: maxCalls: 'five' is not a whole number from 0 to 100000",
      "9:24 acme: user ann: extension: '12a' is not an extension",
      "9:29 acme: user ann: there is no field 'pasword'",
      "11:7 acme: user: 'Béa' is not a SIP user name",
      '12:13 acme: user carl: is not made of keys with values',
      '13:24 acme: user eve: extension: is not one value',
      "13:44 acme: user eve: codecs: 'mp3'",
      "13:50 acme: user eve: there is no field 'id'",
    ]);
    for (const near of ['tenants', 'displayName', 'domain', 'password'])
      expect(hints).toContain(`did you mean '${near}'?`);
  });

  it.each([
    ['a tab', 'tenants:\n\tacme: {}\n', 'Tabs are not allowed as indentation'],
    [
      'a colon in a plain value',
      'tenants:\n  acme:\n    displayName: A: B\n',
      'Nested mappings are not allowed in compact mappings',
    ],
    ['a list at the top', '- a\n', 'the file: is not made of keys with values'],
    ['a text at the top', 'hello\n', 'the file: is not made of keys with values'],
    ['a tag', 'tenants: {acme: {displayName: !secret x}}', 'Unresolved tag: !secret'],
    ['an alias of nothing', 'tenants: *nobody', 'there is no anchor &nobody'],
    ['an extension that YAML takes for an alias', users('ann: {extension: *97}'), 'there is no anchor &97'],
    ['a key that is a list', 'tenants: {[a]: {}}', 'a key is no text'],
    ['depth', '['.repeat(100_000), 'is nested too deeply'],
  ])('tell of %s', (_, text, message) => {
    const reading = read(text);
    expect(reading.problems.map((problem) => problem.message)).toContain(message);
    expect(reading.problems[0]?.place?.source).toBe('site.yaml');
    expect(reading.problems.length).toBeLessThan(5);
  });

  it('tell of values that refer to themselves, or to one another without end', () => {
    const laughs = [...Array(12).keys()].map(
      (at) => `x-${at}: &a${at} [${Array(10).fill(at === 0 ? 'ha' : `*a${at - 1}`)}]`,
    );
    for (const text of ['x-a: &a [*a, *a]\ntenants: {a: {users: *a}}', 'tenants: &a {acme: *a}'])
      expect(complaints(read(text)).join()).toMatch(/nested too deeply|too many values/);
    expect(complaints(read(laughs.join('\n'))).join()).toContain('aliases make too many values');
  });
});
