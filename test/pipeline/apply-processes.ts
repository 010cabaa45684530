import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { compileShipped } from '../../src/catalog/compile.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Bundles `apply-child.ts` into a folder, laid out like the released package: the compiled templates beside the
 * bundle, the shapes of the files one folder up. Names the script.
 */
export async function bundleApply(folder: string): Promise<string> {
  const dist = join(folder, 'dist');
  mkdirSync(dist);
  symlinkSync(join(root, 'templates'), join(folder, 'templates'));
  writeFileSync(join(dist, 'catalog.json'), JSON.stringify(await compileShipped(join(root, 'templates'))));
  const outfile = join(dist, 'apply-child.mjs');
  const { resolve } = createRequire(import.meta.url);
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
    plugins: [
      {
        name: 'native-module-where-it-is',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^better-sqlite3$/ }, ({ path }) => ({ path: resolve(path), external: true })),
      },
    ],
    logLevel: 'error',
  });
  return outfile;
}
