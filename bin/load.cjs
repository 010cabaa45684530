'use strict';
// Loads the bundle with what V8 had compiled of it when it was built: parsing it anew takes longer than most commands.
const { readFileSync } = require('node:fs');
const { createRequire, Module } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const compiledFile = 'main.v8';

/** The bundle's exports, and its script for the build to compile. Another version of V8 refuses the cache and parses. */
exports.load = (dist) => {
  const filename = join(dist, 'main.cjs');
  const script = new Script(Module.wrap(readFileSync(filename, 'utf8')), {
    filename,
    cachedData: compiled(dist),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(filename), module, filename, dist);
  return { exports: module.exports, script };
};

exports.compiledFile = compiledFile;

function compiled(dist) {
  try {
    return readFileSync(join(dist, compiledFile));
  } catch {
    return undefined;
  }
}
