import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;

beforeEach(async () => {
  box = await sandbox();
  await box.ok('tenant add acme --domain acme.example');
});

/** A file of the sandbox with this text. */
function file(name: string, text: string | Uint8Array): string {
  const path = join(box.dir, name);
  writeFileSync(path, text);
  return path;
}

const names = async (kind: string): Promise<string[]> => {
  const ended = await box.ok(`${kind} list --all-tenants --json`);
  const [objects] = Object.values(ended.json().data as Record<string, Record<string, string>[]>);
  return (objects ?? []).map((one) => `${one.tenant} ${one.username ?? one.name ?? one.number}`);
};

describe('import csv', () => {
  const users =
    'username,extension,displayName,password\nann,1001,Ann Öz,pw-of-Ann-1\nbob,1002,"Bob, Jr.",pw-of-Bob-2\n';

  it('shows what would change, and writes nothing, where that is asked for', async () => {
    const path = file('users.csv', users);
    const ended = await box.sipctl(`import csv ${path} --kind users --tenant acme --check`);
    expect([ended.code, ended.stdout]).toEqual([2, expect.stringContaining('+ user ann')]);
    expect(ended.stdout).not.toContain('pw-of');
    expect(await names('user')).toEqual([]);
    const refused = await box.sipctl(`import csv ${path} --kind users --tenant acme`);
    expect([refused.code, await names('user')]).toEqual([4, []]);
  });

  it('writes all rows, and a second time changes nothing', async () => {
    const path = file('users.csv', users);
    const ended = await box.ok(`import csv ${path} --kind users --tenant acme --yes --json`);
    expect(ended.json()).toMatchObject({ changed: true, data: { rows: 2, count: { create: 2 } } });
    expect(ended.stdout).not.toContain('pw-of');
    expect(await names('user')).toEqual(['acme ann', 'acme bob']);
    const shown = await box.ok('user show bob --tenant acme --reveal --json');
    expect(shown.json().data).toMatchObject({ user: { displayName: 'Bob, Jr.', password: 'pw-of-Bob-2' } });
    const again = await box.ok(`import csv ${path} --kind users --tenant acme --check --json`);
    expect(again.json()).toMatchObject({ changed: false, data: { unchanged: 2, changes: [] } });
  });

  it('reads standard input, in any encoding, with names of its own for the columns', async () => {
    const text = 'Nebenstelle;Name;Bemerkung\r\n1001;Änne;x\r\n';
    await box.ok(
      'import csv - --kind users --tenant acme --map Nebenstelle=extension --map Name=displayName --map Bemerkung=- --generate-passwords --yes',
      { input: text },
    );
    expect(await names('user')).toEqual(['acme 1001']);
    const latin = file('latin.csv', Buffer.from('extension,displayName\n1001,Ännchen\n', 'latin1'));
    const refused = await box.sipctl(`import csv ${latin} --kind users --tenant acme --yes`);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('--encoding latin1')]);
    await box.ok(`import csv ${latin} --kind users --tenant acme --encoding latin1 --yes`);
    const wide = file('wide.csv', Buffer.from('\ufeffextension\tnotes\n1001\tfür Ann\n', 'utf16le'));
    await box.ok(`import csv ${wide} --kind users --tenant acme --yes`);
    const { data } = (await box.ok('user show 1001 --tenant acme --json')).json();
    expect(data).toMatchObject({ user: { displayName: 'Ännchen', notes: 'für Ann' } });
  });

  it('imports nothing of 5,000 rows where one is bad', async () => {
    const rows = Array.from({ length: 5000 }, (_, at) => `u${at},${at === 4321 ? '12x' : 10_000 + at}`);
    const path = file('many.csv', ['username,Ext', ...rows, ''].join('\n'));
    const argv = `import csv ${path} --kind users --tenant acme --map Ext=extension --generate-passwords --yes`;
    const ended = await box.sipctl(argv);
    expect([ended.code, ended.stderr]).toEqual([
      3,
      expect.stringContaining(`${path}:4323:2: Ext: '12x' is not an extension`),
    ]);
    expect(ended.stderr.match(/^error:/gm)).toHaveLength(1);
    expect(await names('user')).toEqual([]);
    file('many.csv', ['username,Ext', ...rows.toSpliced(4321, 1), ''].join('\n'));
    expect((await box.ok(`${argv} --json`)).json().data).toMatchObject({ count: { create: 4999 } });
    expect(await names('user')).toHaveLength(4999);
  }, 60_000);

  it('shows the first hundred complaints, in the order of the file, and counts the rest', async () => {
    const rows = Array.from({ length: 250 }, (_, at) => `u${at},${at}x`);
    const path = file('bad.csv', ['username,extension', ...rows].join('\n'));
    const ended = await box.sipctl(
      `import csv ${path} --kind users --tenant acme --generate-passwords --json`,
    );
    const { errors } = ended.json();
    expect([ended.code, errors.length]).toEqual([3, 101]);
    expect(errors.slice(0, 100).map(({ place }) => place?.line)).toEqual(
      Array.from({ length: 100 }, (_, at) => at + 2),
    );
    expect(errors[100]?.message).toContain('and 150 more complaints');
  });

  it('complains at once of cells, of rows that stand twice, of clashes and of names that are not there', async () => {
    await box.ok('user add eve --tenant acme --extension 1009 --generate-password');
    const path = file(
      'users.csv',
      'username,extension,password,tenant\nann,1001,x,acme\nann,1002,x,acme\nbob,1001,x,acme\ncid,1009,x,acme\ndan,1003,,acme\nfay,1004,x,nowhere\n',
    );
    const ended = await box.sipctl(`import csv ${path} --kind users --yes --json`);
    expect(ended.code).toBe(3);
    const lines = ended.json().errors.map(({ place }) => place?.line);
    expect([...new Set(lines)].sort()).toEqual([3, 4, 5, 6, 7]);
    expect(await names('user')).toEqual(['acme eve']);
  });

  it('makes passwords, and hands them over in a file of their own', async () => {
    const path = file('users.csv', 'username,extension,password\nann,1001,pw-of-Ann-1\nbob,1002,\n');
    const out = join(box.dir, 'made.csv');
    const argv = `import csv ${path} --kind users --tenant acme --yes --generate-passwords --passwords-out ${out}`;
    const ended = await box.ok(argv);
    const [header, line = '', ...rest] = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect([header, rest]).toEqual(['tenant,name,field,secret', []]);
    const [, , , secret = ''] = line.split(',');
    expect(line).toMatch(/^acme,bob,password,\S{20,}$/);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(ended.stdout + ended.stderr).not.toContain(secret);
    const shown = await box.ok('user show bob --tenant acme --reveal --json');
    expect(shown.json().data).toMatchObject({ user: { password: secret } });
  });

  it('writes nothing where the passwords could not be kept', async () => {
    const path = file('users.csv', 'username,extension\nbob,1002\n');
    const argv = `import csv ${path} --kind users --tenant acme --yes --generate-passwords --passwords-out ${path}`;
    const ended = await box.sipctl(argv);
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('is not written over')]);
    expect(await names('user')).toEqual([]);
    expect(readFileSync(path, 'utf8')).toContain('bob,1002');
  });

  it('removes the file of passwords again where the database takes nothing', async () => {
    const path = file('users.csv', 'username,extension\nbob,1002\n');
    const out = join(box.dir, 'made.csv');
    await box.sipctl(`import csv ${path} --kind users --tenant acme --yes --passwords-out ${out}`);
    expect([existsSync(out), await names('user')]).toEqual([false, []]);
  });

  it.each([
    ['usage', 64, 'import csv x.csv'],
    ['kind', 3, 'import csv x.csv --kind phones'],
    ['file', 5, 'import csv x.csv --kind users'],
    ['delimiter', 3, 'import csv x.csv --kind users --delimiter x'],
    ['encoding', 3, 'import csv x.csv --kind users --encoding x'],
    ['map', 3, 'import csv /dev/null --kind users --map x'],
    ['header', 3, 'import csv /dev/null --kind users'],
  ])('says what is wrong with its flags: %s', async (_, code, command) => {
    expect((await box.sipctl(command)).code).toBe(code);
  });
});

