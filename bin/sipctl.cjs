#!/usr/bin/env node
'use strict';
// Answers what needs no parser at once; everything else is in dist/, made by `npm run build`.
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const argv = process.argv.slice(2);
const dist = join(__dirname, '..', 'dist');
const only = argv.length === 1 ? argv[0] : '';

if (!existsSync(join(dist, 'main.cjs'))) {
  process.stderr.write('sipctl is not built yet\n  hint: npm run build\n');
  process.exitCode = 1;
} else if (only === '--version' || only === '-V') {
  process.stdout.write(readFileSync(join(dist, 'version.txt')));
} else if (argv.length === 0 || only === '--help' || only === '-h') {
  process.stdout.write(readFileSync(join(dist, 'help.txt')));
} else {
  const { load } = require('../dist/load.cjs');
  const version = readFileSync(join(dist, 'version.txt'), 'utf8').trim();
  load(dist)
    .exports.main(argv, version)
    .then((code) => {
      process.exitCode = code;
    });
}
