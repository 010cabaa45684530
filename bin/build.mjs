// Builds dist/: the bundle, the compiled templates, and the texts that are answered without loading it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // The native module cannot be bundled.
  external: ['better-sqlite3'],
  // Bundled CommonJS packages ask for node's own modules by require.
  banner: {
    js: "import { createRequire as __require } from 'node:module'; const require = __require(import.meta.url);",
  },
  logLevel: 'warning',
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await build({
  ...common,
  entryPoints: { main: 'src/main.ts' },
  outdir: dist,
  splitting: true,
  minify: true,
  keepNames: true,
  sourcemap: false,
  chunkNames: '[name]-[hash]',
});

writeFileSync(join(dist, 'version.txt'), `${version}\n`);
await withSource('src/catalog/compile.ts', async ({ compileShipped }) => {
  writeFileSync(join(dist, 'catalog.json'), JSON.stringify(await compileShipped(join(root, 'templates'))));
});
await withSource('src/commands/parse.ts', async ({ firstHelp }) => {
  writeFileSync(join(dist, 'help.txt'), await firstHelp(version));
});

/** Runs a function of the sources themselves: what is built says what the sources say. */
async function withSource(entry, use) {
  const outfile = join(dist, `.build-${Date.now()}.mjs`);
  await build({ ...common, entryPoints: [entry], outfile, packages: 'external' });
  try {
    await use(await import(pathToFileURL(outfile).href));
  } finally {
    rmSync(outfile, { force: true });
  }
}
