import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { toE164 } from '../../src/csv/e164.ts';
import { destinationOfFreePbx } from '../../src/csv/freepbx-destination.ts';
import { numberingPlan } from '../../src/model/flow/numbering.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;

beforeEach(async () => {
  box = await sandbox();
  await box.ok('tenant add acme');
  await box.ok(
    'trunk add main --tenant acme --provider custom_ip --host pbx.example.com --networks 192.0.2.10',
  );
});

function file(name: string, rows: readonly Readonly<Record<string, string>>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (text = ''): string => `"${text.replaceAll('"', '""')}"`;
  const lines = [columns.join(','), ...rows.map((row) => columns.map((name) => cell(row[name])).join(','))];
  const path = join(box.dir, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** A row of the list of extensions with the columns that every export has. */
const extension = (number: string, more: Record<string, string> = {}): Record<string, string> => ({
  ...{ extension: number, password: '', name: `User ${number}`, voicemail: 'novm', ringtimer: '0' },
  ...{ outboundcid: '', noanswer_dest: '', tech: 'pjsip', dial: `PJSIP/${number}`, id: number },
  ...{ recording_in_external: 'dontcare', recording_out_external: 'dontcare', dtmfmode: 'rfc4733' },
  ...{ recording_in_internal: 'dontcare', recording_out_internal: 'dontcare', secret: `pw-of-${number}` },
  ...{ deny: '0.0.0.0/0.0.0.0', permit: '0.0.0.0/0.0.0.0', findmefollow_enabled: '', voicemail_enable: '' },
  ...more,
});

const did = (number: string, more: Record<string, string> = {}): Record<string, string> => ({
  ...{ cidnum: '', extension: number, destination: '', privacyman: '0', ringing: '', description: '' },
  ...more,
});

describe('import freepbx-csv', () => {
  it('makes users of extensions and numbers of DIDs, which lead to them', async () => {
    const extensions = file('extensions.csv', [
      extension('1001', {
        ...{ name: 'Ann Öz', outboundcid: '"Acme" <5551234567>', ringtimer: '25', allow: 'ulaw&alaw' },
        ...{ voicemail: 'default', voicemail_enable: 'yes', voicemail_vmpwd: '4711', max_contacts: '3' },
        ...{ voicemail_email: 'ann@acme.example', noanswer_dest: 'ext-local,vmu1001,1' },
        ...{ recording_in_external: 'force', recording_out_external: 'force', concurrency_limit: '2' },
        ...{ recording_in_internal: 'force', recording_out_internal: 'force', webrtc: 'yes' },
      }),
      extension('1002', { noanswer_dest: 'from-did-direct,1001,1' }),
    ]);
    const dids = file('dids.csv', [
      did('5551234567', { destination: 'from-did-direct,1001,1', description: 'Main' }),
      did('15551234568', { destination: 'app-blackhole,busy,1' }),
      did('+442071838750', { destination: 'ext-local,vmb1001,1' }),
    ]);
    const argv = `import freepbx-csv ${extensions} ${dids} --tenant acme --trunk main --yes --json`;
    const ended = await box.ok(argv);
    expect(ended.json()).toMatchObject({ warnings: [], data: { count: { create: 5 }, notTakenOver: [] } });
    expect(ended.stdout).not.toMatch(/pw-of|4711/);
    const { data } = (await box.ok('user show 1001 --tenant acme --reveal --json')).json();
    expect((data as { user: object }).user).toMatchObject({
      ...{ extension: '1001', displayName: 'Ann Öz', password: 'pw-of-1001', callerId: '+15551234567' },
      ...{ ringTime: 25, codecs: ['ulaw', 'alaw'], voicemail: true, voicemailPin: '4711', maxContacts: 3 },
      ...{ email: 'ann@acme.example', unanswered: 'voicemail:1001', record: true, maxCalls: 2 },
      ...{ template: 'webrtc_user', dtmf: 'rfc4733' },
    });
    const numbers = (await box.ok('number list --tenant acme --json')).json().data as { numbers: object[] };
    expect(numbers.numbers).toMatchObject([
      { number: '+15551234567', trunk: 'main', destination: 'user:1001', label: 'Main' },
      { number: '+15551234568', trunk: 'main', destination: 'hangup:busy' },
      { number: '+442071838750', trunk: 'main', destination: 'voicemail:1001' },
    ]);
    const again = await box.ok(argv.replace('--yes', '--check'));
    expect(again.json().data).toMatchObject({ changes: [], unchanged: 5 });
  });

  it('tells what it has no place for, and refuses it where that is asked for', async () => {
    const extensions = file('extensions.csv', [
      extension('1001', { findmefollow_enabled: 'yes', allow: 'ulaw&xyz9', outboundcid: 'hidden' }),
      extension('1002', { tech: 'iax2', findmefollow_enabled: 'yes' }),
      extension('1003', { noanswer_dest: 'ext-queues,400,1', recording_in_external: 'force' }),
    ]);
    const dids = file('dids.csv', [
      did('', { destination: 'from-did-direct,1001,1' }),
      did('5551234567', { destination: 'ivr-3,s,1' }),
      did('5551234567', { cidnum: '5559999999', destination: 'from-did-direct,1001,1' }),
    ]);
    const argv = `import freepbx-csv ${extensions} ${dids} --tenant acme --yes --json`;
    const strict = await box.sipctl(`${argv} --strict`);
    expect([strict.code, strict.json().errors.length]).toEqual([3, 9]);
    const ended = await box.ok(argv);
    const told = (ended.json().warnings as { field: string; place: { line: number } }[]).map(
      ({ field, place }) => `${field} ${place.line}`,
    );
    expect(told).toEqual([
      ...['outboundcid 2', 'allow 2', 'tech 3', 'noanswer_dest 4', 'recording_in_external 4'],
      ...['findmefollow_enabled 2', 'extension 2', 'destination 3', 'cidnum 4'],
    ]);
    expect(ended.json().data).toMatchObject({ count: { create: 3 } });
  });

  it('complains of what is wrong, of all of it, and imports nothing then', async () => {
    const extensions = file('extensions.csv', [
      extension('1001', { secret: '', max_contacts: '500' }),
      extension('10 01'),
      extension('1003', { voicemail_enable: 'yes', voicemail_vmpwd: '1', voicemail_email: 'x' }),
    ]);
    const dids = file('dids.csv', [did('555'), did('5551234567', { destination: 'from-did-direct,1009,1' })]);
    const ended = await box.sipctl(`import freepbx-csv ${extensions} ${dids} --tenant acme --yes --json`);
    expect(ended.code).toBe(3);
    expect(
      ended
        .json()
        .errors.map(({ field, place }) => `${field} ${place?.line}`)
        .sort(),
    ).toEqual([
      ...['destination 3', 'email 4', 'extension 3', 'maxContacts 2', 'number 2', 'password 2'],
      'voicemailPin 4',
    ]);
    expect((await box.ok('user list --tenant acme --json')).json().data).toMatchObject({ count: 0 });
    await box.ok(
      `import freepbx-csv ${file('e.csv', [extension('1001', { secret: '' })])} --tenant acme --yes --generate-passwords`,
    );
  });

  it('takes no other table for one of FreePBX', async () => {
    const path = file('other.csv', [{ username: 'ann', extension: '1001' }]);
    const ended = await box.sipctl(`import freepbx-csv ${path} --tenant acme`);
    expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining('sipctl import csv')]);
  });
});

describe('numbers as lists have them', () => {
  it.each([
    ['US', '5551234567', '+15551234567'],
    ['US', '1 (555) 123-4567', '+15551234567'],
    ['US', '011 44 20 7183 8750', '+442071838750'],
    ['DE', '030 1234567', '+49301234567'],
    ['DE', '0044 20 7183 8750', '+442071838750'],
    ['DE', '49301234567', '+49301234567'],
    ['DE', '+1 555 123 4567', '+15551234567'],
    ['DE', '301234567', null],
    ['US', '911', null],
    ['US', '', null],
    ['US', 'anonymous', null],
  ])('%s: %s is %s', (country, text, number) => {
    expect(toE164(text, numberingPlan(country))).toBe(number);
  });

  it.each([
    ['from-did-direct,1001,1', 'user:1001'],
    ['ext-findmefollow,FM1001,1', 'user:1001'],
    ['ext-local,vms1001,1', 'voicemail:1001'],
    ['app-blackhole,hangup,1', 'hangup'],
    ['app-blackhole,zapateller,1', null],
    ['ext-group,600,1', null],
  ])('%s leads to %s', (text, destination) => {
    expect(destinationOfFreePbx(text)).toBe(destination);
  });
});
