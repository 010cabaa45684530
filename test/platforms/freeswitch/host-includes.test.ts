import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { localGenerations } from '../../../src/files/local.ts';
import { examineIncludes } from '../../../src/platforms/freeswitch/host-includes.ts';
import { shippedShape } from '../../live/freeswitch-site.ts';

const conference = 'autoload_configs/conference.conf.xml';
let dir: string;

beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'sipctl-fs-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  dir = made;
  for (const [path, text] of Object.entries(shippedShape('127.0.0.1'))) put(path, text);
});

function put(path: string, text: string | Buffer): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}
const get = (path: string): string => readFileSync(join(dir, path), 'latin1');
const examine = (write: boolean) =>
  examineIncludes({ node: 'fs1', files: localGenerations(dir, { now: () => new Date(0) }) }, write);
const failed = async (write = true): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await examine(write))
      .filter(({ status }) => status === 'failed')
      .map(({ name, message, hint }) => [name.replace('include ', ''), `${message}; ${hint}`]),
  );

it('changes nothing where it only looks, and nothing the second time', async () => {
  expect(Object.keys(await failed(false))).toHaveLength(7);
  expect(get(conference)).not.toContain('sipctl');
  expect(await failed()).toEqual({});
  const [written, files] = [get(conference), readdirSync(join(dir, 'autoload_configs'))];
  expect((await examine(true)).filter(({ changed }) => changed)).toEqual([]);
  expect(get(conference)).toBe(written);
  expect(readdirSync(join(dir, 'autoload_configs'))).toEqual(files);
});

it('adds two lines, keeps every other byte, and keeps the file as it was', async () => {
  const before = Buffer.from(`<!-- caf\xe9 -->\r\n${get(conference).replaceAll('\n', '\r\n')}`, 'latin1');
  put(conference, before);
  expect(await failed()).toEqual({});
  const added = /^ *<X-PRE-PROCESS cmd="include" data="\.\.\/sipctl\/current\/\w+\.xml"\/>\r\n/gm;
  expect(get(conference).match(added)).toHaveLength(2);
  expect(Buffer.from(get(conference).replace(added, ''), 'latin1')).toEqual(before);
  const backups = readdirSync(join(dir, 'autoload_configs')).filter((name) => name.includes('backup'));
  expect(backups).toHaveLength(1);
  expect(readFileSync(join(dir, 'autoload_configs', backups[0] as string))).toEqual(before);
});

it('says what a configuration without these parts takes', async () => {
  put(
    'freeswitch.xml',
    get('freeswitch.xml').replace(/ *<section name="directory">[\s\S]*?<\/section>\n/, ''),
  );
  rmSync(join(dir, 'autoload_configs/ivr.conf.xml'));
  put(conference, get(conference).replace(/<caller-controls>\n<\/caller-controls>/, '<caller-controls/>'));
  const said = await failed();
  expect(Object.keys(said)).toEqual(['directory.xml', 'menus.xml', 'controls.xml']);
  expect(said['directory.xml']).toContain('before </document>');
  expect(said['menus.xml']).toMatch(/^there is no autoload_configs\/ivr\.conf\.xml; make it of these/);
  expect(said['controls.xml']).toContain('in the place of <caller-controls/>');
});

it('sees an include that is in a comment, and one that is not processed', async () => {
  put('freeswitch.xml', get('freeswitch.xml').replace(/( *<X-PRE-PROCESS.*directory.*\n)/, '<!--\n$1-->\n'));
  put('dialplan/public.xml', get('dialplan/public.xml').replace('X-PRE', 'X-NO-PRE'));
  const said = await failed();
  expect(Object.keys(said)).toEqual(['directory.xml', 'public.xml']);
  expect(said['directory.xml']).toContain('between the lines of a comment');
  expect(readdirSync(join(dir, 'dialplan/public'))).not.toContain('sipctl.xml');
});

it('takes an include by its whole path for one', async () => {
  put(
    'freeswitch.xml',
    get('freeswitch.xml').replace('"directory/', () => '"$${conf_dir}/directory/'),
  );
  put('dialplan/public.xml', get('dialplan/public.xml').replace('"public/', `"${dir}/dialplan/public/`));
  expect(await failed()).toEqual({});
});

it('leaves files of the same name alone, and the others are done all the same', async () => {
  put('directory/sipctl.xml', '<include>\n</include>\n');
  rmSync(join(dir, conference));
  symlinkSync('/etc/hostname', join(dir, conference));
  const said = await failed();
  expect(Object.keys(said)).toEqual(['directory.xml', 'rooms.xml', 'controls.xml']);
  expect(said['directory.xml']).toContain('was not made by sipctl and is left alone');
  expect(said['rooms.xml']).toContain('a link that leads out of');
  expect(get('directory/sipctl.xml')).toBe('<include>\n</include>\n');
});

it('asks for a folder that is missing', async () => {
  rmSync(join(dir, 'ivr_menus'), { recursive: true });
  expect(await failed()).toEqual({ 'menus.xml': expect.stringContaining(`mkdir ${dir}/ivr_menus`) });
});
