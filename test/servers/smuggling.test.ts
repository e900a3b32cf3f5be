import fs from 'node:fs';
import path from 'node:path';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';
import { type Root, roots } from './roots.ts';
import { freePort, startPostfix, surroundings } from './running.ts';
import { MAIL_SERVICES, outpour } from './smtp-session.ts';

// A second message is hidden behind a bare line feed, a dot and a bare line feed; or a client talks out of
// turn. How many messages the server takes is held against what the rules say of the same settings.

const CHUNKING = 'smtpd_discard_ehlo_keywords=chunking';
const AT_DATA = 'smtpd_data_restrictions=reject_unauth_pipelining';

/** Overrides of one smtpd each. Words that a release does not know are left out there. */
const SETTINGS: readonly (readonly string[])[] = [
  [],
  ...['no', 'yes', 'normalize', 'note', 'reject'].map((word) => [`smtpd_forbid_bare_newline=${word}`]),
  ['smtpd_forbid_bare_newline=normalize', 'smtpd_forbid_bare_newline_exclusions=static:all'],
  ...['yes', 'no'].flatMap((word) => [
    ['smtpd_forbid_bare_newline=no', `smtpd_forbid_unauth_pipelining=${word}`],
    ['smtpd_forbid_bare_newline=no', `smtpd_forbid_unauth_pipelining=${word}`, AT_DATA],
    ['smtpd_forbid_bare_newline=no', `smtpd_forbid_unauth_pipelining=${word}`, CHUNKING],
    ['smtpd_forbid_bare_newline=no', `smtpd_forbid_unauth_pipelining=${word}`, AT_DATA, CHUNKING],
  ]),
  [
    'smtpd_forbid_bare_newline=no',
    'smtpd_forbid_unauth_pipelining=no',
    CHUNKING,
    'smtpd_recipient_restrictions=reject_unauth_pipelining,reject_unauth_destination',
  ],
  [
    'smtpd_forbid_bare_newline=no',
    'smtpd_forbid_unauth_pipelining=no',
    CHUNKING,
    'smtpd_data_restrictions=warn_if_reject,reject_unauth_pipelining',
  ],
  [
    'smtpd_forbid_bare_newline=no',
    'smtpd_forbid_unauth_pipelining=no',
    CHUNKING,
    'smtpd_data_restrictions=permit,reject_unauth_pipelining',
  ],
];

const EHLO = 'EHLO client.example.com\r\n';
const MAIL = 'MAIL FROM:<user@example.com>\r\n';
const RCPT = 'RCPT TO:<someone@mail.example.org>\r\n';
const TEXT = 'Subject: test\r\n\r\ntext\r\n';
const SECOND = `${TEXT}.\r\nQUIT\r\n`;

/** Messages that a server has queued. */
function queued(answers: string): number {
  return answers.match(/queued as/g)?.length ?? 0;
}

/** True where a second message gets through behind a bare line feed, by DATA or by BDAT. */
async function smuggles(port: number): Promise<boolean> {
  const inside = 'Subject: first\r\n\r\ntext\n.\n';
  const byData = await outpour(port, [
    EHLO,
    MAIL,
    RCPT,
    'DATA\r\n',
    `${inside}${MAIL}${RCPT}DATA\r\n${SECOND}`,
  ]);
  const bdat = `BDAT ${TEXT.length} LAST\r\n${TEXT}QUIT\r\n`;
  const byBdat = await outpour(port, [
    EHLO,
    MAIL,
    RCPT,
    'DATA\r\n',
    `${inside}${MAIL}${RCPT}${bdat}.\r\nQUIT\r\n`,
  ]);
  return queued(byData) > 1 || queued(byBdat) > 1;
}

/** True where mail is taken of a client that does not wait for the answer to EHLO, or to DATA. */
async function takesUnasked(port: number): Promise<boolean> {
  const afterEhlo = await outpour(port, [`${EHLO}${MAIL}${RCPT}DATA\r\n${SECOND}`]);
  const afterData = await outpour(port, [EHLO, MAIL, RCPT, `DATA\r\n${SECOND}`]);
  return queued(afterEhlo) > 0 || queued(afterData) > 0;
}

function findings(root: Root, main: string, overrides: readonly string[]): Record<string, boolean> {
  const lines = overrides.map((override) => `  -o ${override}\n`).join('');
  const host = hostFromTexts(
    { 'main.cf': main, 'master.cf': `smtp inet n - n - - smtpd\n${lines}` },
    { postfix: root.postfix },
  );
  const only = new Set(['postfix/smuggling', 'postfix/unauth-pipelining']);
  const found = evaluate(host, BUILTIN_RULES, builtinProfile('strict'), { only }).map(({ rule }) => rule);
  return {
    smuggles: found.includes('postfix/smuggling'),
    takesUnasked: found.includes('postfix/unauth-pipelining'),
  };
}

function isKnown(root: Root, main: string, overrides: readonly string[]): boolean {
  const { postfix } = hostFromTexts({ 'main.cf': main }, { postfix: root.postfix });
  return overrides.every((override) => {
    const [name = '', value = ''] = override.split('=');
    const parameter = postfix?.configuration.parameter(name);
    if (parameter === null || parameter === undefined) return false;
    return parameter.type !== 'enum' || parameter.values.includes(value);
  });
}

test.each(roots().map((root) => ({ name: `Postfix ${root.postfix}`, root })))(
  '$name takes the messages that the rules say it takes',
  async ({ root }) => {
    const folder = `/tmp/pfharden-smuggling-${process.pid}`;
    const outside = path.join(root.path, folder);
    fs.mkdirSync(outside, { recursive: true });
    const judged = ['compatibility_level = 2', 'mynetworks = 192.0.2.0/24', ''].join('\n');
    const main = {
      ...surroundings(root, folder),
      mydestination: 'mail.example.org',
      local_recipient_maps: '',
      local_transport: 'discard:',
    };
    const cases = SETTINGS.filter((overrides) => isKnown(root, judged, overrides));
    const ports: number[] = [];
    const services: string[] = [];
    for (const overrides of cases) {
      const port = await freePort();
      ports.push(port);
      services.push(
        `127.0.0.1:${port} inet n - n - - smtpd`,
        ...overrides.map((override) => `  -o ${override}`),
      );
    }
    const settings = Object.entries(main).map(([name, value]) => `${name} = ${value}`);
    fs.writeFileSync(path.join(outside, 'main.cf'), `${judged}${settings.join('\n')}\n`);
    fs.writeFileSync(path.join(outside, 'master.cf'), `${[...services, ...MAIL_SERVICES].join('\n')}\n`);
    const postfix = await startPostfix(root, folder, ports);
    try {
      const met: unknown[] = [];
      for (const [index, overrides] of cases.entries()) {
        const port = ports[index] ?? 0;
        met.push({
          overrides,
          smuggles: await smuggles(port),
          takesUnasked: await takesUnasked(port),
        });
      }
      const predicted = cases.map((overrides) => ({ overrides, ...findings(root, judged, overrides) }));
      console.log(`Postfix ${root.postfix}: ${cases.length} settings`);
      expect(met).toEqual(predicted);
      // The dialogue itself shows both: without them the comparison would prove nothing.
      expect(met).toContainEqual(expect.objectContaining({ smuggles: true, takesUnasked: true }));
      expect(met).toContainEqual(expect.objectContaining({ smuggles: false, takesUnasked: false }));
    } finally {
      await postfix.stop();
    }
  },
);
