// Required first by a Node process: at its end, writes the files it loaded as code to SIPCTL_TEST_LOADED, as JSON.
const { writeFileSync } = require('node:fs');
const { Module } = require('node:module');

const loaded = new Set();
const load = Module._load;
const resolve = Module._resolveFilename;

// Of CommonJS and of machine code; the built command has no ES modules but those that Node hands to `_load` too.
Module._load = function (request, parent, ...rest) {
  const file = resolve.call(this, request, parent);
  if (file.startsWith('/') || /^[A-Z]:\\/.test(file)) loaded.add(file);
  return load.call(this, request, parent, ...rest);
};

process.on('exit', () => {
  loaded.delete(process.argv[1]);
  writeFileSync(process.env.SIPCTL_TEST_LOADED, JSON.stringify([...loaded]));
});
