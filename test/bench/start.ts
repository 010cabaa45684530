import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchResult, interleaved } from './result.ts';

const rounds = 15;

/** Starts of the built CLI against a bare `node -e 0`, in turn. */
export async function benchStart(): Promise<BenchResult[]> {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const env = { ...inherited, SIPCTL_DB: join(dir, 'site.db'), XDG_CONFIG_HOME: join(dir, 'config') };
  const node = (...args: string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, args, { env });
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  };
  const sipctl = (...args: string[]): void => node(join('bin', 'sipctl.cjs'), ...args);
  try {
    sipctl('init');
    for (let at = 0; at < 10; at++)
      sipctl('user', 'add', `u${at}`, '--extension', String(100 + at), '--generate-password');
    const took = await interleaved(
      {
        bare: () => node('-e', '0'),
        version: () => sipctl('--version'),
        help: () => sipctl('--help'),
        list: () => sipctl('user', 'list'),
      },
      rounds,
    );
    const against = (name: 'version' | 'help' | 'list', label: string, atMost: number): BenchResult => ({
      name: `sipctl ${label}`,
      value: took[name] / took.bare,
      unit: 'x',
      target: { atMost },
      note: `${Math.round(took[name])} ms against ${Math.round(took.bare)} ms of bare node`,
    });
    return [
      against('version', '--version', 1.3),
      against('help', '--help', 1.8),
      against('list', 'user list, 10 rows', 2.5),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
