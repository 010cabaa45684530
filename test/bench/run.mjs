/**
 * npm run bench [-- [--json] [NAME...]]: measures. Bundles every file of this folder that exports `bench…` functions, runs
 * each function in a process of its own, and prints name, value, target and whether it was met. NAMEs are parts of file
 * or function names; all must occur. Exit code 1 when a target was missed or a bench failed, 64 for nothing to run.
 */
import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
// As deep below the root as dist/ is, so that packages and templates are found from here as from there.
const bundles = join(root, '.cache');
const minutes = 60_000;

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});

/** TypeScript is bundled for the benches as it is for users; packages stay where they are, as native ones must. */
async function bundle() {
  const sources = (await readdir(here)).filter((name) => name.endsWith('.ts') && name !== 'result.ts').sort();
  await build({
    entryPoints: sources.map((name) => join(here, name)),
    outdir: bundles,
    entryNames: `${process.pid}-[name]`,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    loader: { '.hbs': 'text' },
    logLevel: 'error',
  });
  return sources.map((name) => join(bundles, `${process.pid}-${name.replace(/\.ts$/, '.mjs')}`));
}

/** Answers [file, function] pairs, of all or of those that the NAMEs choose. */
async function benches(files) {
  const all = [];
  for (const file of files) {
    const exported = Object.keys(await import(pathToFileURL(file).href));
    for (const name of exported) if (name.startsWith('bench')) all.push([file, name]);
  }
  return all.filter(([file, name]) =>
    wanted.every((part) => `${basename(file, '.mjs').replace(/^\d+-/, '')} ${name}`.includes(part)),
  );
}

const child = `
  const [file, name] = process.argv.slice(1);
  const results = await (await import(file))[name]();
  process.send([results].flat(), () => process.exit(0));
`;

/** Runs one bench alone, so that neither its memory nor its compiled code colours the next one. */
function measure(file, name) {
  // Reading extra certificates costs every start of Node 20 some 100 ms, which is not sipctl's to answer for.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const args = ['--expose-gc', '--input-type=module', '-e', child, pathToFileURL(file).href, name];
    const running = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
      timeout: 15 * minutes,
      killSignal: 'SIGKILL',
    });
    let results;
    running.on('message', (message) => {
      results = message;
    });
    running.on('error', reject);
    running.on('close', (code, signal) =>
      results && code === 0
        ? resolve(results)
        : reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}`)),
    );
  });
}

const isMet = ({ value, target }) =>
  !target || ('atMost' in target ? value <= target.atMost : value >= target.atLeast);

const digits = (value) =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);

function row(result) {
  const { name, value, unit, target, note = '' } = result;
  const bound = target ? ('atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`) : '';
  return [name, `${digits(value)} ${unit}`, bound, target ? (isMet(result) ? 'met' : 'MISSED') : '', note];
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === 1 ? cell.padStart(widths[1]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

let files = [];
try {
  files = await bundle();
  const chosen = await benches(files);
  const results = [];
  const failures = [];
  for (const [file, name] of chosen) {
    process.stderr.write(`${name} …\n`);
    try {
      results.push(...(await measure(file, name)));
    } catch (error) {
      failures.push(error.message);
    }
  }
  if (flags.json) {
    const { version, platform, arch } = process;
    const measured = results.map((result) => ({ ...result, met: isMet(result) }));
    process.stdout.write(
      `${JSON.stringify({ node: version, platform, arch, results: measured, failures })}\n`,
    );
  } else if (results.length > 0) {
    const rows = table([['bench', 'value', 'target', 'met', 'note'], ...results.map(row)]);
    process.stdout.write(`${rows.join('\n')}\n`);
  }
  for (const failure of failures) process.stderr.write(`failed: ${failure}\n`);
  if (chosen.length === 0) process.stderr.write(`no bench named ${wanted.join(' ')}\n`);
  process.exitCode = chosen.length === 0 ? 64 : failures.length > 0 || !results.every(isMet) ? 1 : 0;
} finally {
  for (const file of files) await rm(file, { force: true });
}
