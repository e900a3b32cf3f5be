import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { ANSWERS, type Answers, guideBlock, LOGS, tableRows } from '../support/log-queries.ts';

/**
 * The query of docs/logs-at-scale.md, run by ClickHouse: its engine comes with the package chdb, which is half a
 * gigabyte and therefore none that this repository depends on. `npm install --no-save chdb` makes this test run;
 * PFHARDEN_RECORD=1 writes the answers for test/logs/at-scale.test.ts.
 */
const engine = ((): string | null => {
  try {
    return createRequire(__filename).resolve('chdb');
  } catch {
    console.log('No chdb on this machine: the query of docs/logs-at-scale.md is not run by ClickHouse.');
    return null;
  }
})();

/** Runs in a process of its own: the engine starts threads that would keep this one. */
const PROGRAM = `
  const { Session } = require(process.argv[1]);
  const { query, tables } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const session = new Session();
  const say = (text, format) => session.query(text, format);
  say('CREATE DATABASE logs');
  say('USE logs');
  const lines = {};
  for (const [name, file] of Object.entries(tables)) {
    say('CREATE OR REPLACE TABLE mail (time DateTime, ident String, message String) ENGINE = Memory');
    say("INSERT INTO mail FROM INFILE '" + file + "' FORMAT JSONEachRow");
    lines[name] = say(query, 'JSONEachRow').trim().split('\\n').sort();
  }
  const release = say('SELECT version()', 'TSV').trim();
  session.cleanup();
  require('fs').writeSync(1, JSON.stringify({ engine: release, query, lines }));
  process.exit(0);`;

(engine === null ? describe.skip : describe)('ClickHouse', () => {
  test('answers as it is recorded', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-clickhouse-'));
    const tables = Object.entries(LOGS).map(([name, log]) => {
      const file = path.join(folder, `${name}.ndjson`);
      fs.writeFileSync(
        file,
        tableRows(log)
          .map((row) => `${JSON.stringify(row)}\n`)
          .join(''),
      );
      return [name, file];
    });
    const input = JSON.stringify({ query: guideBlock('SELECT'), tables: Object.fromEntries(tables) });
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', PROGRAM, engine ?? ''], {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      env: { ...process.env, TZ: 'UTC' },
    });
    fs.rmSync(folder, { recursive: true });
    expect([status, stderr]).toEqual([0, '']);
    const answers = JSON.parse(stdout) as Answers;
    if (process.env.PFHARDEN_RECORD === '1')
      fs.writeFileSync(ANSWERS, `${JSON.stringify(answers, null, 1)}\n`);
    const { query, lines } = JSON.parse(fs.readFileSync(ANSWERS, 'utf8')) as Answers;
    expect({ query: answers.query, lines: answers.lines }).toEqual({ query, lines });
  });
});
