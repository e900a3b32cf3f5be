// Queries of docs/logs-at-scale.md: what they count is what a reading counts, but for what they cannot see.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type PartialDocument, partialDocument, readPartial } from '../../src/logs/partial.ts';
import { Sum } from '../../src/logs/sum.ts';
import { readCounts } from '../support/log.ts';
import { ANSWERS, type Answers, guideBlock, LOGS, seenByQueries } from '../support/log-queries.ts';

const names = Object.keys(LOGS);
const own = (name: string): PartialDocument => seenByQueries(readCounts(LOGS[name] ?? ''));
const asked = (lines: string): PartialDocument => partialDocument(readPartial(lines));

describe('ClickHouse', () => {
  const { query, lines } = JSON.parse(fs.readFileSync(ANSWERS, 'utf8')) as Answers;

  test('was asked what the guide says, see test/servers/log-queries.test.ts', () => {
    expect(guideBlock('SELECT')).toBe(query);
    expect(Object.keys(lines).sort()).toEqual([...names].sort());
  });

  test.each(names)('%s', (name) => {
    const counted = asked((lines[name] ?? []).join('\n'));
    expect(counted).toEqual(own(name));
    expect(counted.rows.length).toBeGreaterThan(1);
  });
});

/** The scripts need it, and few machines of people who ask databases are without. */
const hasJq = process.env.CI === 'true' || spawnSync('jq', ['--version']).error === undefined;
if (!hasJq && process.env.CI !== 'true')
  console.log('No jq on this machine: the scripts of docs/logs-at-scale.md are not run.');

(hasJq ? describe : describe.skip).each([
  ['Loki', '# loki.sh', { LOKI_ADDR: 'http://127.0.0.1:3100' }],
  ['Elasticsearch', '# elastic.sh', { ELASTIC: 'http://127.0.0.1:9200' }],
])('%s, as far as a stand-in for it tells', (_, block, env) => {
  let folder = '';
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-scripts-'));
    const standIn = path.join(__dirname, '..', 'support', 'database-curl.mjs');
    fs.writeFileSync(path.join(folder, 'curl'), `#!/bin/sh\nexec "${process.execPath}" "${standIn}" "$@"\n`, {
      mode: 0o755,
    });
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** What the script of the guide prints for a day of a log. */
  function answer(day: string, log: string): string {
    fs.writeFileSync(path.join(folder, 'mail.log'), log, 'latin1');
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', guideBlock(block), 'script', day], {
      encoding: 'utf8',
      env: {
        ...process.env,
        ...env,
        PATH: `${folder}:${process.env.PATH}`,
        PFHARDEN_LOG: path.join(folder, 'mail.log'),
      },
    });
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  }

  test('logs of real servers', () => {
    const sum = new Sum();
    const logs = names.filter((name) => name !== 'made').map((name) => LOGS[name] ?? '');
    for (const log of logs) sum.add(readCounts(log));
    expect(asked(answer('2026-11-26', logs.join('')))).toEqual(seenByQueries(sum.counts()));
  });

  test('a day of several', () => {
    const log = LOGS.made ?? '';
    // One on which somebody logged in in the clear, which servers refused to those who were recorded.
    const [, day = ''] = /^(\S{10})T.* auth=1 quit/m.exec(log) ?? [];
    const lines = log.split('\n').filter((line) => line.startsWith(day));
    const counted = asked(answer(day, log));
    expect(counted).toEqual(seenByQueries(readCounts(`${lines.join('\n')}\n`)));
    expect(counted.days).toEqual([day]);
  });
});
