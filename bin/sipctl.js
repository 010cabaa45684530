#!/usr/bin/env node
// Answers what needs no parser at once; everything else is in dist/, made by `npm run build`.
import { existsSync, readFileSync } from 'node:fs';
import nodeModule from 'node:module';

const argv = process.argv.slice(2);
const dist = new URL('../dist/', import.meta.url);
const only = argv.length === 1 ? argv[0] : '';

if (!existsSync(new URL('main.js', dist))) {
  process.stderr.write('sipctl is not built yet\n  hint: npm run build\n');
  process.exitCode = 1;
} else if (only === '--version' || only === '-V') {
  process.stdout.write(readFileSync(new URL('version.txt', dist), 'utf8'));
} else if (argv.length === 0 || only === '--help' || only === '-h') {
  process.stdout.write(readFileSync(new URL('help.txt', dist), 'utf8'));
} else {
  nodeModule.enableCompileCache?.();
  const { main } = await import(new URL('main.js', dist).href);
  process.exitCode = await main(argv, readFileSync(new URL('version.txt', dist), 'utf8').trim());
}
