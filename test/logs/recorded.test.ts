// Lines that real servers wrote, see test/servers/logs.test.ts, with the counts that their clients made.
import fs from 'node:fs';
import path from 'node:path';
import { read, readInParts, sorted, type Traffic, withoutReasons } from '../support/log.ts';

const folder = path.join(__dirname, '..', 'recorded', 'logs');
const names = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => name.slice(0, -4));

describe.each(names)('%s', (name) => {
  const shown = (seen: Traffic): Traffic =>
    name.startsWith('dovecot') ? withoutReasons(sorted(seen)) : sorted(seen);
  const log = fs.readFileSync(path.join(folder, `${name}.txt`), 'latin1');
  const traffic = JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8')) as Traffic;
  const expected = shown(traffic);

  test('counts as its clients do', () => {
    expect(shown(read(log))).toEqual(expected);
  });

  test('counts the same in parts, wherever it is cut', () => {
    const lines = log.split(/(?<=\n)/);
    for (let at = 1; at < lines.length; at += 7) {
      const parts = [lines.slice(0, at).join(''), lines.slice(at).join('')];
      expect(shown(readInParts(parts))).toEqual(expected);
    }
  });

  test('counts the same in other forms', () => {
    // Each line as rsyslog sends it on, and dated as its newer files are.
    expect(shown(read(log.replaceAll(/^(?=.)/gm, '<22>')))).toEqual(expected);
    const dated = log.replaceAll(/^(\w{3}) (.\d) (\S+)/gm, '2026-11-26T$3.123456+00:00');
    expect(shown(read(dated))).toEqual(expected);
  });
});
