/**
 * npm test [-- FILTER...]: installs what is missing, builds, checks types and style, and runs every test. Ends with one
 * line of counts, `N passed, N failed, N skipped`; exit code 1 when anything failed, or when no test ran.
 *
 * FILTERs go to vitest (parts of file names, or its flags such as `-t NAME`); type check and lint are then left out.
 * SIPCTL_TEST_DEADLINE: seconds after which everything is ended (default 2400).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const filters = process.argv.slice(2);
const deadline = Number(process.env.SIPCTL_TEST_DEADLINE || 2400);
const interruptedCode = 130;

const colours = process.stdout.isTTY ? {} : { NO_COLOR: '1' };

const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const running = new Set();
let ended = '';

const say = (line) => process.stdout.write(`${line}\n`);

/** Runs a program in a process group of its own, so that all it starts can be ended with it; answers its exit code. */
function run(program, args, env = {}) {
  if (ended) return Promise.resolve(1);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...colours, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    running.add(child);
    child.on('error', (error) => say(`${program}: ${error.message}`));
    child.on('close', (code) => {
      running.delete(child);
      resolve(ended ? 1 : (code ?? 1));
    });
  });
}

const node = (...args) => run(process.execPath, args);

function signalAll(signal) {
  for (const { pid } of running) {
    try {
      process.kill(-pid, signal);
    } catch {
      // It ended by itself in between.
    }
  }
}

/** Ends what runs: first politely, then for certain. The steps that are left do not start any more. */
function end(why) {
  if (ended) return signalAll('SIGKILL');
  ended = why;
  say(`\n${why}: ending what runs`);
  signalAll('SIGTERM');
  setTimeout(() => signalAll('SIGKILL'), 5000).unref();
}

/** One step that counts as one test. */
async function check(name, work) {
  say(`\n── ${name}`);
  const code = await work();
  counts[code === 0 ? 'passed' : 'failed'] += 1;
  if (code !== 0) failures.push(name);
  return code === 0;
}

/** Packages of the lock file that are not there in that version. Optional ones are for other machines, mostly. */
function missingPackages() {
  const packagesOf = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  const wanted = packagesOf('package-lock.json');
  const installed = existsSync(join(root, 'node_modules/.package-lock.json'))
    ? packagesOf('node_modules/.package-lock.json')
    : {};
  return Object.keys(wanted).filter(
    (path) => path && !wanted[path].optional && installed[path]?.version !== wanted[path].version,
  );
}

/** better-sqlite3 holds machine code, which fits one major version of Node and may be missing after a broken install. */
const nativeCodeFits = async () =>
  (await run(process.execPath, [
    '-e',
    "try { new (require('better-sqlite3'))(':memory:') } catch { process.exit(1) }",
  ])) === 0;

/** Headers of this very Node, where they were installed with it: then nothing needs to be downloaded to compile with. */
function compilerEnv() {
  const prefix = join(dirname(process.execPath), '..');
  const own = process.env.npm_config_nodedir || !existsSync(join(prefix, 'include/node/node_version.h'));
  return own ? {} : { npm_config_nodedir: prefix };
}

async function install() {
  const missing = missingPackages();
  const quiet = ['--no-audit', '--no-fund'];
  if (missing.length > 0) {
    say(`── npm ci (${missing.length} packages missing; better-sqlite3 may take minutes to compile)`);
    const exact = await run('npm', ['ci', ...quiet], compilerEnv());
    // A registry that lacks packages for other machines makes npm call the lock file incomplete, and stop.
    const code = exact && (await run('npm', ['install', '--no-save', ...quiet], compilerEnv()));
    if (code !== 0) return code;
  }
  if (await nativeCodeFits()) return 0;
  say(`── npm rebuild better-sqlite3 (for Node ${process.versions.node}; may take minutes to compile)`);
  return (
    (await run('npm', ['rebuild', 'better-sqlite3', ...quiet], compilerEnv())) ||
    ((await nativeCodeFits()) ? 0 : 1)
  );
}

async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-test-'));
  const report = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await node('node_modules/vitest/vitest.mjs', 'run', ...reporters, ...filters);
    count(existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [], code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts what vitest's JSON reporter says, and lists by name what was skipped. */
function count(files, code) {
  const skipped = [];
  let failed = 0;
  for (const { name, status, assertionResults } of files) {
    const file = relative(root, name);
    for (const test of assertionResults) {
      if (test.status === 'passed') counts.passed += 1;
      else if (test.status === 'failed') failures.push(`${file}: ${test.fullName}`);
      else skipped.push(`${file}: ${test.fullName}`);
    }
    const failedTests = assertionResults.filter((test) => test.status === 'failed').length;
    // A file that cannot be loaded, or a hook that fails, is a failure without a failed test.
    const broken = status === 'failed' && failedTests === 0;
    if (broken) failures.push(`${file}: could not be run to its end`);
    failed += failedTests + (broken ? 1 : 0);
  }
  if (code !== 0 && failed === 0) {
    if (!ended) failures.push('vitest reported an error outside of any test');
    failed = 1;
  }
  counts.failed += failed;
  counts.skipped += skipped.length;
  if (skipped.length > 0) say(`\nskipped:\n${skipped.map((test) => `  ${test}`).join('\n')}`);
}

process.on('SIGINT', () => end('interrupted'));
process.on('SIGTERM', () => end('interrupted'));
const timer = setTimeout(() => end(`not done after ${deadline} s`), deadline * 1000);

if ((await install()) !== 0) {
  counts.failed += 1;
  failures.push('installation of the packages');
} else {
  const built = await check('build', () => node('bin/build.mjs'));
  if (filters.length === 0) {
    await check('type check', () => node('node_modules/typescript/bin/tsc', '--noEmit'));
    await check('lint', () => node('node_modules/@biomejs/biome/bin/biome', 'check', '.'));
  } else {
    counts.skipped += 2;
    say('\nskipped: type check and lint, as a filter is given');
  }
  if (built) {
    say('\n── tests');
    const before = counts.passed + counts.failed;
    await vitest();
    if (counts.passed + counts.failed === before) {
      counts.failed += 1;
      failures.push('no test ran');
    }
  }
}
clearTimeout(timer);
if (ended) failures.unshift(ended);

if (failures.length > 0) say(`\nfailed:\n${failures.map((name) => `  ${name}`).join('\n')}`);
say(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = ended === 'interrupted' ? interruptedCode : counts.failed > 0 ? 1 : 0;
