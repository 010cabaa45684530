import { execFile } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { fileSystem } from '../../src/files/operations.ts';
import { intercept } from '../support/kill/intercept.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach, settings, shown } from './attached.ts';
import { tool } from './caches.ts';

const run = promisify(execFile);
const ann = 'ann@acme.sip.example';

describeAsterisk('an Asterisk that is not there', ({ start }) => {
  let asterisk: AsteriskInstance;
  let box: Sandbox;
  let pid: number;

  beforeAll(async () => {
    asterisk = await start();
    pid = asterisk.pid;
    box = await attach(asterisk);
    await box.ok('tenant add acme --domain acme.sip.example');
    await box.ok('user add ann --tenant acme --extension 1001 --display-name Ann --generate-password');
    expect((await box.apply()).code).toBe(0);
  });

  const current = (): Promise<string> => readlink(join(asterisk.etc, 'sipctl/current'));
  const callerId = async () => (await shown(asterisk)).endpoint.get(ann)?.Callerid;
  const named = (name: string) => box.ok(`user set ann --tenant acme --display-name ${name}`);
  const isPending = async () => (await box.sipctl('plan --detailed-exitcode')).code === 2;

  async function end(signal: NodeJS.Signals): Promise<void> {
    process.kill(pid, signal);
    await expect.poll(() => isAlive(pid), { timeout: 20_000, interval: 20 }).toBe(false);
  }

  // With its own address, ports and files, as after a reboot.
  async function startAgain(): Promise<void> {
    const options = ['-v', asterisk.major, '-w', String(process.pid), '-t', '1800'];
    const { stdout } = await run(tool('asterisk-up'), [...options, dirname(asterisk.etc)], {
      timeout: 90_000,
    });
    ({ pid } = JSON.parse(stdout) as { pid: number });
  }

  beforeEach(async () => {
    if (!isAlive(pid)) await startAgain();
    await named('Ann');
    expect((await box.apply()).code).toBe(0);
  });

  it('is left as it is where it was stopped before', async () => {
    await named('Beth');
    const generation = await current();
    await end('SIGTERM');
    const ended = await box.sipctl('apply --yes --json');
    expect(ended.code, ended.stdout).toBe(7);
    expect(ended.json()).toMatchObject({ ok: false, changed: false });
    expect(await current()).toBe(generation);
    await startAgain();
    expect(await callerId()).toBe('"Ann" <1001>');
    expect((await box.apply()).code).toBe(0);
    expect(await callerId()).toBe('"Beth" <1001>');
  });

  it('is left as it is where it hangs', async () => {
    await named('Beth');
    const generation = await current();
    process.kill(pid, 'SIGSTOP');
    try {
      const ended = await box.sipctl('apply --yes --json', { env: { SIPCTL_CONNECT_TIMEOUT: '1' } });
      expect(ended.code, ended.stdout).toBe(7);
      expect(await current()).toBe(generation);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await box.apply()).code).toBe(0);
  });

  /** The reload is asked of a process that stands still, and then is gone. */
  const killedInReload = intercept(fileSystem, async (call, proceed) => {
    const done = await proceed();
    if (call.name === 'rename' && call.path === join(asterisk.etc, 'sipctl/current') && isAlive(pid)) {
      process.kill(pid, 'SIGSTOP');
      setTimeout(() => process.kill(pid, 'SIGKILL'), 300);
    }
    return done;
  });

  it('gets its old files back where it dies in the reload, and the next apply makes up for it', async () => {
    const [before, generation] = [await settings(asterisk), await current()];
    await named('Cora');
    const ended = await box.sipctl('apply --yes --json', { fileOperations: killedInReload });
    expect(ended.code, ended.stdout).toBe(9);
    expect(ended.json()).toMatchObject({ ok: false, changed: false });
    expect(
      ended
        .json()
        .errors.map(({ message }) => message)
        .join(),
    ).toMatch(/connection|closed|answer/);
    expect(await current()).toBe(generation);
    expect(await isPending()).toBe(true);
    expect((await box.sipctl('apply --yes')).code).toBe(7);
    await startAgain();
    expect(await settings(asterisk)).toEqual(before);
    expect((await box.apply()).code).toBe(0);
    expect(await callerId()).toBe('"Cora" <1001>');
  });

  it('is asked again what it runs after such a death, also where nothing is left to change', async () => {
    await named('Dora');
    expect((await box.sipctl('apply --yes', { fileOperations: killedInReload })).code).toBe(9);
    await named('Ann');
    await startAgain();
    const plan = (await box.ok('plan --json')).json().data as { nodes: { unverified: boolean }[] };
    expect(plan.nodes[0]?.unverified).toBe(true);
    expect((await box.apply()).code).toBe(0);
    expect(await callerId()).toBe('"Ann" <1001>');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
