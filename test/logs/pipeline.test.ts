// What admins count with in place of this: it holds for lines of RFC 3164 and peers that have names.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { interleaved, read } from '../support/log.ts';

const PIPELINE = String.raw`egrep "TLS connection established from.*with cipher" | grep -v "unknown\[" | awk '{printf("%s %s %s %s\n", $12, $13, $14, $15)}' | sort | uniq -c | sort -n`;

function byPipeline(log: string): Record<string, number> {
  const { stdout } = spawnSync('sh', ['-c', PIPELINE], { input: log, encoding: 'latin1' });
  return Object.fromEntries(
    [...stdout.matchAll(/^ *(\d+) (.*)$/gm)].map(([, sessions, suite]) => [suite ?? '', Number(sessions)]),
  );
}

function byReading(log: string): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const { direction, protocol, cipher, sessions } of read(log).sessions) {
    if (direction !== 'in' || protocol === null) continue;
    const suite = `${protocol} with cipher ${cipher}`;
    counted[suite] = (counted[suite] ?? 0) + sessions;
  }
  return counted;
}

test('a generated log', () => {
  const sessions = fc.sample(interleaved, { seed: 7, numRuns: 200 }).flat();
  const log = sessions.map((line) => `${line.replaceAll('unknown[', 'c.example[')}\n`).join('');
  const expected = byPipeline(log);
  expect(Object.keys(expected)).toHaveLength(2);
  expect(byReading(log)).toEqual(expected);
});

const folder = path.join(__dirname, '..', 'recorded', 'logs');
test.each(fs.readdirSync(folder).filter((name) => /^postfix.*\.txt$/.test(name)))('%s', (name) => {
  const log = fs.readFileSync(path.join(folder, name), 'latin1').replaceAll('unknown[', 'mail.example.net[');
  // postscreen(8) and tlsproxy(8) look up no names, and stand one field further to the left for nobody.
  const expected = byPipeline(log);
  expect(Object.keys(expected).length).toBeGreaterThan(4);
  expect(byReading(log)).toEqual(expected);
});
