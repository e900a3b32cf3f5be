import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { violations } from './support/architecture.ts';

const src = path.join(import.meta.dirname, '..', 'src');

function sourceFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    files.set(name.split(path.sep).join('/'), readFileSync(path.join(src, name), 'utf8'));
  }
  return files;
}

test('imports in src/ run downhill and only the outer folders touch the outside world', () => {
  const files = sourceFiles();
  expect(files.size).toBeGreaterThan(0);
  expect(violations(files)).toEqual([]);
});

describe('the check allows', () => {
  test.each([
    ['a lower floor', 'model/host.ts', "import { x } from '../text/source.ts';"],
    ['the ground from the top', 'cli/main.ts', "import { x } from '../text/source.ts';"],
    ['the own folder', 'postfix/services.ts', "import { x } from './syntax/tree.ts';"],
    ['a folder of the own folder', 'postfix/syntax/tree.ts', "import { x } from '../services.ts';"],
    ['probe to read what rules may', 'probe/probe.ts', "import type { Host } from '../hosts/find.ts';"],
    ['build to import a high floor', 'build/docs.ts', "import { x } from '../reports/text.ts';"],
    [
      'build to read what the command line is',
      'build/man.ts',
      "import { OPTIONS } from '../cli/options.ts';",
    ],
    ['data outside src/', 'cli/main.ts', "import about from '../../package.json';"],
    ['the built-in rules in rules/', 'rules/load.ts', "import { rules } from 'virtual:builtin-rules';"],
    ['packages', 'fix/diff.ts', "import { createPatch } from 'diff';"],
    ['files in hosts/', 'hosts/find.ts', "import fs from 'node:fs';"],
    ['files in the writer of fix/', 'fix/write.ts', "import { rename } from 'node:fs/promises';"],
    [
      'an import in a comment',
      'text/a.ts',
      "// import { x } from '../cli/main.ts';\n/* import('node:fs') */",
    ],
    ['a comment mark in a string', 'text/a.ts', "const a = '/*'; const b = 'process.env'; const c = '*/';"],
    [
      'a word that only looks alike',
      'text/a.ts',
      'const subprocess = { x: 1 }; subprocess.x; row.process.name;',
    ],
    ['a date that is given', 'text/a.ts', 'new Date(0); new Date(text);'],
  ])('%s', (_, file, text) => {
    expect(violations(new Map([[file, text]]))).toEqual([]);
  });
});

describe('the check refuses', () => {
  test.each([
    ['a higher floor', 'text/a.ts', "import { x } from '../model/host.ts';", 'text never imports model'],
    ['a type', 'model/a.ts', "import type { T } from '../tls/a.ts';", 'model never imports tls'],
    ['an inline type', 'model/a.ts', "let x: import('../tls/a.ts').T;", 'model never imports tls'],
    ['a re-export', 'tls/a.ts', "export * from '../hosts/a.ts';", 'tls never imports hosts'],
    ['many lines', 'tls/a.ts', "import {\n  a,\n  b,\n} from '../rules/a.ts';", 'tls never imports rules'],
    ['a bare import', 'fix/a.ts', "import '../reports/a.ts';", 'fix never imports reports'],
    ['a dynamic import', 'rules/a.ts', "await import('../fix/a.ts');", 'rules never imports fix'],
    [
      'Postfix in Dovecot',
      'dovecot/a.ts',
      "import { x } from '../postfix/a.ts';",
      'dovecot never imports postfix',
    ],
    [
      'Dovecot in Postfix',
      'postfix/b/a.ts',
      "import { x } from '../../dovecot/a.ts';",
      'postfix never imports dovecot',
    ],
    ['rules in probe', 'probe/a.ts', "import { x } from '../rules/a.ts';", 'probe never imports rules'],
    ['probe in rules', 'rules/a.ts', "import { x } from '../probe/a.ts';", 'rules never imports probe'],
    ['reports in logs', 'logs/a.ts', "import { x } from '../reports/a.ts';", 'logs never imports reports'],
    [
      'the command line in build',
      'build/a.ts',
      "import { x } from '../cli/main.ts';",
      'build never imports cli',
    ],
    ['build anywhere', 'cli/a.ts', "import { x } from '../build/docs.ts';", 'nothing imports build'],
    [
      'built-in rules below rules',
      'hosts/a.ts',
      "import { r } from 'virtual:builtin-rules';",
      'hosts never imports rules',
    ],
    ['tests', 'cli/a.ts', "import { x } from '../../test/support/a.ts';", 'stands on no floor'],
    ['an unknown folder', 'misc/a.ts', '', 'stands on no floor'],
    ['a file beside the folders', 'index.ts', '', 'stands on no floor'],
    ['the file system', 'text/a.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    ['the file system without node:', 'text/a.ts', "import fs from 'fs';", 'outside world: fs'],
    ['its promises', 'fix/merge.ts', "import fs from 'node:fs/promises';", 'node:fs/promises'],
    ['its types', 'logs/a.ts', "import type { Stats } from 'node:fs';", 'node:fs'],
    ['a search for files', 'rules/a.ts', "import glob from 'fast-glob';", 'fast-glob'],
    ['child processes', 'postfix/a.ts', "const c = require('node:child_process');", 'node:child_process'],
    ['sockets', 'tls/a.ts', "import { connect } from 'node:net';", 'node:net'],
    ['TLS', 'tls/a.ts', "import { connect } from 'node:tls';", 'node:tls'],
    ['the machine', 'reports/a.ts', "import { EOL } from 'node:os';", 'node:os'],
    ['the environment', 'reports/a.ts', 'if (process.env.NO_COLOR) f();', 'touches process'],
    ['the environment in a template', 'reports/a.ts', 'const x = `a ${process.cwd()} b`;', 'touches process'],
    ['a renamed process', 'reports/a.ts', 'const { env } = process;', 'touches process'],
    ['code after an odd expression', 'text/a.ts', "const r = /['/*]/; process.exit(1);", 'touches process'],
    ['the clock', 'reports/a.ts', 'const now = new Date();', 'the clock'],
    ['the time', 'reports/a.ts', 'const now = Date.now();', 'the clock'],
    ['a request', 'rules/a.ts', "await fetch('https://example.org');", 'the network'],
  ])('%s', (_, file, text, problem) => {
    expect(violations(new Map([[file, text]]))).toEqual([
      { file, problem: expect.stringContaining(problem) },
    ]);
  });
});
