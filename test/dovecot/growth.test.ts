import { dovecot } from '../support/dovecot.ts';

const SIZE = 40_000;
/** Far more than any of them takes; what grows with the square of the size took minutes. */
const MOST_MILLISECONDS = 20_000;
const VERSION = 'dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n';
const ip = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;

/** Pieces of large configurations, by the number of the piece. */
const PIECES: readonly (readonly [what: string, piece: (i: number) => string])[] = [
  ['unknown settings in sections', (i) => `passdb x${i} {\nfoo${i % 7} = x\n}\n`],
  ['addresses', (i) => `local ${ip(i)} {\nmail_debug = yes\n}\n`],
  ['networks', (i) => `local ${ip(i)}/31 {\nmail_debug = yes\n}\n`],
  ['names', (i) => `local_name a${i}.example {\nmail_debug = yes\n}\n`],
  ['protocols', (i) => `protocol p${i} {\nmail_debug = yes\n}\n`],
  ['services', (i) => `service s${i} {\nclient_limit = 5\n}\n`],
  ['listeners', (i) => `service auth {\nunix_listener s${i} {\nmode = 0600\n}\n}\n`],
  ['namespaces', (i) => `namespace n${i} {\nprefix = x${i}/\nalias_for = x${i + 1}/\n}\n`],
  ['words of a list', (i) => `${i === 0 ? 'auth_mechanisms {\n' : ''}a${i} = yes\n`],
  ['protocols of the list', (i) => `${i === 0 ? 'protocols = ' : ''}a${i} `],
  ['groups', (i) => `group @g x${i} {\nmail_debug = yes\n}\n@g = x${i}\n`],
  ['labels', (i) => `group @g${i} x {\nmail_debug = yes\n}\n@g${i} = x\n`],
  ['paths', (i) => `service/auth/unix_listener/x${i}/mode = 0600\n`],
  ['sections in each other', (i) => `passdb x${i} {\ndriver = pam\n`],
  ['filters in each other', () => 'imap {\nmail_debug = yes\n'],
];

function repeated(piece: (i: number) => string): string {
  const pieces: string[] = [];
  for (let length = 0; length < SIZE; length += pieces.at(-1)?.length ?? SIZE)
    pieces.push(piece(pieces.length));
  return pieces.join('');
}

describe.each([
  ['2.3.19.1', ''],
  ['2.4.5', VERSION],
])('a large configuration of %s', (release, head) => {
  test.each(PIECES)('with many %s', (_, piece) => {
    const start = performance.now();
    const configuration = dovecot(head + repeated(piece), release);
    configuration.get('mail_debug', { protocol: 'imap', localIp: '10.0.0.1', localName: 'a1.example' });
    expect(configuration.services().length).toBeGreaterThan(20);
    expect(configuration.deadSettings()).toBeDefined();
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  });
});
