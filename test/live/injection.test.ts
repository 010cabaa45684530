import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach, complaintsSince, settings, shown } from './attached.ts';

/** What has a meaning in some file, dial string, template, shell or terminal on the way. */
const hostile: Readonly<Record<string, string>> = {
  semicolon: ';',
  'a comment': 'a;b',
  'an open block comment': ';--',
  'a block comment': 'a;-- b --;c',
  'a section': '[x]',
  'a closing bracket': ']',
  'an include': '#include manager.conf',
  'a program': '#exec /usr/bin/touch planted',
  'a function': '${SHELL(touch planted)}',
  'an expression': '$[1+1]',
  'a leading >': '>x',
  'a leading =>': '=>x',
  'a leading =': '=x',
  quote: '"',
  apostrophe: "O'Neil",
  quotes: '"a" "b"',
  'an address': 'Ann <666>',
  'an address after a quote': 'Ann" <666>',
  backslash: '\\',
  'a trailing backslash': 'a\\',
  'an escaped semicolon': 'a\\;b',
  'an escaped quote': 'a\\"b',
  'a comma': 'a,b',
  'inner blanks': 'a  b',
  percent: '%s%n%00',
  'a template': '{{password}}{{#if id}}x{{/if}}',
  'the end of a block': '; === END SIP USER: x ===',
  'an option': 'a\\ncontext=theirs',
  'a template inheritance': '(!)',
  plus: '+=',
  Hebrew: 'שלום',
  'four bytes': '𝄞🎺',
  'combining marks': 'Zoë é',
  'a no-break space': 'a\u00a0b',
  '79 characters': 'x'.repeat(79),
  '100 characters': 'y'.repeat(100),
  '60 characters of four bytes': '🎺'.repeat(60),
  '1000 characters': ';"\\ü'.repeat(250),
  'a line break': 'a\nb',
  'a carriage return': 'a\rcontext=theirs',
  'a null': 'a\0b',
  'a tab': 'a\tb',
  'an escape sequence': 'a\u001b[31mb',
  'a next-line control': 'a\u0085b',
  'a line separator': 'a\u2028b',
  'reversed writing': 'a\u202eb',
  'a byte order mark': '\ufeffa',
  'a lone surrogate': 'a\ud800b',
  'a leading blank': ' a',
  'a trailing blank': 'a ',
  nothing: '',
};

/** Fields with a shape of their own: what is hostile is no value of theirs. */
const shaped: Readonly<Record<string, readonly string[]>> = {
  user: [
    'extension',
    'codecs',
    'video',
    'transport',
    'context',
    'caller-id',
    'mailbox',
    'template',
    'labels',
  ],
  trunk: [
    ...[
      'host',
      'username',
      'codecs',
      'from-domain',
      'networks',
      'context',
      'did',
      'labels',
      'outbound-proxy',
    ],
    ...['tech-prefix', 'region', 'port', 'transport'],
  ],
  tenant: ['domain', 'context', 'country', 'caller-id', 'stun-server'],
};

let extensions = 0;

