import { beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/errors.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;
const now = () => new Date('2026-11-21T09:05:00Z');

beforeEach(async () => {
  box = await sandbox();
  await box.ok('tenant add acme --country US');
  const password = { input: 'carrier-Secret-9' };
  await box.ok(
    'trunk add telnyx_main --tenant acme --provider telnyx --username account1 --password-stdin --did +12125551234',
    password,
  );
  await box.ok(
    'trunk add voipms --tenant acme --provider voipms --username 100001 --password-stdin',
    password,
  );
  await box.ok('user add ann --tenant acme --extension 1001 --generate-password --voicemail');
  await box.ok('user add bob --tenant acme --extension 1002 --generate-password');
  await box.ok(
    'schedule add office --tenant acme --time-zone Europe/Berlin --open "mon-sat 09:00-17:00" --closed voicemail:ann',
  );
  await box.ok('ivr add main --tenant acme --greeting hello --key 1=user:ann --unanswered user:bob');
  await box.ok('number set +12125551234 --tenant acme --to ivr:main --schedule office');
});

describe('route simulate', () => {
  it('walks a call from outside, for people and for scripts', async () => {
    const { stdout } = await box.ok('route simulate --tenant acme --inbound (212)555-1234 --press 1', {
      now,
    });
    expect(stdout).toContain('request URI 2125551234: number +12125551234');
    expect(stdout).toContain('schedule office: sat 2026-11-21 10:05 in Europe/Berlin is open');
    expect(stdout).toContain('menu main, attempt 1: 1 is a key');
    expect(stdout).toContain('→ ann answers (ann)');
    const { data } = (
      await box.ok('route simulate --tenant acme --inbound +12125551234 --at 2026-11-22T10:00+01:00 --json')
    ).json();
    expect(data).toMatchObject({
      call: { kind: 'inbound', requestUri: '+12125551234' },
      outcome: { kind: 'voicemail', user: 'ann', box: '1001' },
      variables: { SIPCTL_TENANT: 'acme', SIPCTL_DIRECTION: 'inbound' },
    });
  });

  it('walks what a user dials, past a trunk that is down', async () => {
    const { stdout } = await box.ok(
      'route simulate --tenant acme --outbound "011 49 30 123456" --user bob --down telnyx_main',
      { now },
    );
    expect(stdout).toContain('trunk telnyx_main: sends +4930123456');
    expect(stdout).toContain('cannot be reached, the next one is tried');
    expect(stdout).toContain('→ 0114930123456 over voipms');
  });

  it('takes phones as they are told to be', async () => {
    const outcome = async (flags: string) =>
      (await box.ok(`route simulate --tenant acme --outbound 1001 --user bob ${flags} --json`)).json()
        .data as { outcome: object };
    expect((await outcome('')).outcome).toMatchObject({ kind: 'user', user: 'ann' });
    expect((await outcome('--busy ann')).outcome).toMatchObject({ kind: 'voicemail', greeting: 'busy' });
    expect((await outcome('--unanswered ann')).outcome).toMatchObject({ greeting: 'unavailable' });
    expect((await outcome('--offline ann')).outcome).toMatchObject({ kind: 'voicemail' });
  });

  it.each([
    ['route simulate --tenant acme', 'usage'],
    ['route simulate --tenant acme --inbound 1 --outbound 2 --user ann', 'usage'],
    ['route simulate --tenant acme --outbound 1001', 'usage'],
    ['route simulate --tenant acme --outbound 1001 --user nobody', 'notFound'],
    ['route simulate --tenant acme --outbound 911 --user bob --down nowhere', 'notFound'],
    ['route simulate --tenant nobody --inbound 1', 'notFound'],
    ['route simulate --tenant acme --inbound 1 --at yesterday', 'invalid'],
    ['route simulate --tenant acme --inbound 1 --at 2026-13-41', 'invalid'],
  ] as const)('%s: %s', async (command, outcome) => {
    const ended = await box.sipctl(command);
    expect([ended.code, ended.stderr]).toEqual([
      exitCodes[outcome].code,
      expect.stringMatching(/^error: .+\n {2}hint: .+/),
    ]);
  });

  it('refuses a caller who is disabled, and tells of a context of the operator’s own', async () => {
    await box.ok('user set ann --tenant acme --context mine');
    const own = await box.ok('route simulate --tenant acme --outbound 1002 --user ann');
    expect(own.stderr).toContain('enter the context mine');
    await box.ok('user disable bob --tenant acme');
    expect((await box.sipctl('route simulate --tenant acme --outbound 1001 --user bob')).code).toBe(4);
  });
});

describe('ivr lint', () => {
  const codes = async (name = ''): Promise<[number, string[]]> => {
    const ended = await box.sipctl(`ivr lint ${name} --tenant acme --json`);
    const { errors, warnings } = ended.json() as unknown as Record<string, { code: string }[]>;
    return [ended.code, [...(errors ?? []), ...(warnings ?? [])].map(({ code }) => code)];
  };

  it('has nothing to say of a good menu', async () => {
    expect(await codes()).toEqual([0, []]);
    expect((await box.ok('ivr lint --tenant acme')).stdout).toBe('main: good\n');
  });

  it('finds a destination that is disabled', async () => {
    await box.ok('user disable ann --tenant acme');
    expect(await codes('main')).toEqual([3, ['lost_destination']]);
  });

  it('finds dead ends', async () => {
    await box.ok('ivr set main --tenant acme --unset unanswered --key 1=user:ann,0=hangup:busy');
    expect(await codes()).toEqual([0, ['dead_end', 'dead_end']]);
  });

  it('finds circles: of keys, and of silence', async () => {
    await box.ok('ivr add second --tenant acme --greeting hello --key 1=ivr:main --unanswered ivr:main');
    expect(await codes('second')).toEqual([0, ['unreachable']]);
    await box.ok('ivr set main --tenant acme --key 1=user:ann,2=ivr:second --unanswered ivr:second');
    expect(await codes('main')).toEqual([3, ['loop']]);
    await box.ok('ivr set main --tenant acme --key 1=ivr:second');
    expect(await codes()).toEqual([3, ['loop', 'loop']]);
  });

  it('finds a circle through users who do not answer', async () => {
    await box.ok('user set bob --tenant acme --unanswered ivr:main');
    expect(await codes()).toEqual([3, ['loop']]);
  });

  it('finds keys that begin an extension', async () => {
    await box.ok('ivr set main --tenant acme --direct-dial');
    expect(await codes()).toEqual([0, ['slow_key']]);
    await box.ok('ivr set main --tenant acme --key 2=user:ann');
    expect(await codes()).toEqual([0, []]);
    await box.ok('user set bob --tenant acme --extension 2');
    expect(await codes()).toEqual([0, ['hidden_extension']]);
  });

  it('knows no menu of another name', async () => {
    expect((await box.sipctl('ivr lint nothing --tenant acme')).code).toBe(exitCodes.notFound.code);
  });
});

describe('number explain', () => {
  it('shows each step of an own number', async () => {
    const { stdout } = await box.ok(['number', 'explain', '(212) 555-1234', '--tenant', 'acme'], { now });
    expect(stdout).toMatchInlineSnapshot(`
      "given:         (212) 555-1234
      digits:        2125551234
      parsed:        +1 212 555 1234, US, fixed line or mobile, valid
      canonical:     +12125551234 (a form of +12125551234)
      whose:         tenant acme (on trunk telnyx_main)
      recognised as: +12125551234,12125551234,2125551234,0012125551234,01112125551234
      schedule:      office: open at sat 2026-11-21 10:05
      leads to:      ivr:main

      TRUNK        WRITES        CALLS IN
      telnyx_main  +12125551234  number in the request URI
      voipms       12125551234   number in the request URI
      "
    `);
  });

  it('reads a number of the outside as a user dials it', async () => {
    const { data } = (await box.ok('number explain 011493012345678 --tenant acme --json')).json();
    expect(data).toMatchObject({
      parsed: { country: 'DE', type: 'FIXED_LINE', valid: true },
      understood: { by: 'dialled', canonical: '+493012345678' },
      owner: null,
      destination: null,
      trunks: [
        { trunk: 'telnyx_main', writes: '+493012345678' },
        { trunk: 'voipms', writes: '011493012345678' },
      ],
    });
  });

  it('says whose number it is, and what is no number at all', async () => {
    const ofAcme = (await box.ok('number explain +12125551234 --json')).json().data as object;
    expect(ofAcme).toMatchObject({ owner: { tenant: 'acme' }, destination: null });
    const none = (await box.ok('number explain hello --json')).json().data as object;
    expect(none).toMatchObject({ parsed: null, understood: null, owner: null });
  });
});