describe('export csv', () => {
  const printable = fc
    .string({ unit: fc.constantFrom(...`=+-@'",;|ab 1ÄÖ…`), minLength: 1, maxLength: 20 })
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const user = fc.record({
    displayName: printable,
    notes: printable,
    codecs: fc.option(fc.subarray(['ulaw', 'alaw', 'opus', 'g722'], { minLength: 1 })),
    maxCalls: fc.nat(100),
    callerId: fc.option(fc.constant('+15551234567')),
    record: fc.boolean(),
    tollClass: fc.constantFrom('internal', 'national', 'all'),
  });

  it('is taken back unchanged, whatever stands in the fields', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(user, { minLength: 1, maxLength: 4 }), async (users) => {
        const own = await sandbox();
        await own.ok('tenant add acme');
        for (const [at, values] of users.entries()) {
          // A value that begins with a dash is one all the same.
          const flags = [`--display-name=${values.displayName}`, `--notes=${values.notes}`];
          if (values.codecs !== null) flags.push('--codecs', values.codecs.join(','));
          if (values.callerId !== null) flags.push('--caller-id', values.callerId);
          flags.push('--max-calls', String(values.maxCalls), '--toll-class', values.tollClass);
          flags.push(values.record ? '--record' : '--no-record', '--generate-password');
          await own.ok([
            'user',
            'add',
            `u${at}`,
            '--tenant',
            'acme',
            '--extension',
            String(1000 + at),
            ...flags,
          ]);
        }
        const { stdout } = await own.ok('export csv --kind users --tenant acme');
        expect(stdout).toBe((await own.ok('export csv --kind users --tenant acme')).stdout);
        for (const more of ['', ' --clear-empty']) {
          const argv = `import csv - --kind users --tenant acme --check --json${more}`;
          const back = await own.sipctl(argv, { input: stdout });
          expect([back.code, back.json().data]).toEqual([0, expect.objectContaining({ changes: [] })]);
        }
        // Into an empty place, too: what comes out of it is the same.
        const other = await sandbox();
        await other.ok('tenant add acme');
        await other.ok('import csv - --kind users --tenant acme --generate-passwords --yes', {
          input: stdout,
        });
        expect((await other.ok('export csv --kind users --tenant acme')).stdout).toBe(stdout);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  it('covers trunks and numbers of every tenant, and no secret', async () => {
    await box.ok(
      'trunk add main --tenant acme --provider custom_ip --host pbx.example.com --networks 192.0.2.10,198.51.100.0/24 --labels a,b',
    );
    await box.ok('trunk add tel --provider telnyx --username 1234567890 --password env:PW', {
      env: { PW: 'hidden-1' },
    });
    await box.ok('number add +15551234567 --tenant acme --trunk main --label "=first"');
    for (const kind of ['trunks', 'numbers']) {
      const out = join(box.dir, `${kind}.csv`);
      await box.ok(`export csv --kind ${kind} --all-tenants -o ${out}`);
      const text = readFileSync(out, 'utf8');
      expect(text).not.toMatch(/hidden|password|"=|,=/i);
      const back = await box.sipctl(`import csv ${out} --kind ${kind} --check --json --clear-empty`);
      expect([back.code, back.json().data]).toEqual([0, expect.objectContaining({ changes: [] })]);
    }
    const labelled = await box.ok('export csv --kind trunks --all-tenants --label a');
    expect(labelled.stdout.trimEnd().split('\n')).toHaveLength(2);
  });
});
