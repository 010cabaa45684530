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

describe('drift adopt', () => {
  it('takes the edited fields over, shows them first, and nothing is apart once they are applied', async () => {
    edit(/max_contacts *= *\d+/, 'max_contacts = 7');
    const shown = await box.sipctl('drift adopt --check --json');
    expect([shown.code, shown.json().changed]).toEqual([2, false]);
    expect(shown.json().data).toMatchObject({
      changes: [
        { action: 'update', noun: 'user', name: 'ann', fields: { maxContacts: { from: null, to: 7 } } },
      ],
      notTakenOver: [],
    });
    expect((await box.sipctl('drift adopt')).code).toBe(4);
    await box.ok('drift adopt --yes --apply');
    expect(await apart()).toEqual([]);
    expect(readFileSync(usersFile(), 'utf8')).toMatch(/max_contacts *= *7/);
    const again = await box.ok('drift adopt --yes --json');
    expect(again.json()).toMatchObject({ changed: false, data: { changes: [] } });
  });

  it('tells what it cannot take over, and refuses it where that is asked for', async () => {
    const calls = join(store(), readdirSync(store()).find((name) => name.startsWith('extensions')) as string);
    writeFileSync(calls, `${readFileSync(calls, 'utf8')}; edited\n`);
    edit(/(max_contacts *= *\d+)/, '$1\nno_such_option = 1');
    const ended = await box.sipctl('drift adopt --yes');
    expect(ended.stderr).toContain('acme/extensions_calls.conf was edited, and is not taken over');
    expect(ended.stderr).toContain('no_such_option');
    expect((await box.sipctl('drift adopt --yes --strict')).code).toBe(3);
    await reverts();
  });

  it('asks for names where the database has changed as well, and keeps what others changed', async () => {
    await box.ok('user set bob --tenant acme --max-contacts 3');
    edit(/max_contacts *= *\d+/, 'max_contacts = 7');
    const ended = await box.ok('drift adopt --yes');
    expect(ended.stderr).toContain('name the objects to adopt');
    await box.ok('drift adopt user:ann --yes');
    const { data } = (await box.ok('user list --tenant acme --json')).json() as {
      data: { users: { username: string; maxContacts: number }[] };
    };
    expect(data.users.map(({ username, maxContacts }) => [username, maxContacts])).toEqual([
      ['ann', 7],
      ['bob', 3],
    ]);
  });

  it('says that nothing can be read from a file that is gone', async () => {
    unlinkSync(usersFile());
    const ended = await box.ok('drift adopt --yes');
    expect(ended.stderr).toContain('the file is gone');
    await reverts();
  });

  it('names what it does not understand', async () => {
    expect((await box.sipctl('drift adopt number:+15551234567')).code).toBe(64);
    expect((await box.sipctl('drift nonsense')).code).toBe(64);
  });

  it('takes what several nodes say alike, and complains where they do not', async () => {
    const other = join(box.dir, 'other');
    mkdirSync(other);
    writeFileSync(
      join(other, 'pjsip.conf'),
      '[transport-udp]\ntype = transport\nprotocol = udp\nbind = 0.0.0.0\n',
    );
    await box.ok(['node', 'add', 'pbx2', '--kind', 'asterisk', '--dir', other]);
    await box.ok('node init pbx2 --write');
    await box.apply();
    const files = [usersFile(), usersFile().replace(pbx, other)];
    const contacts = (counts: readonly number[]): void => {
      for (const [at, file] of files.entries())
        writeFileSync(
          file,
          readFileSync(file, 'utf8').replace(/max_contacts *= *\d+/, `max_contacts = ${counts[at]}`),
        );
    };
    contacts([7, 8]);
    const ended = await box.sipctl('drift adopt --yes --json');
    expect([ended.code, ended.json().errors.map(({ code }) => code)]).toEqual([3, ['declared_twice']]);
    expect((await box.sipctl('drift adopt --node pbx2 --check')).code).toBe(2);
    contacts([8, 8]);
    await box.ok('drift adopt --yes --apply');
    expect((await box.ok('drift --check')).stdout.match(/no drift/g)).toHaveLength(2);
  });
});

it('does not end well where an interruption left a node as it was', async () => {
  const second = join(box.dir, 'second');
  mkdirSync(second);
  await box.ok(['node', 'add', 'pbx2', '--kind', 'asterisk', '--dir', second]);
  await box.apply();
  const inForce = (at: string): string => readlinkSync(join(at, 'sipctl/current'));
  for (const at of [pbx, second]) {
    const path = join(at, 'sipctl/store/acme');
    const file = readdirSync(path).find((name) => name.startsWith('pjsip_users')) as string;
    writeFileSync(join(path, file), '; nothing\n');
  }
  const [first, other] = [inForce(pbx), inForce(second)];
  const abort = new AbortController();
  const watching = setInterval(() => inForce(pbx) !== first && abort.abort(), 1);
  try {
    const ended = await box.sipctl('drift revert --yes --json', { signal: abort.signal });
    const isLeft = inForce(second) === other;
    expect(ended.code).toBe(isLeft ? 130 : 0);
    if (isLeft) expect(ended.json().errors).toMatchObject([{ code: 'interrupted' }]);
  } finally {
    clearInterval(watching);
  }
});
