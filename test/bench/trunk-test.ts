import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { Store } from '../../src/store/store.ts';
import { kamailioAvailable, startKamailio } from '../live/kamailio.ts';
import type { BenchResult } from './result.ts';

const trunks = 1000;
const name = (at: number): string => `u${at}`;
const password = (at: number): string => `secret-of-${at}`;

interface Run {
  wallMs: number;
  /** Peak resident memory of the process, in MB. */
  peak: number;
  /** Milliseconds of every OPTIONS and REGISTER together, as each of them waited. */
  waitedMs: number;
  passed: number;
}

/** A thousand trunks with accounts of their own, tested in one process against a real Kamailio. */
export async function benchTrunkTest(): Promise<BenchResult[]> {
  const missing = kamailioAvailable();
  if (missing !== null) throw new Error(`Kamailio is not there: ${missing}`);
  const users = Array.from({ length: trunks }, (_, at) => ({ name: name(at), password: password(at) }));
  const kamailio = await startKamailio({ users });
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  try {
    await addTrunks(dir, kamailio.host, kamailio.port);
    const alone = await test(dir, 1);
    const together = await test(dir, 50);
    return [
      {
        name: `${trunks} trunks tested, 50 at a time, against the sum of their round trips`,
        value: together.wallMs / alone.waitedMs,
        unit: 'x',
        note: `${Math.round(together.wallMs)} ms; one at a time ${Math.round(alone.wallMs)} ms, of which round trips ${alone.waitedMs} ms; ${together.passed} passed`,
      },
      { name: 'its peak memory', value: together.peak, unit: 'MB', target: { atMost: 150 } },
      { name: 'trunks that passed', value: together.passed, unit: 'trunks', target: { atLeast: trunks } },
    ];
  } finally {
    await kamailio.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function addTrunks(dir: string, host: string, port: number): Promise<void> {
  const store = await Store.open({
    file: join(dir, 'site.db'),
    keyFile: join(dir, 'key'),
    actor: 'bench',
    now: () => new Date(),
    create: true,
  });
  await store.write(async (writer) => {
    for (let at = 0; at < trunks; at++) {
      const values = {
        ...{ provider: 'custom_credential', host, port },
        ...{ username: name(at), password: new Secret(password(at)) },
      };
      await writer.add(nouns.trunk, { tenant: 'default', name: `trunk${at}` }, values);
    }
  });
  store.close();
}

// Kamailio logs into a pipe of this process, which must go on reading: so this waits for the child without blocking.
async function test(dir: string, concurrency: number): Promise<Run> {
  const script = `
    const { load } = require(process.argv[1] + '/dist/load.cjs');
    const argv = ['trunk', 'test', '--all', '--json', '--concurrency', process.argv[2]];
    load(process.argv[1] + '/dist').exports.main(argv, '0').then((code) => {
      process.stderr.write(JSON.stringify({ peak: process.resourceUsage().maxRSS / 1024 }));
      process.exitCode = code;
    });`;
  const { NODE_EXTRA_CA_CERTS: _, ...quiet } = process.env;
  const env = {
    ...quiet,
    SIPCTL_DB: join(dir, 'site.db'),
    SIPCTL_KEY_FILE: join(dir, 'key'),
    XDG_CONFIG_HOME: dir,
  };
  const start = performance.now();
  const child = spawn(process.execPath, ['-e', script, process.cwd(), String(concurrency)], { env });
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  await new Promise((resolve) => child.once('close', resolve));
  const wallMs = performance.now() - start;
  const { data } = JSON.parse(stdout()) as {
    data: { trunks: { status: string; stages: { stage: string; ms: number }[] }[] };
  };
  const waiting = data.trunks.flatMap(({ stages }) =>
    stages.filter(({ stage }) => stage === 'options' || stage === 'register').map(({ ms }) => ms),
  );
  return {
    wallMs,
    peak: (JSON.parse(stderr()) as { peak: number }).peak,
    waitedMs: waiting.reduce((sum, ms) => sum + ms, 0),
    passed: data.trunks.filter(({ status }) => status === 'ok').length,
  };
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return () => text;
}
