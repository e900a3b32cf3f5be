/**
 * Real servers write their logs while clients of many kinds talk to them, and what pfharden reads in the logs
 * is held against what the clients saw.
 *
 * PFHARDEN_RECORD=1 writes the lines with the counts to test/recorded/logs/, for test/logs/recorded.test.ts.
 */
import fs from 'node:fs';
import path from 'node:path';
import { read, sorted, withoutReasons } from '../support/log.ts';
import { dovecotTraffic } from './log-dovecot.ts';
import { postfixTraffic } from './log-postfix.ts';
import type { Logged } from './log-traffic.ts';
import { type Root, roots } from './roots.ts';

const full = process.env.PFHARDEN_FULL !== undefined;
/** The oldest release and the newest; with --full all four. */
const chosen = (): readonly Root[] =>
  roots().filter((_, index, { length }) => full || index === 0 || index === length - 1);

const recorded = path.join(import.meta.dirname, '..', 'recorded', 'logs');

/** Records the lines with what the other ends saw. */
function record(name: string, { log, traffic }: Logged): void {
  if (process.env.PFHARDEN_RECORD === undefined) return;
  // The start of a server names folders of this machine, and other programs say nothing of sessions.
  const lines = log
    .split('\n')
    .filter((line) => /(?:smtpd|smtp|tlsproxy|postscreen|-login)(?:\[|:)/.test(line));
  fs.mkdirSync(recorded, { recursive: true });
  fs.writeFileSync(path.join(recorded, `${name}.txt`), `${lines.join('\n')}\n`);
  fs.writeFileSync(path.join(recorded, `${name}.json`), `${JSON.stringify(traffic, null, 2)}\n`);
}

describe.each(chosen().map((root) => ({ name: root.release, root })))('$name', ({ root }) => {
  test('Postfix logs what the other ends see', async () => {
    const logged = await postfixTraffic(root);
    expect(sorted(read(logged.log))).toEqual(logged.traffic);
    record(`postfix-${root.postfix}`, logged);
  });

  test.each([
    ['by itself', false],
    ['with the suite in its format', true],
  ])('Dovecot logs what its clients see, %s', async (_, suites) => {
    const logged = await dovecotTraffic(root, suites);
    expect(withoutReasons(sorted(read(logged.log)))).toEqual(withoutReasons(logged.traffic));
    record(`dovecot-${root.dovecot}${suites ? '-suites' : ''}`, logged);
  });
});
