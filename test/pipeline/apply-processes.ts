import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { compileShipped } from '../../src/catalog/compile.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Bundles `apply-child.ts` into a folder, laid out like the released package: the compiled templates beside the
 * bundle, the shapes of the files one folder up. Names the script.
 */
export async function bundleApply(folder: string): Promise<string> {
  const dist = packageIn(folder);
  writeFileSync(join(dist, 'catalog.json'), JSON.stringify(await compileShipped(join(root, 'templates'))));
  const outfile = join(dist, 'apply-child.mjs');
  await build({
    entryPoints: [join(root, 'test', 'pipeline', 'apply-child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [nativeModuleWhereItIs],
    logLevel: 'error',
  });
  return outfile;
}

/** Bundles what a rendering thread runs into a folder. */
export async function bundleThread(folder: string): Promise<URL> {
  const outfile = join(packageIn(folder), 'render-thread.cjs');
  await build({
    entryPoints: [join(root, 'src', 'render-thread.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    define: { 'import.meta.url': '__bundleUrl' },
    banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    plugins: [nativeModuleWhereItIs],
    logLevel: 'error',
  });
  return pathToFileURL(outfile);
}

/** The folder of the bundles, with the shapes of the files one folder up. */
function packageIn(folder: string): string {
  symlinkSync(join(root, 'templates'), join(folder, 'templates'));
  const dist = join(folder, 'dist');
  mkdirSync(dist);
  return dist;
}

const nativeModuleWhereItIs: Plugin = {
  name: 'native-module-where-it-is',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^better-sqlite3$/ }, ({ path }) => ({
      path: createRequire(import.meta.url).resolve(path),
      external: true,
    })),
};
