import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, shippedShape } from './freeswitch-site.ts';

interface Found {
  object: string;
  differs: string[];
}

describeFreeswitch('drift of a running FreeSWITCH', (start) => {
  let freeswitch: FreeswitchInstance;
  let box: Sandbox;

  beforeAll(async () => {
    freeswitch = await start(shippedShape);
    box = await attach(freeswitch);
    await box.ok('tenant add acme --domain acme.example --country US');
    await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
    await box.ok('user add bob --tenant acme --extension 1002 --generate-password');
    await box.ok(
      'trunk add carrier --tenant acme --provider custom_ip --host 127.0.0.9 --networks 127.0.0.9',
    );
    expect((await box.apply()).code).toBe(0);
  }, 90_000);

  beforeEach(async () => {
    expect(await apart()).toEqual([]);
  });

  // One test that fails is not to fail the next ones.
  afterEach(() => box.sipctl('drift revert --yes'));

  async function api(command: string): Promise<string> {
    const esl = await connectTo(freeswitch);
    try {
      return await esl.api(command);
    } finally {
      await esl.close();
    }
  }

  function storeFile(name: string): string {
    const index = readFileSync(join(freeswitch.conf, 'sipctl/current', `${name}.xml`), 'utf8');
    const [path = ''] = new RegExp(`store/acme/${name}\\.[0-9a-f]+\\.xml`).exec(index) ?? [];
    expect(path).not.toBe('');
    return join(freeswitch.conf, 'sipctl', path);
  }

  function edit(name: string, from: RegExp, to: string): void {
    const text = readFileSync(storeFile(name), 'utf8');
    expect(text).toMatch(from);
    writeFileSync(storeFile(name), text.replace(from, to));
  }

  async function apart(): Promise<string[]> {
    const ended = await box.sipctl('drift --check --json');
    const [drift] = (ended.json().data as { nodes: { findings: Found[]; errors: object[] }[] }).nodes;
    expect(drift?.errors).toEqual([]);
    return (drift?.findings ?? [])
      .filter(({ object }) => !object.startsWith('file '))
      .map(({ object, differs }) => `${object}: ${differs.join('+')}`);
  }

  async function reverts(): Promise<void> {
    const ended = await box.sipctl('drift revert --yes --json');
    expect(ended.code, ended.stdout).toBe(0);
    expect(ended.json()).toMatchObject({ changed: true, data: { nodes: [{ outcome: 'verified' }] } });
    await box.ok('plan --detailed-exitcode');
    expect(await apart()).toEqual([]);
  }

  it('is found and reverted where a user was edited, before and after it is in force', async () => {
    edit('directory', /(effective_caller_id_name" value=")[^"]*/, '$1Mallory');
    expect(await apart()).toEqual(['user ann: files']);
    await api('reloadxml');
    expect(await apart()).toEqual(['user ann: files+running']);
    await reverts();
  });

  it('is found and reverted where a gateway was ended by hand', async () => {
    await api('sofia profile external killgw acme.carrier');
    await expect.poll(apart, { timeout: 20_000 }).toEqual(['trunk carrier: running']);
    await reverts();
  });

  it('is found and reverted where a gateway was edited, and made anew from that', async () => {
    edit('gateways', /(name="(?:realm|proxy)" value=")127\.0\.0\.9/g, '$1127.0.0.8');
    await api('sofia profile external killgw acme.carrier');
    await expect
      .poll(() => api('sofia xmlstatus gateway acme.carrier'), { timeout: 20_000 })
      .toContain('Invalid');
    await api('sofia profile external rescan');
    expect(await apart()).toEqual(['trunk carrier: files+running']);
    await reverts();
    expect(await api('sofia xmlstatus gateway acme.carrier')).toContain('127.0.0.9');
  });

  it('is found and reverted where a file is gone, or is no XML any more', async () => {
    const file = storeFile('directory');
    unlinkSync(file);
    expect((await box.sipctl('drift --check')).stdout).toContain('is gone');
    await api('reloadxml');
    await reverts();
    writeFileSync(file, '<include><domain name="');
    expect((await box.sipctl('drift --check')).stdout).toContain('was edited by hand');
    await reverts();
  });

  it('is adopted', async () => {
    edit(
      'gateways',
      /(name="ping" value=")[^"]*|(<gateway name="acme\.carrier">\n)/,
      '$2      <param name="retry-seconds" value="77"/>\n',
    );
    edit('directory', /(effective_caller_id_name" value=")[^"]*/, '$1Ann Öz');
    const ended = await box.sipctl('drift adopt --yes --apply');
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
    expect(ended.stdout + ended.stderr).toMatch(/user ann\n +displayName: \(not set\) → Ann Öz/);
    expect(ended.stdout).toMatch(/trunk carrier\n +options: .*retry-seconds=77/);
    expect(await apart()).toEqual([]);
    expect(readFileSync(storeFile('gateways'), 'utf8')).toContain('"retry-seconds" value="77"');
  });
});
