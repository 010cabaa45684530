/**
 * node test/node-version.mjs MAJOR [FILTER...]: the whole suite on another major version of Node. Copies the files that git
 * knows, and new ones that it does not ignore, to a temporary folder, takes Node from the npm registry, installs the
 * packages with it, so that native code is built for it, and runs `npm test` there. Its exit code is that of the suite.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, ...filters] = process.argv.slice(2);
const usageCode = 64;
/** What npm's package `node` fetches by a script, which npm may be set up not to run. Has the headers to compile with, too. */
const nodePackage = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

if (!/^\d+$/.test(major ?? '')) {
  process.stderr.write('usage: node test/node-version.mjs MAJOR [FILTER...]\n');
  process.exit(usageCode);
}

const folder = mkdtempSync(join(tmpdir(), `sipctl-node${major}-`));
// Some tests run Node as another user, who must be able to reach it.
chmodSync(folder, 0o755);
let running;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => running?.kill(signal));

/** Runs a program to its end and answers its exit code. A signal to this process goes to it, which ends its own children. */
function run(program, args, cwd, env) {
  return new Promise((resolve, reject) => {
    running = spawn(program, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
    running.on('error', reject);
    running.on('close', (code) => resolve(code ?? 1));
  });
}

function copyTree(destination) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const path of listed.toString().split('\0')) {
    // A file that was removed is listed until that is committed.
    if (!path || !existsSync(join(root, path))) continue;
    // Where this is a link, as in a second work tree, packages would be built for this Node in the place it leads to.
    if (path === 'node_modules') throw new Error('git lists node_modules, which must stay out of the copy');
    mkdirSync(dirname(join(destination, path)), { recursive: true });
    cpSync(join(root, path), join(destination, path), { verbatimSymlinks: true });
  }
}

async function main() {
  const prefix = join(folder, 'node');
  mkdirSync(prefix);
  // npm would take the folder above for the project, were there no package here.
  const install = ['install', '--prefix', prefix, '--no-audit', '--no-fund', `${nodePackage}@${major}`];
  if ((await run('npm', install, prefix, process.env)) !== 0)
    throw new Error(`Node ${major} could not be installed`);
  const bin = join(prefix, 'node_modules', nodePackage, 'bin');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const found = execFileSync('node', ['--version'], { env }).toString().trim();
  if (!found.startsWith(`v${major}.`)) throw new Error(`wanted Node ${major}, got ${found}`);
  // Headers of another Node, which this machine may be set up to compile with, do not fit.
  delete env.npm_config_nodedir;
  process.stdout.write(`── Node ${found}\n`);

  const copy = join(folder, 'sipctl');
  copyTree(copy);
  return run('node', [join(copy, 'test', 'run.mjs'), ...filters], copy, env);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
