import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;
let pbx: string;

beforeEach(async () => {
  box = await sandbox();
  pbx = join(box.dir, 'pbx');
  mkdirSync(pbx);
  writeFileSync(
    join(pbx, 'pjsip.conf'),
    '[transport-udp]\ntype = transport\nprotocol = udp\nbind = 0.0.0.0\n',
  );
  await box.ok('tenant add acme --domain acme.example');
  await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
  await box.ok('user add bob --tenant acme --extension 1002 --generate-password');
  await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', pbx]);
  await box.ok('node init pbx1 --write');
  await box.apply();
});

const store = (): string => join(pbx, 'sipctl/store/acme');
const usersFile = (): string =>
  join(store(), readdirSync(store()).find((name) => name.startsWith('pjsip_users')) as string);
const edit = (from: string | RegExp, to: string): void =>
  writeFileSync(usersFile(), readFileSync(usersFile(), 'utf8').replace(from, to));

interface Found {
  object: string;
  differs: string[];
  remedy: string;
  message: string;
}

async function findings(): Promise<Found[]> {
  const ended = await box.sipctl('drift --check --json');
  const [node] = (ended.json().data as { nodes: { findings: Found[] }[] }).nodes;
  expect(ended.code).toBe((node?.findings.length ?? 0) > 0 ? 2 : 0);
  return node?.findings ?? [];
}

const apart = async (): Promise<string[]> =>
  (await findings()).map(
    ({ object, differs }) => `${object.replace(/[0-9a-f]{16}/, '…')} ${differs.join('+')}`,
  );

/** Puts back what was delivered; nothing is apart then, and a plan finds nothing to do. */
async function reverts(): Promise<void> {
  const ended = await box.ok('drift revert --yes --json');
  expect(ended.json()).toMatchObject({ changed: true, data: { nodes: [{ outcome: 'delivered' }] } });
  expect(await apart()).toEqual([]);
  await box.ok('plan --detailed-exitcode');
}

describe('drift', () => {
  it('is nothing where nothing happened, and then nothing is reverted', async () => {
    expect(await apart()).toEqual([]);
    expect((await box.ok('drift --check')).stdout).toContain(
      'no drift from generation 1 (database and files)',
    );
    expect((await box.ok('drift show --node pbx1')).stdout).toContain('no drift');
    const ended = await box.ok('drift revert --yes --json');
    expect(ended.json()).toMatchObject({ changed: false, data: { nodes: [{ outcome: 'unchanged' }] } });
  });

  it('names the object of an edited file, what was there and what is, and is reverted', async () => {
    const before = readFileSync(usersFile(), 'utf8');
    edit(/max_contacts *= *\d+/, 'max_contacts = 7');
    expect(await apart()).toEqual(['file sipctl/store/acme/pjsip_users.….conf files', 'user ann files']);
    const [, ann] = await findings();
    expect(ann?.message).toContain('→ 7');
    expect(ann?.remedy).toContain('sipctl drift revert --node pbx1');
    const refused = await box.sipctl('drift revert');
    expect([refused.code, readFileSync(usersFile(), 'utf8') === before]).toEqual([4, false]);
    await reverts();
    expect(readFileSync(usersFile(), 'utf8')).toBe(before);
    expect(readlinkSync(join(pbx, 'sipctl/current'))).toBe('generations/000002');
    const history = await box.ok('history');
    expect(history.stdout).toContain('drift revert to generation 1');
  });

  it('never shows a secret that was changed', async () => {
    edit(/^password *= *.*$/m, 'password = mallory-Secret-1');
    const ended = await box.sipctl('drift --json');
    expect(ended.stdout).toContain('[secret]');
    expect(ended.stdout).not.toContain('mallory');
    await reverts();
  });

  it('sees objects that were added and taken out by hand', async () => {
    edit(/; === SIP USER: bob[\s\S]*?; === END SIP USER: bob ===\n/, '');
    expect(await apart()).toEqual(['file sipctl/store/acme/pjsip_users.….conf files', 'user bob files']);
    expect((await findings())[1]?.message).toBe('was taken out by hand');
    await reverts();
  });

  it('tells what the database has, and the node not yet, from what was edited there', async () => {
    await box.ok('user set bob --tenant acme --max-contacts 3');
    expect(await apart()).toEqual(['user bob database']);
    const nothing = await box.ok('drift revert --yes --json');
    expect(nothing.json().changed).toBe(false);
    const text = (await box.sipctl('drift')).stdout;
    expect(text).toContain('in the database, not delivered yet');
    expect(text).toContain('sipctl apply delivers it');
  });

  it('does not guess where a file was edited and the database has changed as well', async () => {
    await box.ok('user set bob --tenant acme --max-contacts 3');
    edit(/max_contacts *= *\d+/, 'max_contacts = 7');
    expect(await apart()).toEqual(['file sipctl/store/acme/pjsip_users.….conf files']);
    const ended = await box.sipctl('drift revert --yes');
    expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining('sipctl apply --refresh')]);
    await box.ok('apply --refresh --yes');
    expect(await apart()).toEqual([]);
  });

  it.each([
    [
      'a store file that is gone',
      () => unlinkSync(usersFile()),
      'file sipctl/store/acme/pjsip_users.….conf files',
    ],
    [
      'an index that was edited',
      () => writeFileSync(join(pbx, 'sipctl/generations/000001/pjsip_users.conf'), '; nothing\n'),
      'file sipctl/generations/000001/pjsip_users.conf files',
    ],
    ['a current that is gone', () => unlinkSync(join(pbx, 'sipctl/current')), 'link current files'],
    [
      'a current that leads nowhere',
      () => {
        unlinkSync(join(pbx, 'sipctl/current'));
        symlinkSync('generations/000099', join(pbx, 'sipctl/current'));
      },
      'link current files',
    ],
    [
      'a current that leads elsewhere',
      () => {
        unlinkSync(join(pbx, 'sipctl/current'));
        symlinkSync('/etc', join(pbx, 'sipctl/current'));
      },
      'link current files',
    ],
  ])('finds and reverts %s', async (_, harm, finding) => {
    harm();
    expect(await apart()).toEqual([finding]);
    await reverts();
  });

  it('goes back to what can be read where a manifest was edited, and says what waits then', async () => {
    await box.ok('user set bob --tenant acme --max-contacts 3');
    await box.apply();
    writeFileSync(join(pbx, 'sipctl/generations/000002/manifest.json'), '{}');
    expect((await apart())[0]).toBe('file sipctl/generations/000002/manifest.json files');
    await box.ok('drift revert --yes');
    expect(await apart()).toEqual(['user bob database']);
    await box.apply();
  });

  it('leaves what it did not make in the place of current', async () => {
    rmSync(join(pbx, 'sipctl/current'));
    writeFileSync(join(pbx, 'sipctl/current'), 'mine');
    expect(await apart()).toEqual(['link current files']);
    const ended = await box.sipctl('drift revert --yes');
    expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining('move it away')]);
    expect(readFileSync(join(pbx, 'sipctl/current'), 'utf8')).toBe('mine');
  });
});