describeAsterisk('hostile values', ({ start }) => {
  let asterisk: AsteriskInstance;
  let box: Sandbox;
  let mark: number;
  let neighbours: string[];

  beforeAll(async () => {
    asterisk = await start();
    box = await attach(asterisk);
    mark = asterisk.mark();
    await box.ok('tenant add acme --domain acme.sip.example');
    // Names before and after all others, in the order of the file.
    for (const [at, name] of ['aaa', 'zzz'].entries()) {
      await box.ok(
        `user add ${name} --tenant acme --extension 10${at} --generate-password --display-name Ann`,
      );
    }
    expect((await box.apply()).code).toBe(0);
    neighbours = await settings(asterisk);
  });

  const isNeighbour = (line: string): boolean => /^\w+ (?:aaa|zzz)@/.test(line);

  it.each([
    ['user', 'password', 'PASSWORD'],
    ['trunk', 'password', 'PASSWORD'],
    ['user', 'displayName', 'display-name'],
    ['trunk', 'realm', 'realm'],
    ['trunk', 'authUsername', 'auth-username'],
  ])('are refused, or read back from Asterisk as they were given: %s %s', async (noun, field, flag) => {
    const accepted = new Map<string, string>();
    for (const [at, value] of Object.values(hostile).entries()) {
      const name = `h${noun}${field}${at}`.toLowerCase();
      const argv = [noun, 'add', name, '--tenant', 'acme', '--password', 'env:PASSWORD', '--json'];
      if (noun === 'user') argv.push('--extension', `2${extensions++}`);
      else
        argv.push(
          '--provider',
          'custom_credential',
          '--host',
          '127.0.0.9',
          '--username',
          'a',
          '--no-registration',
        );
      if (field !== 'password') argv.push(`--${flag}=${value}`);
      const ended = await box.sipctl(argv, { env: { PASSWORD: field === 'password' ? value : 'harmless' } });
      if (ended.code === 0) accepted.set(name, value);
      else {
        expect(ended.code, ended.stdout).toBe(3);
        expect(ended.json().errors).toEqual([expect.objectContaining({ field })]);
      }
    }
    expect(accepted.size).toBeGreaterThan(field === 'authUsername' ? 10 : 30);
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);

    const running = await shown(asterisk);
    const readBack = [...accepted.keys()].map((name) => {
      const id = noun === 'user' ? `${name}@acme.sip.example` : `acme.${name}`;
      if (field === 'displayName') return unquoted(running.endpoint.get(id)?.Callerid ?? '');
      const auth = running.auth.get(id);
      return { password: auth?.Password, realm: auth?.Realm, authUsername: auth?.Username }[field];
    });
    expect(readBack).toEqual([...accepted.values()].map(field === 'displayName' ? kept : String));
    expect((await settings(asterisk)).filter(isNeighbour)).toEqual(neighbours);
    const { users, trunks } = await counts(box);
    expect([running.endpoint.size, running.auth.size, running.aor.size]).toEqual(
      Array(3).fill(users + trunks),
    );
    expect(await complaintsSince(asterisk, mark)).toEqual([]);
    expect(existsSync(join(process.cwd(), 'planted')) || existsSync(join(asterisk.etc, 'planted'))).toBe(
      false,
    );
  });

  it.each(Object.keys(shaped))('are no values of fields that have a shape: %s', async (noun) => {
    const through: string[] = [];
    const needed: Record<string, string[]> = {
      user: ['--extension', '999', '--generate-password'],
      trunk: ['--provider', 'custom_ip', '--host', '127.0.0.1', '--networks', '192.0.2.1'],
      tenant: [],
    };
    // Digits and a plus, words and inner blanks are what some of these fields are made of.
    const values = Object.values(hostile).filter((value) => !/^[\w+=.']*$/.test(value) || value === '');
    for (const flag of shaped[noun] ?? []) {
      for (const value of values) {
        // A list is split, and its parts are trimmed.
        if (flag === 'labels' && /^[ab,\s\ufeff]+$/.test(value)) continue;
        const rest = noun === 'tenant' ? [] : ['--tenant', 'acme'];
        const own = (needed[noun] ?? []).filter((_, at, all) => all[at - (at % 2)] !== `--${flag}`);
        const ended = await box.sipctl([
          noun,
          'add',
          'shaped',
          ...rest,
          ...own,
          `--${flag}=${value}`,
          '--json',
        ]);
        const fields = ended.code === 3 ? ended.json().errors.map((error) => error.field) : [];
        if (fields.length === 0) through.push(`--${flag}=${value}: ${ended.code}`);
      }
    }
    expect(through).toEqual([]);
  });

  it('are no names', async () => {
    const through: string[] = [];
    for (const [kind, value] of Object.entries(hostile)) {
      for (const command of [
        ['tenant', 'add', value],
        ['user', 'add', value, '--tenant', 'acme', '--extension', '998', '--generate-password'],
        ['trunk', 'add', value, '--provider', 'custom_ip', '--host', '127.0.0.1', '--networks', '192.0.2.1'],
      ]) {
        if (/characters$/.test(kind) && command[0] !== 'tenant') continue;
        const ended = await box.sipctl([...command, '--json']);
        if (ended.code !== 3) through.push(`${command.join(' ')}: ${ended.code}`);
      }
    }
    expect(through).toEqual([]);
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(0);
  });
});

/** The name of a caller ID as Asterisk shows it: `"Ann" <1001>`, with a backslash before quotes and backslashes. */
const unquoted = (callerId: string): string | undefined =>
  /^"((?:[^"\\]|\\.)*)" <[0-9]+>$/.exec(callerId)?.[1]?.replace(/\\(.)/g, '$1');

/** What Asterisk keeps of a caller's name: 79 bytes, and no part of a character. */
function kept(name: string): string {
  let [text, bytes] = ['', 0];
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > 79) break;
    text += character;
  }
  return text;
}

async function counts(box: Sandbox): Promise<{ users: number; trunks: number }> {
  const count = async (noun: string): Promise<number> =>
    ((await box.ok(`${noun} list --tenant acme --json`)).json().data as { count: number }).count;
  return { users: await count('user'), trunks: await count('trunk') };
}
