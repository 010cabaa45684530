import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as nouns from '../../src/model/nouns.ts';
import { type BenchResult, elapsed, median } from './result.ts';
import { emptySite, tenantCount, tenantName, users } from './site.ts';

interface Run {
  ms: number;
  /** Peak resident memory of the process, in MB. */
  peak: number;
  written: number;
}

/** Of every generation: an index for each kind of file, and the manifest. */
const generationFiles = 6;

/** From the database of 100,000 users to a flipped generation, and what a small change costs after that. */
export async function benchApply(): Promise<BenchResult[]> {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  const pbx = join(dir, 'asterisk');
  mkdirSync(pbx);
  try {
    const store = await emptySite(dir);
    await store.addUsers(users());
    const node = { kind: 'asterisk', dir: pbx };
    await store.write((writer) => writer.add(nouns.node, { tenant: null, name: 'pbx1' }, node));
    store.close();
    const first = apply(dir);
    const written = await median3(() => writeAgain(pbx, join(dir, 'again')));
    const idle = apply(dir);
    const small: Run[] = [];
    const bare: number[] = [];
    for (let round = 0; round < 5; round++) {
      sipctl(dir, 'user', 'set', 'u7', '--tenant', tenantName(500), '--display-name', `Changed ${round}`);
      small.push(apply(dir));
      bare.push(await elapsed(() => spawnSync(process.execPath, ['-e', '0'], { env: quietEnv() })));
    }
    const changed = median(small.map(({ ms }) => ms));
    return [
      {
        name: `first plan + apply, 100,000 users in ${tenantCount} tenants`,
        value: first.ms / written,
        unit: 'x',
        target: { atMost: 12 },
        note: `${Math.round(first.ms)} ms against ${Math.round(written)} ms of writeFileSync of the same files`,
      },
      { name: 'its peak memory', value: first.peak, unit: 'MB', target: { atMost: 300 } },
      {
        name: 'plan + apply after one changed user',
        value: changed / median(bare),
        unit: 'x',
        target: { atMost: 5 },
        note: `${Math.round(changed)} ms against ${Math.round(median(bare))} ms of bare node`,
      },
      {
        name: 'files it writes besides the generation’s own five indexes and manifest',
        value: (small.at(-1)?.written ?? 0) - generationFiles,
        unit: 'files',
        target: { atMost: 1 },
      },
      {
        name: 'files written when nothing changed',
        value: idle.written,
        unit: 'files',
        target: { atMost: 0 },
        note: `${Math.round(idle.ms)} ms`,
      },
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function quietEnv(dir = ''): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return { ...env, SIPCTL_DB: join(dir, 'site.db'), SIPCTL_KEY_FILE: join(dir, 'key'), XDG_CONFIG_HOME: dir };
}

function sipctl(dir: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('bin', 'sipctl.cjs'), ...args], {
    env: quietEnv(dir),
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`sipctl ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout.toString();
}

// The peak is the kernel's own figure for the ended child: no sampling misses it.
function apply(dir: string): Run {
  const script = `
    const { load } = require(process.argv[1] + '/dist/load.cjs');
    load(process.argv[1] + '/dist').exports.main(['apply', '--yes', '--json'], '0').then((code) => {
      process.stderr.write(JSON.stringify({ peak: process.resourceUsage().maxRSS / 1024 }));
      process.exitCode = code;
    });`;
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script, process.cwd()], {
    env: quietEnv(dir),
    maxBuffer: 1 << 28,
  });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`apply ended with ${status}: ${stdout} ${stderr}`);
  const [node] = (JSON.parse(stdout.toString()) as { data: { nodes: { written: { files: number } }[] } }).data
    .nodes;
  return {
    ms,
    peak: (JSON.parse(stderr.toString()) as { peak: number }).peak,
    written: node?.written.files ?? -1,
  };
}

function writeAgain(pbx: string, target: string): Promise<number> {
  const store = join(pbx, 'sipctl', 'store');
  const files = readdirSync(store).flatMap((tenant) =>
    readdirSync(join(store, tenant)).map((file) => ({
      tenant,
      file,
      bytes: readFileSync(join(store, tenant, file)),
    })),
  );
  rmSync(target, { recursive: true, force: true });
  return elapsed(() => {
    for (const { tenant, file, bytes } of files) {
      mkdirSync(join(target, tenant), { recursive: true });
      writeFileSync(join(target, tenant, file), bytes);
    }
  });
}

async function median3(work: () => Promise<number>): Promise<number> {
  return median([await work(), await work(), await work()]);
}
