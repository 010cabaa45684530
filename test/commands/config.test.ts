import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { SipctlError } from '../../src/errors.ts';

const home = '/of/home';

function configFile(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'config.json');
  writeFileSync(file, text);
  return file;
}

const complaints = (flags: Parameters<typeof readConfig>[0], env = {}): string[] => {
  try {
    readConfig(flags, env, home);
  } catch (error) {
    return (error as SipctlError).problems.map(({ message }) => message);
  }
  return [];
};

it('keeps everything below the home of the user', () => {
  expect(readConfig({}, {}, home)).toMatchObject({
    db: '/of/home/.local/share/sipctl/sipctl.db',
    keyFile: '/of/home/.config/sipctl/key',
    templates: '/of/home/.config/sipctl/templates',
    tenant: 'default',
    connectTimeout: 10_000,
    json: false,
    yes: false,
  });
});

it('follows XDG folders that are absolute, and no others', () => {
  const absolute = { XDG_CONFIG_HOME: '/etc/xdg', XDG_DATA_HOME: '/var/lib' };
  expect(readConfig({}, absolute, home)).toMatchObject({
    db: '/var/lib/sipctl/sipctl.db',
    keyFile: '/etc/xdg/sipctl/key',
  });
  for (const relative of ['', 'relative', './here', '~/config'])
    expect(readConfig({}, { XDG_CONFIG_HOME: relative, XDG_DATA_HOME: relative }, home)).toEqual(
      readConfig({}, {}, home),
    );
});

it('takes flags over the environment, that over the file, and empty values for none', () => {
  const config = configFile('{"db":"/of/file.db","tenant":"of-file","connect_timeout":"3"}');
  expect(readConfig({ config }, {}, home)).toMatchObject({ db: '/of/file.db', connectTimeout: 3000 });
  const env = { SIPCTL_DB: '/of/env.db', SIPCTL_TENANT: '' };
  expect(readConfig({ config }, env, home)).toMatchObject({ db: '/of/env.db', tenant: 'of-file' });
  const flags = { config, db: '/of/flag.db', tenant: 'of-flag' };
  expect(readConfig(flags, env, home)).toMatchObject({ db: '/of/flag.db', tenant: 'of-flag' });
  expect(readConfig({}, { SIPCTL_CONFIG: '' }, home)).toEqual(readConfig({}, {}, home));
});

it('complains of everything at once: unknown keys, wrong kinds, bad values', () => {
  const config = configFile(
    '{"constructor":"x","toString":"y","db":5,"connect_timeout":"soon","tenant":"Bad Name"}',
  );
  const said = complaints({ config });
  expect(said).toHaveLength(5);
  for (const word of ["'constructor'", "'toString'", "'db'", 'connect_timeout', "tenant: 'Bad Name'"])
    expect(said.join('\n')).toContain(word);
});

it('takes no file that is none, or holds something else', () => {
  for (const text of ['', '[', '[]', 'null', '"x"', '5'])
    expect(complaints({ config: configFile(text) })).toHaveLength(1);
  expect(complaints({ config: '/nonexistent/config.json' })).toHaveLength(1);
  expect(complaints({ config: tmpdir() })).toHaveLength(1);
  expect(complaints({}, { SIPCTL_CONFIG: '/nonexistent/config.json' })).toHaveLength(1);
});

it('takes a time-out in seconds, within reason', () => {
  for (const text of ['0', '-1', 'x', '601', 'Infinity', '1e9'])
    expect([text, complaints({}, { SIPCTL_CONNECT_TIMEOUT: text }).length]).toEqual([text, 1]);
  expect(readConfig({}, { SIPCTL_CONNECT_TIMEOUT: '0.5' }, home).connectTimeout).toBe(500);
});

it('takes yes or no for the setting that applies each write, and nothing that is neither', () => {
  for (const text of ['1', 'yes', 'TRUE', 'on'])
    expect(readConfig({}, { SIPCTL_APPLY: text }, home).applyWrites).toBe(true);
  for (const text of ['', '0', 'no', 'off'])
    expect(readConfig({}, { SIPCTL_APPLY: text }, home).applyWrites).toBe(false);
  expect(complaints({}, { SIPCTL_APPLY: 'always' })).toHaveLength(1);
});
