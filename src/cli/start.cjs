#!/usr/bin/env node
// The start of dist/pfharden.js: loads the bundle with the code that was compiled when it was built, which
// takes half the time of compiling it again. (Node 22 has module.enableCompileCache for this.)
'use strict';
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const loaded = {};

// Gives what a file of the program exports.
function load(name) {
  if (loaded[name] !== undefined) return loaded[name];
  const file = path.join(__dirname, name);
  let cachedData;
  try {
    cachedData = readFileSync(`${file}.cache`);
  } catch {
    // V8 compiles it all the same.
  }
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData });
  const program = { exports: {} };
  script.runInThisContext()(program.exports, require, program, file, __dirname, load);
  loaded[name] = program.exports;
  return program.exports;
}

const program = load('main.js');
module.exports = program;
// All output is written by now. A Node that ends by itself takes its heap apart first, which costs more than most rules.
if (require.main === module) program.main(process.argv.slice(2)).then(() => process.exit());
