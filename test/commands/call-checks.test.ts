import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

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

const env = { PIN: '4711' };

describe('what values mean together', () => {
  const errors = async (line: string): Promise<[number, string[]]> => {
    const ended = await box.sipctl([...line.split(' '), '--tenant', 'acme', '--json'], { env });
    return [ended.code, ended.json().errors.map(({ code, field }) => `${field} ${code}`)];
  };

  it('is complained of all at once, with the values', async () => {
    expect(
      await errors('ivr add main --greeting ../x --key 1=user:ann --key 1=user:bob --unanswered ivr:main'),
    ).toEqual([3, ['greeting invalid_greeting', 'keys repeated_keys', 'unanswered leads_to_itself']]);
    expect(await errors('conference add board --wait-for-moderator')).toEqual([
      3,
      ['extension missing_extension', 'moderatorPin missing_moderator_pin'],
    ]);
    expect(
      await errors('conference add board --extension 8000 --pin env:PIN --moderator-pin env:PIN'),
    ).toEqual([3, ['moderatorPin equal_pins']]);
  });

  it('is asked of the rest of the tenant', async () => {
    await box.ok('trunk set backup --tenant acme --no-outbound');
    await box.ok('route add all --tenant acme --match +');
    expect(await errors('route add other --match + --trunks backup,main')).toEqual([
      3,
      ['trunks trunk_not_outbound', 'match equal_match'],
    ]);
    await box.ok('route add all --tenant beta --match +');
    expect(await errors('number add +4930111111 --to voicemail:bob')).toEqual([
      3,
      ['destination no_voicemail'],
    ]);
    expect(await errors('user set ann --unanswered voicemail:bob')).toEqual([3, ['unanswered no_voicemail']]);
    expect(await errors('user set bob --voicemail --unanswered voicemail:bob')).toEqual([0, []]);
    expect(await errors('number add +4930111111 --to voicemail:bob')).toEqual([0, []]);
    expect(await errors('user set bob --no-voicemail --unset unanswered')).toEqual([
      3,
      ['voicemail voicemail_in_use'],
    ]);
    expect(await errors('user set bob --display-name voicemail:ann')).toEqual([0, []]);
  });

  it('holds for a trunk that stops taking calls, with a warning', async () => {
    await box.ok('route add all --tenant acme --match + --trunks main');
    const ended = await box.ok('trunk set main --tenant acme --no-outbound --json');
    expect(ended.json().warnings).toMatchObject([{ code: 'trunk_not_outbound', field: 'outbound' }]);
  });

  it('warns of an emergency number that could not be called back, and keeps it', async () => {
    const ended = await box.sipctl('emergency add 112 --tenant acme --caller-id +4930999999 --json');
    expect([ended.code, ended.json().warnings]).toMatchObject([0, [{ code: 'caller_id_not_own' }]]);
    const plain = await box.ok('emergency set 112 --tenant acme --notes x');
    expect(plain.stderr).toContain('warning: callerId: +4930999999 is no number of the tenant');
    await box.ok('number add +4930999999 --tenant acme');
    expect((await box.ok('emergency set 112 --tenant acme --notes y --json')).json().warnings).toEqual([]);
  });

  it('cannot reach another tenant', async () => {
    for (const line of [
      'group add sales --members bea',
      'number add +4930111111 --to user:bea',
      'ivr add main --greeting hello --key 1=user:bea',
      'route add all --match + --trunks bea',
    ])
      expect([line, (await errors(line))[0]]).toEqual([line, 5]);
    expect((await errors('number add +4930111111 --to user:ann'))[0]).toBe(0);
  });

  it('gives an extension to one only, and says who has it', async () => {
    await box.ok('group add sales --tenant acme --members ann --extension 2001');
    const ended = await box.sipctl('conference add board --tenant acme --extension 2001');
    expect([ended.code, ended.stderr]).toEqual([
      6,
      "error: extension: group 'sales' has this extension in tenant 'acme'\n" +
        '  hint: choose another one; see sipctl group show sales --tenant acme\n',
    ]);
    expect((await box.sipctl('emergency add 2001 --tenant acme --caller-id +4930111111')).code).toBe(6);
  });
});

