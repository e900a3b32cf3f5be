#!/usr/bin/env node
// The start of dist/pfharden.js: loads the bundle with the code that was compiled when it was built, which
// takes half the time of compiling it again. (Node 22 has module.enableCompileCache for this.)
'use strict';
const { closeSync, fstatSync, openSync, readSync } = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const loaded = {};

// Gives what a file of the program exports.
function load(name) {
  if (loaded[name] !== undefined) return loaded[name];
  const file = path.join(__dirname, name);
  const { text, cachedData } = read(file);
  const script = new Script(text, { filename: file, cachedData });
  const program = { exports: {} };
  script.runInThisContext()(program.exports, require, program, file, __dirname, load);
  loaded[name] = program.exports;
  return program.exports;
}

// Reads a file and its compiled code into the same memory: to get more of it takes as long as to read.
function read(file) {
  const source = openSync(file);
  let cache;
  try {
    cache = openSync(`${file}.cache`);
  } catch {
    // V8 compiles it all the same.
  }
  const sizes = [source, cache].map((opened) => (opened === undefined ? 0 : fstatSync(opened).size));
  const memory = Buffer.allocUnsafeSlow(Math.max(...sizes));
  const next = (opened, size) => {
    let length = 0;
    for (let more = -1; length < size && more !== 0; length += more)
      more = readSync(opened, memory, length, size - length, null);
    closeSync(opened);
    return length;
  };
  const text = memory.latin1Slice(0, next(source, sizes[0]));
  return { text, cachedData: cache === undefined ? cache : memory.subarray(0, next(cache, sizes[1])) };
}

const program = load('main.js');
module.exports = program;
// All output is written by now. A Node that ends by itself takes its heap apart first, which costs more than most rules.
if (require.main === module) program.main(process.argv.slice(2)).then(() => process.exit());
