import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as nouns from '../../src/model/nouns.ts';
import type { BulkUser } from '../../src/store/bulk.ts';
import { sshMissing, startSshd } from '../live/sshd.ts';
import { type BenchResult, elapsed, median } from './result.ts';
import { emptySite, users } from './site.ts';

const nodes = 50;

/** Fifty folders behind one sshd of this machine, against one of them: plan and apply of one changed user. */
export async function benchNodes(): Promise<BenchResult[]> {
  if (sshMissing !== null) return [];
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  const server = await startSshd();
  try {
    const store = await emptySite(dir);
    await store.addUsers(few());
    for (let at = 0; at < nodes; at++) {
      const folder = join(dir, `pbx${at}`);
      mkdirSync(folder);
      const node = { kind: 'asterisk', dir: folder, ssh: server.login, sshConfig: server.config };
      await store.write((writer) => writer.add(nouns.node, { tenant: null, name: `pbx${at}` }, node));
    }
    store.close();
    await sipctl(dir, 'apply', '--yes');
    const one: number[] = [];
    const all: number[] = [];
    for (let round = 0; round < 3; round++) {
      await rename(dir, `One ${round}`);
      one.push(await elapsed(() => sipctl(dir, 'apply', '--yes', '--node', 'pbx0')));
      await rename(dir, `All ${round}`);
      all.push(await elapsed(() => sipctl(dir, 'apply', '--yes', '--concurrency', '8')));
    }
    return [
      {
        name: `apply of one changed user on ${nodes} nodes over ssh, against one node`,
        value: median(all) / median(one),
        unit: 'x',
        target: { atMost: 25 },
        note: `${Math.round(median(all))} ms against ${Math.round(median(one))} ms; the sshd shares the cores`,
      },
    ];
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Five tenants of a hundred users. */
function* few(): Generator<BulkUser> {
  let count = 0;
  for (const user of users()) {
    if (count++ === 500) return;
    yield user;
  }
}

const rename = (dir: string, name: string): Promise<void> =>
  sipctl(dir, 'user', 'set', 'u1', '--tenant', 't0000', '--display-name', name);

// The server runs in this process's turn too: a command that was waited for in silence would wait for it.
function sipctl(dir: string, ...args: string[]): Promise<void> {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const settings = {
    SIPCTL_DB: join(dir, 'site.db'),
    SIPCTL_KEY_FILE: join(dir, 'key'),
    XDG_CONFIG_HOME: dir,
  };
  const child = spawn(process.execPath, [join('bin', 'sipctl.cjs'), ...args], {
    env: { ...env, ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) =>
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`sipctl ${args.join(' ')} ended with ${code}`)),
    ),
  );
}
