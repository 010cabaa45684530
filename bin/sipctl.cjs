#!/usr/bin/env node
'use strict';
// Answers what needs no parser at once; everything else is in dist/, made by `npm run build`.
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const argv = process.argv.slice(2);
const dist = join(__dirname, '..', 'dist');
const only = argv.length === 1 ? argv[0] : '';

// A reader that has gone away is no failure; what cannot be written for another reason is one.
const print = (text) => {
  process.stdout.on('error', ({ code }) => {
    if (code === 'EPIPE') return;
    process.stderr.write(`error: standard output cannot be written: ${code}\n`);
    process.exitCode = 1;
  });
  process.stdout.write(text);
};

if (!existsSync(join(dist, 'main.cjs'))) {
  process.stderr.write('sipctl is not built yet\n  hint: npm run build\n');
  process.exitCode = 1;
} else if (only === '--version' || only === '-V') {
  print(readFileSync(join(dist, 'version.txt')));
} else if (argv.length === 0 || only === '--help' || only === '-h') {
  print(readFileSync(join(dist, 'help.txt')));
} else {
  const { load } = require('../dist/load.cjs');
  const version = readFileSync(join(dist, 'version.txt'), 'utf8').trim();
  load(dist)
    .exports.main(argv, version)
    .then((code) => {
      process.exitCode = code;
    });
}