describe('a removal', () => {
  beforeEach(async () => {
    await box.ok('group add sales --tenant acme --members ann,bob');
    await box.ok(
      'ivr add main --tenant acme --greeting hello --key 1=user:ann,2=group:sales,3=voicemail:ann',
    );
    await box.ok('number add +4930111111 --tenant acme --to user:ann');
    await box.ok('user set bob --tenant acme --unanswered user:ann');
  });
  const show = async (noun: string, name: string): Promise<Record<string, unknown>> =>
    (await box.ok([noun, 'show', name, '--tenant', 'acme', '--json'])).json().data[noun];

  it('is refused with every object that names it, and where', async () => {
    const ended = await box.sipctl('user remove ann --tenant acme --yes');
    expect([ended.code, ended.stderr]).toEqual([
      6,
      "error: user 'ann' is named by user bob (unanswered user:ann), number +4930111111 (destination user:ann), " +
        'group sales (members ann), ivr main (keys 1=user:ann, keys 3=voicemail:ann)\n' +
        '  hint: change or remove those first; --cascade takes it out of user bob, number +4930111111, group sales, ivr main\n',
    ]);
    expect((await show('user', 'ann')).username).toBe('ann');
  });

  it('takes the name out with --cascade, and keeps what named it', async () => {
    const asked = await box.sipctl('user remove ann --tenant acme --cascade');
    expect([asked.code, asked.stderr]).toEqual([4, expect.stringContaining('group sales (members ann)')]);
    const ended = await box.ok('user remove ann --tenant acme --cascade --yes --json');
    expect(ended.json().data).toEqual({
      removed: ['user ann'],
      changed: ['user bob', 'number +4930111111', 'group sales', 'ivr main'],
    });
    expect(await show('group', 'sales')).toMatchObject({ members: ['bob'] });
    expect(await show('ivr', 'main')).toMatchObject({ keys: ['2=group:sales'] });
    expect(await show('number', '+4930111111')).toMatchObject({ destination: null });
    expect(await show('user', 'bob')).toMatchObject({ unanswered: null });
    const { entries } = (await box.ok('audit --tenant acme --limit 5 --json')).json().data as {
      entries: { action: string; name: string }[];
    };
    expect(entries.map(({ action, name }) => `${action} ${name}`)).toEqual([
      'remove ann',
      'set main',
      'set sales',
      'set +4930111111',
      'set bob',
    ]);
  });

  it('never empties a list or a destination that is needed', async () => {
    await box.ok('group set sales --tenant acme --members ann');
    await box.ok([
      'schedule',
      'add',
      'office',
      '--tenant',
      'acme',
      '--time-zone',
      'UTC',
      '--open',
      'mon 09:00-17:00',
      '--closed',
      'user:ann',
    ]);
    const ended = await box.sipctl('user remove ann --tenant acme --cascade --yes --json');
    expect([ended.code, ended.json().errors.map(({ message }) => message)]).toEqual([
      6,
      [
        'group sales would be left without members (members ann)',
        'schedule office would be left without closed (closed user:ann)',
      ],
    ]);
    expect(ended.json().errors[0]?.hint).toContain('sipctl group set sales --tenant acme --members');
    expect(await show('number', '+4930111111')).toMatchObject({ destination: 'user:ann' });
  });

  it('of a trunk does not turn its routes to all trunks', async () => {
    await box.ok('route add all --tenant acme --match + --trunks main,backup');
    await box.ok('trunk remove main --tenant acme --cascade --yes');
    expect(await show('route', 'all')).toMatchObject({ trunks: ['backup'] });
    expect((await box.sipctl('trunk remove backup --tenant acme --cascade --yes')).code).toBe(6);
  });

  it('of a schedule tells of its numbers', async () => {
    await box.ok([
      'schedule',
      'add',
      'office',
      '--tenant',
      'acme',
      '--time-zone',
      'UTC',
      '--open',
      'mon 09:00-17:00',
      '--closed',
      'hangup',
    ]);
    await box.ok('number set +4930111111 --tenant acme --schedule office');
    const ended = await box.sipctl('schedule remove office --tenant acme --yes');
    expect([ended.code, ended.stderr]).toEqual([6, expect.stringContaining('is used by number +4930111111')]);
  });

  it('of a tenant takes everything that it owns, and nothing of others', async () => {
    await box.ok('conference add board --tenant acme --extension 8000');
    await box.ok('route add all --tenant acme --match + --trunks main');
    await box.ok('emergency add 112 --tenant acme --caller-id +4930111111 --trunks main');
    await box.ok('group add sales --tenant beta --members bea');
    await box.ok('tenant remove acme --cascade --yes');
    const { rows } = (await box.ok('db status --json')).json().data as { rows: Record<string, number> };
    expect(rows).toMatchObject({
      tenants: 2,
      users: 1,
      groups: 1,
      trunks: 0,
      numbers: 0,
      ivrs: 0,
      routes: 0,
      emergencies: 0,
    });
  });
});

describe('secrets of a room', () => {
  it('come by every way a secret can, are shown by --reveal alone, and survive a new key', async () => {
    writeFileSync(join(box.dir, 'moderator'), '815815\n');
    await box.ok(
      `conference add board --tenant acme --extension 8000 --pin-stdin --moderator-pin-file ${join(box.dir, 'moderator')}`,
      {
        input: '4711\n',
      },
    );
    await box.ok('user set ann --tenant acme --voicemail-pin env:PIN', { env });
    await box.ok('key rotate --yes');
    const shown = await box.ok('conference show board --tenant acme');
    expect(shown.stdout).not.toMatch(/4711|815815/);
    const revealed = await box.ok('conference show board --tenant acme --reveal --json');
    expect(revealed.json().data).toMatchObject({ conference: { pin: '4711', moderatorPin: '815815' } });
    expect((await box.ok('user show ann --tenant acme --reveal')).stdout).toMatch(/voicemailPin: +4711/);
  });
});

describe('what people read', () => {
  it('says what is where nothing was set', async () => {
    await box.ok('number add +4930111111 --tenant acme');
    expect((await box.ok('number show +4930111111 --tenant acme')).stdout).toMatch(
      /^destination: hangup:unallocated \(no destination is set\)$/m,
    );
    await box.ok('number set +4930111111 --tenant acme --to user:ann');
    expect((await box.ok('number show +4930111111 --tenant acme')).stdout).toMatch(
      /^destination: user:ann$/m,
    );
    expect((await box.ok('tenant sip acme')).stdout).toMatch(/^\+4930111111 +user:ann +-/m);
    expect((await box.ok('user show bob --tenant acme')).stdout).toMatch(
      /^voicemail: +no \(template basic_user\)$/m,
    );
    expect((await box.ok('user show ann --tenant acme')).stdout).toMatch(/^voicemail: +yes$/m);
  });

  it('is a help page with every verb, and the right article', async () => {
    const help = await box.ok('ivr --help');
    for (const verb of ['list', 'show', 'add', 'set', 'ensure', 'remove', 'enable', 'disable'])
      expect(help.stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
    expect(help.stdout).toContain('show an ivr');
    expect((await box.ok('user --help')).stdout).toContain('show a user');
  });
});
