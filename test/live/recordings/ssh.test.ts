import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sshRecordings } from '../../../src/files/ssh-recordings.ts';
import { declareFolderCases } from '../../files/recording-folders.ts';
import { leave, wave } from '../../support/recordings.ts';
import { type Sandbox, sandbox } from '../../support/run-sipctl.ts';
import { type SshServer, sshMissing, startSshd } from '../sshd.ts';

/** Recordings on another machine: a real sshd, and a line to it that breaks. */

describe.skipIf(sshMissing !== null)(
  `recordings over SSH${sshMissing === null ? '' : `: ${sshMissing}`}`,
  () => {
    let server: SshServer;
    let dir: string;
    let count = 0;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'sipctl-remote-'));
      server = await startSshd();
    });
    afterAll(async () => {
      await server?.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    /** A folder whose name is no plain word for a shell. */
    const empty = (): string => {
      const root = join(dir, `it's $(here) ${++count}`);
      mkdirSync(join(root, 'sipctl'), { recursive: true });
      return root;
    };

    declareFolderCases(async () => {
      const root = empty();
      const options = { signal: new AbortController().signal, sshConfig: server.config };
      return { root, folder: sshRecordings(server.login, join(root, 'sipctl'), options) };
    });

    describe('recording get', () => {
      const big = wave(200, 5);
      const remote = async (login: string): Promise<{ box: Sandbox; out: string; get: string }> => {
        const box = await sandbox();
        const root = empty();
        const out = join(box.dir, 'out');
        for (const path of [out, join(box.dir, 'etc')]) mkdirSync(path);
        leave(root, 'default/2026-11-20/1.1.wav', big);
        const node = ['node', 'add', 'far', '--kind', 'asterisk', '--dir', join(box.dir, 'etc')];
        await box.ok([...node, '--recordings', root, '--recordings-ssh', login]);
        return { box, out, get: `recording get 1.1 -o ${join(out, 'x.wav')} --json` };
      };
      const env = (): { SIPCTL_SSH_CONFIG: string } => ({ SIPCTL_SSH_CONFIG: server.config });

      it('brings the file whole', async () => {
        const { box, out, get } = await remote(server.login);
        await box.ok(get, { env: env() });
        expect(readFileSync(join(out, 'x.wav')).equals(big)).toBe(true);
      });

      it('goes on where the connection was lost', async () => {
        const { box, out, get } = await remote(server.line.login);
        const before = server.line.cuts();
        server.line.cutAfter(900_000);
        await box.ok(get, { env: env() });
        expect(server.line.cuts()).toBeGreaterThan(before + 1);
        expect(readFileSync(join(out, 'x.wav')).equals(big)).toBe(true);
      });

      it('leaves no half file where the connection does not come back', async () => {
        const { box, out, get } = await remote(server.line.login);
        server.line.cutAfter(300_000, 1);
        const ended = await box.sipctl(get, { env: env() });
        server.line.cutAfter(null);
        expect({ code: ended.code, error: ended.json().errors[0]?.code }).toEqual({
          code: 7,
          error: 'ssh_failed',
        });
        expect(readdirSync(out)).toEqual([]);
      });

      it('leaves no half file where it is interrupted', async () => {
        const { box, out, get } = await remote(server.line.login);
        const abort = new AbortController();
        server.line.cutAfter(300_000);
        const ending = box.sipctl(get, { env: env(), signal: abort.signal });
        setTimeout(() => abort.abort(), 1500);
        expect((await ending).code).toBe(130);
        server.line.cutAfter(null);
        expect(readdirSync(out)).toEqual([]);
      });

      it('asks nobody for a password', async () => {
        const { box, out, get } = await remote(server.login);
        const ended = await box.sipctl(get, { env: { SIPCTL_SSH_CONFIG: server.strangerConfig } });
        expect(ended.code).toBe(7);
        expect(ended.json().errors[0]?.message).toMatch(/Permission denied/);
        expect(readdirSync(out)).toEqual([]);
      });

      it('seals, verifies and removes there, too', async () => {
        const { box } = await remote(server.login);
        const options = { env: env() };
        expect((await box.ok('recording seal', options)).stdout).toMatch(/^1 sealed/);
        expect((await box.ok('recording verify', options)).stdout).toBe('1 recordings are what they were\n');
        await box.ok('recording remove 1.1 --yes', options);
        expect((await box.ok('recording list', options)).stdout).toMatch(/^no recordings/);
      });
    });

    it('says which right is missing', async () => {
      const root = empty();
      chmodSync(join(root, 'sipctl'), 0o000);
      const options = { signal: new AbortController().signal, sshConfig: server.config };
      const list = sshRecordings(server.login, join(root, 'sipctl'), options).list('');
      if (process.getuid?.() === 0) expect(await list).toEqual([]);
      else await expect(list).rejects.toMatchObject({ outcome: 'refused' });
      chmodSync(join(root, 'sipctl'), 0o700);
    });
  },
);
