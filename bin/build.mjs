// Builds dist/: the bundle, the heavy packages beside it, the compiled templates, and the texts that are
// answered without loading any of it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Packages that few commands need: each is a file of its own, read when it is asked for. */
const heavy = [
  'chalk',
  'csv-parse/sync',
  'diff',
  'handlebars',
  'inquirer',
  'libphonenumber-js/max',
  'ora',
  'ws',
  'yaml',
  'zod',
];

/** `libphonenumber-js/max` is a part of its package. */
const fileOf = (name) => name.split('/')[0];

// What `import x from` means to the main bundle: the default export of a bundled ES module is the module itself.
const defaultIsAll = 'module.exports = Object.assign(module.exports.default, module.exports);';
const defaultImported = ['inquirer', 'ora'];

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // Code that was compiled ahead has lost how to import: what is imported late is required instead.
  supported: { 'dynamic-import': false },
  minify: true,
  define: { 'import.meta.url': '__bundleUrl' },
  banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
};

const heavyApart = {
  name: 'heavy-packages-apart',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${heavy.join('|')})$`) }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: `./vendor/${fileOf(path)}.cjs`, external: true },
    );
  },
};

/** Packages that are read from node_modules: they are larger than what a bundle saves. */
const leftApart = ['livekit-server-sdk', 'pg', 'twilio'];

// The released package renders with templates that were compiled here; from its sources it compiles them itself.
const compiledTemplates = {
  name: 'compiled-templates',
  setup({ onLoad }) {
    onLoad({ filter: /asterisk\/render\/shipped\.ts$/ }, async () => {
      const catalog = JSON.parse(readFileSync(join(dist, 'catalog.json'), 'utf8'));
      let contents = '';
      await withSource('src/platforms/asterisk/render/precompile.ts', ({ precompileShipped }) => {
        contents = precompileShipped(catalog, join(root, 'templates', 'asterisk'));
      });
      return { contents, loader: 'js' };
    });
  },
};

// Only the machine code of better-sqlite3 stays with its package: looking for it, and its own dozen of files, takes time.
const databaseAddon = 'better-sqlite3/build/Release/better_sqlite3.node';
const addonByName = {
  name: 'addon-by-name',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bindings$/ }, ({ path }) => ({ path, namespace: 'addon' }));
    onLoad({ filter: /.*/, namespace: 'addon' }, () => ({
      contents: `module.exports = () => require('${databaseAddon}');`,
    }));
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
copyFileSync(join(root, 'bin', 'load.cjs'), join(dist, 'load.cjs'));
writeFileSync(join(dist, 'version.txt'), `${version}\n`);
await withSource('src/catalog/compile.ts', async ({ compileShipped }) => {
  writeFileSync(join(dist, 'catalog.json'), JSON.stringify(await compileShipped(join(root, 'templates'))));
});
await Promise.all([
  build({
    ...common,
    entryPoints: ['src/main.ts', 'src/render-thread.ts'],
    outdir: dist,
    outExtension: { '.js': '.cjs' },
    external: [databaseAddon, ...leftApart],
    plugins: [heavyApart, compiledTemplates, addonByName],
  }),
  bundlePackages(heavy.filter((name) => !defaultImported.includes(name))),
  bundlePackages(defaultImported, { footer: { js: defaultIsAll } }),
]);
await withSource('src/commands/parse.ts', async ({ firstHelp }) => {
  writeFileSync(join(dist, 'help.txt'), await firstHelp(version));
});
compileBundle();

function bundlePackages(names, more = {}) {
  const outdir = join(dist, 'vendor');
  const entryPoints = names.map((name) => ({ in: name, out: fileOf(name) }));
  return build({ ...common, ...more, entryPoints, outdir, outExtension: { '.js': '.cjs' } });
}

/** Runs a function of the sources themselves: what is built says what the sources say. */
async function withSource(entry, use) {
  const outfile = join(dist, `.build-${basename(entry)}.mjs`);
  await build({
    ...common,
    format: 'esm',
    define: {},
    supported: {},
    banner: {},
    minify: false,
    entryPoints: [entry],
    outfile,
    packages: 'external',
  });
  try {
    await use(await import(pathToFileURL(outfile).href));
  } finally {
    rmSync(outfile, { force: true });
  }
}

/** Lets V8 compile what common commands run, in a process of its own. A build without it only starts slower. */
function compileBundle() {
  const program = `
    const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
    const { tmpdir } = require('node:os');
    const { join } = require('node:path');
    const { compiledFile, load } = require('./load.cjs');
    const { exports, script } = load(process.cwd());
    const site = mkdtempSync(join(tmpdir(), 'sipctl-build-'));
    const pbx = join(site, 'pbx');
    process.env.XDG_CONFIG_HOME = site;
    mkdirSync(pbx);
    const run = (...argv) => exports.main([...argv, '--db', join(site, 'site.db'), '--json'], '0');
    const all = async () => {
      await run('init');
      await run('node', 'add', 'pbx', '--kind', 'asterisk', '--dir', pbx);
      for (const extension of ['1001', '1002']) {
        await run('user', 'add', 'u' + extension, '--extension', extension, '--generate-password');
        await run('user', 'list');
        await run('apply', '--yes');
      }
      writeFileSync(compiledFile, script.createCachedData());
    };
    all().finally(() => rmSync(site, { force: true, recursive: true }));`;
  const { status } = spawnSync(process.execPath, ['-e', program], {
    cwd: dist,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0 || !existsSync(join(dist, 'main.v8')))
    process.stderr.write('the bundle could not be compiled ahead: sipctl will start slower\n');
}
