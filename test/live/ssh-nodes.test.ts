import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tree } from '../files/tree.ts';
import { expectAllComplete, expectOneCompleteGeneration } from '../support/kill/one-complete-generation.ts';
import { type Ended, type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { type SshServer, sshMissing, startSshd } from './sshd.ts';

/** Nodes on another machine: a real sshd, and a line to it that breaks. */

interface Outcome {
  node: string;
  outcome: string;
  generation: number;
}

const outcomes = (ended: Ended): string[] =>
  (ended.json().data as { nodes: Outcome[] }).nodes.map(({ node, outcome }) => `${node} ${outcome}`);
const codes = (ended: Ended): string[] => ended.json().errors.map(({ code }) => code);

describe.skipIf(sshMissing !== null)(`nodes over SSH${sshMissing === null ? '' : `: ${sshMissing}`}`, () => {
  let server: SshServer;
  let dir: string;
  let count = 0;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sipctl-nodes-'));
    server = await startSshd();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const folder = (): string => {
    const path = join(dir, `pbx ${++count}`);
    mkdirSync(path);
    return path;
  };
  /** A site with a user, and a node for each of these folders, by this way. */
  async function site(
    folders: readonly string[],
    login = server.login,
    config = server.config,
  ): Promise<Sandbox> {
    const box = await sandbox();
    await box.ok('user add ann --extension 1001 --generate-password');
    for (const [at, path] of folders.entries())
      await box.ok([
        ...['node', 'add', `pbx${at + 1}`, '--kind', 'asterisk', '--dir', path],
        ...['--ssh', login, '--ssh-config', config, '--labels', at === 0 ? 'first,all' : 'all'],
      ]);
    return box;
  }
  let names = 0;
  const change = async (box: Sandbox): Promise<void> =>
    void (await box.ok(['user', 'set', 'ann', '--display-name', `Ann ${++names}`]));

  it('hold what a folder of this machine would hold', async () => {
    const [far, here] = [folder(), folder()];
    const box = await site([far]);
    await box.ok(['node', 'add', 'local', '--kind', 'asterisk', '--dir', here]);
    await box.apply();
    await change(box);
    const before = server.line.begun();
    await box.apply();
    expect(server.line.begun()).toBe(before);
    const strip = async (path: string) =>
      JSON.stringify(await tree(path)).replace(/"createdAt[^,]*,|\\"createdAt\\": \\"[^"]*\\",/g, '');
    expect(await strip(far)).toBe(await strip(here));
    expect((await box.ok('drift --check')).code).toBe(0);
    expect((await box.ok('status --json')).code).toBe(0);
    expect((await box.ok('rollback pbx1 --yes --json')).json().data).toMatchObject({ generation: 1 });
  });

  it('take one connection for a run, and as many requests however much there is to deliver', async () => {
    const box = await site([folder()], server.line.login);
    const asked = async (command: string): Promise<string[]> => {
      const before = server.line.begun();
      const { stderr } = await box.ok(`${command} --debug`);
      expect(server.line.begun()).toBe(before + 1);
      return [...stderr.matchAll(/: ssh \S+: (\w+)/g)].map(([, request]) => request ?? '');
    };
    await box.ok('apply --yes');
    expect(await asked('plan')).toEqual(['look']);
    await change(box);
    for (let more = 0; more < 12; more++) {
      await box.ok(`tenant add t${more}`);
      await box.ok(`user add u${more} --tenant t${more} --extension 1001 --generate-password`);
    }
    expect(await asked('plan')).toEqual(['look', 'files']);
    expect(await asked('apply --yes')).toEqual(['look', 'files', 'seize', 'put', 'flip', 'release']);
    expect(await asked('apply --yes')).toEqual(['look']);
  });

  it('hold one complete generation wherever the line is cut, and the next apply goes on', async () => {
    const path = folder();
    const box = await site([path], server.line.login);
    await box.ok('apply --yes');
    await change(box);
    await box.ok('apply --yes');
    const whole = server.line.sent();
    const seen = new Set<string>();
    for (let at = 0; at < 14; at++) {
      await change(box);
      server.line.cutAfterSent(Math.round(whole * (0.4 + at * 0.05)));
      const ended = await box.sipctl('apply --yes --json');
      server.line.cutAfterSent(null);
      seen.add(String(ended.code));
      await expectOneCompleteGeneration(path);
      await expectAllComplete(path);
      const again = await box.sipctl('apply --yes --json');
      expect([again.code, again.stdout]).toEqual([0, again.stdout]);
      expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(0);
      expect(readdirSync(join(path, 'sipctl')).filter((name) => /tmp|lock/.test(name))).toEqual([]);
    }
    expect([...seen].sort()).toEqual(['0', '7']);
  }, 300_000);

  it('do not hide each other: one is down, one is somebody else, one is unknown', async () => {
    const folders = [folder(), folder(), folder(), folder()];
    const box = await site(folders);
    await box.ok(['node', 'set', 'pbx1', '--ssh', 'nobody@127.0.0.1:1']);
    await box.ok(['node', 'set', 'pbx2', '--ssh-config', server.changedConfig]);
    await box.ok(['node', 'set', 'pbx3', '--ssh-config', server.unknownConfig]);
    const ended = await box.sipctl('apply --yes --json');
    expect(ended.code).toBe(7);
    expect(outcomes(ended)).toEqual(['pbx4 delivered']);
    expect(codes(ended)).toEqual(['ssh_failed', 'host_key_changed', 'host_key_unknown']);
    const [, changed, unknown] = ended.json().errors;
    expect(changed?.hint).toMatch(/ssh-keygen .*-R/);
    expect(unknown?.hint).toMatch(/fingerprint/);
    expect(folders.map((path) => existsSync(join(path, 'sipctl')))).toEqual([false, false, false, true]);
    expect((await box.sipctl('apply --yes --node pbx2 --json')).code).toBe(4);
    const stranger = await site([folder()], server.login, server.strangerConfig);
    expect(codes(await stranger.sipctl('plan --json'))).toEqual(['ssh_failed']);
  });

  it('are prepared beside includes by absolute path, and told of commands that work there', async () => {
    const path = join(dir, 'absolute');
    mkdirSync(path);
    writeFileSync(join(path, 'pjsip.conf'), `#include ${path}/sipctl/current/pjsip_users.conf\n`);
    const box = await site([path]);
    const ended = await box.sipctl('node init pbx1 --write --json');
    expect(readFileSync(join(path, 'pjsip.conf'), 'utf8')).not.toContain('#include pjsip_users.conf');
    expect(ended.stdout).toContain('pjsip.conf leads to sipctl/current/pjsip_users.conf');
    writeFileSync(join(path, 'pjsip_users.conf'), '[theirs]\ntype = endpoint\n');
    writeFileSync(join(path, 'pjsip.conf'), '');
    chmodSync(join(path, 'sipctl'), 0o755);
    const told = (await box.sipctl('doctor pbx1 --json')).stdout;
    expect(told).toContain(`chmod 0750 ${path}/sipctl`);
    expect(told).toContain(`mv ${path}/pjsip_users.conf ${path}/`);
  });

  it('are not reached by what the settings run where somebody logs in', async () => {
    const config = join(dir, 'config-command');
    writeFileSync(
      config,
      `${readFileSync(server.config, 'utf8')}RemoteCommand echo hello\nRequestTTY force\n`,
    );
    const box = await site([folder()], server.login, config);
    await box.ok('apply --yes');
    await box.ok(['node', 'set', 'pbx1', '--ssh-config', join(dir, 'not there')]);
    const refused = await box.sipctl('plan --json');
    expect([refused.code, codes(refused)]).toEqual([7, ['ssh_failed']]);
    expect(refused.json().errors[0]?.hint).toContain(`-F '${join(dir, 'not there')}'`);
  });

  it('are chosen by label, and go on where a run was held back', async () => {
    const folders = Array.from({ length: 6 }, folder);
    const box = await site(folders);
    expect(outcomes(await box.ok('apply --yes --json --node @first'))).toEqual(['pbx1 delivered']);
    expect((await box.sipctl('apply --yes --node @nobody')).code).toBe(5);
    // A file in the way of the folder of its generations.
    mkdirSync(join(folders[1] ?? '', 'sipctl'));
    writeFileSync(join(folders[1] ?? '', 'sipctl/generations'), '');
    writeFileSync(join(folders[2] ?? '', 'sipctl'), '');
    const stopped = await box.sipctl('apply --yes --json --max-failures 2');
    expect([stopped.code, outcomes(stopped)]).toEqual([4, ['pbx1 unchanged']]);
    expect(stopped.json().data).toMatchObject({ notBegun: ['pbx4', 'pbx5', 'pbx6'] });
    const others = await box.sipctl('apply --yes --json --concurrency 2');
    expect([others.code, outcomes(others)]).toEqual([
      4,
      ['pbx1 unchanged', 'pbx4 delivered', 'pbx5 delivered', 'pbx6 delivered'],
    ]);
    rmSync(join(folders[1] ?? '', 'sipctl/generations'));
    rmSync(join(folders[2] ?? '', 'sipctl'));
    const resumed = await box.ok('apply --yes --json');
    expect(outcomes(resumed).filter((one) => !one.endsWith('unchanged'))).toEqual([
      'pbx2 delivered',
      'pbx3 delivered',
    ]);
  });

  it('wait for their canary', async () => {
    const box = await site([folder(), folder(), folder()]);
    const ended = await box.sipctl('apply --yes --json --canary pbx2');
    // Without a control connection nothing is verified, so it proves nothing for the others.
    expect([ended.code, outcomes(ended), codes(ended)]).toEqual([1, ['pbx2 delivered'], ['held_back']]);
    const next = await box.ok('apply --yes --json --canary pbx2');
    expect(outcomes(next)).toEqual(['pbx1 delivered', 'pbx2 unchanged', 'pbx3 delivered']);
    expect((await box.sipctl('apply --yes --node pbx1 --canary pbx3')).code).toBe(3);
  });

  const canMount = process.getuid?.() === 0 && existsSync('/proc/self/mounts');
  it.skipIf(!canMount)('take nothing in where their disk is full', async () => {
    const path = folder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path], { stdio: 'ignore' });
    } catch {
      return;
    }
    try {
      const box = await site([path]);
      await box.ok('apply --yes');
      const before = await tree(path);
      writeFileSync(join(path, 'ballast'), Buffer.alloc(150_000));
      for (let at = 0; at < 60; at++)
        await box.ok(`user add u${at} --extension 2${String(at).padStart(3, '0')} --generate-password`);
      const ended = await box.sipctl('apply --yes --json');
      expect([ended.code, codes(ended)]).toEqual([1, ['disk_full']]);
      rmSync(join(path, 'ballast'));
      expect(await tree(path)).toEqual(before);
      await box.ok('apply --yes');
      await expectOneCompleteGeneration(path);
    } finally {
      // The far shell may have it for its working folder for a moment longer.
      execFileSync('umount', ['-l', path]);
    }
  });

  it('are finished or undone where they are interrupted', async () => {
    const folders = Array.from({ length: 5 }, folder);
    const box = await site(folders);
    const abort = new AbortController();
    const ending = box.sipctl('apply --yes --json --concurrency 2', { signal: abort.signal });
    setTimeout(() => abort.abort(), 1500);
    expect([0, 130]).toContain((await ending).code);
    for (const path of folders) await expectOneCompleteGeneration(path);
    await box.apply();
    appendFileSync(join(dir, 'done'), '');
  });
});
