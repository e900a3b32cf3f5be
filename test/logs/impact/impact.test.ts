import { Anonymizer } from '../../../src/logs/anonymize.ts';
import { type Impact, impactOf, type PartyKind } from '../../../src/logs/impact/impact.ts';
import { placesOf } from '../../../src/logs/impact/places.ts';
import { usualPlaces } from '../../../src/logs/impact/usual-places.ts';
import type { WholeCounts } from '../../../src/logs/tally.ts';
import { impactJson, impactSentence, impactText } from '../../../src/reports/logs/impact.ts';
import { PLAIN } from '../../../src/reports/palette.ts';
import { builtinProfile } from '../../../src/rules/rule-set.ts';
import { hostFromTexts } from '../../support/host.ts';
import { readCounts } from '../../support/log.ts';

const GCM = 'ECDHE-RSA-AES128-GCM-SHA256';
const CBC = 'ECDHE-RSA-AES128-SHA';
const TLS13 = 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)';

function countsOf(...lines: string[]): WholeCounts {
  return readCounts(lines.map((line) => `Nov 26 15:12:28 mx1 ${line}\n`).join(''), { details: true });
}

/** Lines of a session of smtpd(8) with TLS, and with a user where one is named. */
function session(service: string, peer: string, suite: string, user: string | null = null): string[] {
  const line = (message: string): string => `postfix/${service}[7]: ${message}`;
  const [protocol, cipher] = suite.split(' ');
  const login = user === null ? '' : `, sasl_method=PLAIN, sasl_username=${user}`;
  const tls = suite === TLS13 ? TLS13 : `${protocol} with cipher ${cipher} (128/128 bits)`;
  return [
    ...(suite === 'clear' ? [] : [line(`Anonymous TLS connection established from ${peer}: ${tls}`)]),
    line(`AB1: client=${peer}${login}`),
    line(
      `disconnect from ${peer} ehlo=1${suite === 'clear' ? '' : ' starttls=1'} mail=1 rcpt=1 data=1 quit=1 commands=6`,
    ),
  ];
}

const MASTER = `
smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
127.0.0.1:10025 inet n - n - - smtpd
  -o smtpd_tls_security_level=none
smtp unix - - n - - smtp
relay unix - - n - - smtp
  -o syslog_name=\${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
`;
const RELEASES = { postfix: '3.10.13', openssl: '3.0' };

function change(before: string, after: string, master = MASTER, masterAfter = master) {
  const host = (main: string, services: string) =>
    hostFromTexts({ 'main.cf': main, 'master.cf': services }, RELEASES);
  return placesOf([{ before: host(before, master), after: host(after, masterAfter) }]);
}

const LOOSE = `smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/mail.pem
smtpd_tls_protocols = >=TLSv1
smtpd_tls_mandatory_protocols = >=TLSv1
smtp_tls_security_level = may
smtp_tls_protocols = >=TLSv1
`;
const TIGHT = LOOSE.replaceAll('>=TLSv1', '>=TLSv1.2');

const verdictsOf = (impact: Impact, kind: PartyKind): string[] => {
  const parties = impact.kinds.find((one) => one.kind === kind);
  return (parties?.concerned ?? []).map(
    ({ name, addresses, verdict, affected, sessions }) =>
      `${name} ${addresses.join()} ${verdict} ${affected}/${sessions}`,
  );
};

describe('which endpoint a name of the log stands for', () => {
  test.each([
    [
      'syslog_name of a service',
      LOOSE,
      MASTER,
      ['in smtpd', 'in submission/smtpd', 'out relay/smtp', 'out smtp'],
    ],
    [
      'syslog_name of main.cf',
      `${LOOSE}syslog_name = mail`,
      MASTER,
      ['in mail/smtpd', 'in submission/smtpd', 'out mail/smtp', 'out relay/smtp'],
    ],
    [
      'the name of an instance',
      `${LOOSE}multi_instance_name = postfix-in`,
      MASTER.replace('syslog_name=postfix/submission', 'syslog_name=$multi_instance_name/submission'),
      [
        'in postfix-in/smtpd',
        'in postfix-in/submission/smtpd',
        'out postfix-in/relay/smtp',
        'out postfix-in/smtp',
      ],
    ],
    [
      'tlsproxy speaks for postscreen',
      LOOSE,
      'smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\ntlsproxy unix - - n - 0 tlsproxy\n',
      ['in smtpd', 'in tlsproxy'],
    ],
  ])('%s', (_, main, master, names) => {
    expect([...change(main, main, master).keys()].sort()).toEqual(names);
  });

  test('Dovecot', () => {
    const host = hostFromTexts(
      { 'dovecot.conf': 'protocols = imap\nssl = yes\nssl_cert = </etc/a.pem\nssl_key = </etc/a.key\n' },
      { dovecot: '2.3.19.1', openssl: '3.0' },
    );
    const places = placesOf([{ before: host, after: host }]);
    expect([...places.keys()]).toEqual(['in imap-login']);
    expect(places.get('in imap-login')?.map(({ before }) => before?.role)).toEqual(['imap', 'imaps']);
  });
});

describe('the impact of a change', () => {
  const places = change(LOOSE, TIGHT);
  const counts = countsOf(
    ...session('smtpd', 'old.example[192.0.2.1]', `TLSv1 ${CBC}`),
    ...session('smtpd', 'old.example[192.0.2.1]', `TLSv1 ${CBC}`),
    'postfix/qmgr[3]: AB1: from=<a@sender.example>, size=400, nrcpt=1 (queue active)',
    // Two programs behind one address.
    ...session('smtpd', 'mixed.example[192.0.2.2]', `TLSv1 ${CBC}`),
    ...session('smtpd', 'mixed.example[192.0.2.2]', TLS13),
    ...session('smtpd', 'new.example[192.0.2.3]', TLS13),
    ...session('smtpd', 'clear.example[192.0.2.4]', 'clear'),
    ...session('submission/smtpd', 'pc.example[192.0.2.5]', `TLSv1.1 ${CBC}`, 'alice'),
    ...session('submission/smtpd', 'pc.example[192.0.2.6]', TLS13, 'alice'),
    ...session('submission/smtpd', 'pc.example[192.0.2.6]', TLS13, 'bob'),
    ...session('submission/smtpd', 'scanner.example[192.0.2.7]', `TLSv1 ${CBC}`),
    `postfix/smtp[8]: Untrusted TLS connection established to mx.example[192.0.2.8]:25: TLSv1.1 with cipher ${CBC} (128/128 bits)`,
    'postfix/smtp[8]: AB9: to=<x@one.example>, relay=mx.example[192.0.2.8]:25, delay=1, dsn=2.0.0, status=sent (250 ok)',
    'postfix/smtpd[9]: SSL_accept error from refused.example[192.0.2.9]: -1',
    'postfix/smtpd[9]: disconnect from refused.example[192.0.2.9] ehlo=1 starttls=0/1 commands=1/2',
  );
  const impact = impactOf(counts, places);
  const frame = { change: 'strict', basis: 'Judged by files.', names: false };

  test('by who it is, worst first', () => {
    expect(verdictsOf(impact, 'senders')).toEqual([
      'old.example 192.0.2.1 lost 2/2',
      'mixed.example 192.0.2.2 lost 1/2',
    ]);
    expect(verdictsOf(impact, 'users')).toEqual(['alice 192.0.2.5,192.0.2.6 lost 1/2']);
    expect(verdictsOf(impact, 'servers')).toEqual(['mx.example 192.0.2.8 lost 1/1']);
    expect(verdictsOf(impact, 'visitors')).toEqual(['scanner.example 192.0.2.7 lost 1/1']);
    expect(impact.refused).toBe(1);
    expect(impact.foreign).toBe(0);
    const [senders] = impact.kinds;
    expect(senders).toMatchObject({ parties: 4, sessions: 6, secure: { parties: 3, sessions: 5 } });
    expect(senders?.concerned[0]?.domains.names).toEqual(['sender.example']);
  });

  test('in a sentence', () => {
    expect(impactSentence(impact, frame)).toBe(
      'strict would leave 2 of 3 senders (60.0 % of sessions, 1 in some of their sessions only) without TLS: old.example [192.0.2.1] (2) and mixed.example [192.0.2.2] (1); shut out 1 of 2 users (33.3 % of sessions, 1 in some of their sessions only); leave mail to 1 of 1 server (100 % of sessions) without TLS: mx.example [192.0.2.8] (1).',
    );
    expect(impactSentence(impact, { ...frame, names: true })).toContain('only): alice [2 addresses] (1);');
    expect(impactSentence(impactOf(counts, change(LOOSE, LOOSE)), frame)).toBe(
      'strict would leave none of 3 senders without TLS; shut out none of 2 users; leave mail to none of 1 server without TLS.',
    );
    expect(impactSentence(impactOf(countsOf(), places), frame)).toBe(
      'The log tells of nobody whom a change could concern.',
    );
  });

  test('names of users are shown only where they are asked for', () => {
    for (const text of [impactText(impact, frame, PLAIN), impactJson(impact, frame)]) {
      expect(text).not.toMatch(/alice|192\.0\.2\.[56]/);
      expect(text).toContain('old.example');
    }
    for (const text of [
      impactText(impact, { ...frame, names: true }, PLAIN),
      impactJson(impact, { ...frame, names: true }),
    ])
      expect(text).toMatch(/alice/);
  });

  test('pseudonyms take the place of names, the same by the same', () => {
    const hidden = new Anonymizer(Buffer.from('0123456789abcdef')).impact(impact);
    const names = { ...frame, names: true };
    for (const text of [impactText(hidden, names, PLAIN), impactJson(hidden, names)])
      expect(text).not.toMatch(/alice|192\.0\.2|old\.example|sender\.example|mx\.example/);
    const [old] = hidden.kinds[0]?.concerned ?? [];
    const counted = new Anonymizer(Buffer.from('0123456789abcdef')).counts(counts);
    const peer = counted.peers.find(({ address }) => address === old?.addresses[0]);
    expect(peer).toMatchObject({ name: old?.name, details: { senders: old?.domains } });
    const alice = hidden.kinds.find(({ kind }) => kind === 'users')?.concerned[0]?.name;
    expect(counted.peers.flatMap(({ details }) => [...(details?.users.keys() ?? [])])).toContain(alice);
  });

  test('in words', () => {
    const text = impactText(impact, frame, PLAIN);
    expect(text).toContain(`
Senders, who bring mail  senders   share  sessions   share
  unaffected                   2  50.0 %         3  50.0 %
  lost                         2  50.0 %         3  50.0 %

  Lost:
    old.example [192.0.2.1], mail of sender.example
      2 × TLSv1 ${CBC} at smtpd: goes away, and what stays was on offer and was not taken
    mixed.example [192.0.2.2]
      1 × TLSv1 ${CBC} at smtpd: goes away, and what stays was on offer and was not taken
      of 2 sessions in all
`);
    expect(text).toContain(
      `    1 user, 1 × TLSv1.1 ${CBC} at submission/smtpd, login by PLAIN: goes away, and what stays was on offer and was not taken\n    --peers names them\n`,
    );
    expect(text).toContain('1 session whose TLS failed already is left out.');
    expect(text).toContain('The log tells of no TLS of 1 sender');
  });

  test('every session has one verdict', () => {
    for (const { parties, sessions, verdicts, concerned } of impact.kinds) {
      const sum = (of: 'parties' | 'sessions'): number =>
        Object.values(verdicts).reduce((total, one) => total + one[of], 0);
      expect([sum('parties'), sum('sessions')]).toEqual([parties, sessions]);
      expect(concerned.length).toBe(parties - verdicts.unaffected.parties);
    }
  });

  test('what the files do not permit proves nothing', () => {
    const later = impactOf(counts, change(TIGHT, TIGHT));
    expect(later.foreign).toBe(6);
    expect(verdictsOf(later, 'senders')).toEqual([
      'old.example 192.0.2.1 risk 2/2',
      'mixed.example 192.0.2.2 another 1/2',
    ]);
  });

  test('a name that the files do not have', () => {
    const other = countsOf(...session('other/smtpd', 'a.example[192.0.2.1]', TLS13));
    const unknown = impactOf(other, places);
    expect(unknown.unknownServices).toEqual(['other/smtpd']);
    expect(verdictsOf(unknown, 'senders')).toEqual(['a.example 192.0.2.1 untold 1/1']);
    expect(impactSentence(unknown, frame)).toBe(
      'strict would cut off nobody for sure. Not known: 1 sender, of whom the log does not tell what they use.',
    );
  });

  test("the port of the host's own filter is none that others reach", () => {
    // Its level is none: were it a candidate, TLS there would be no session that the files permit.
    const [pairs] = [places.get('in smtpd')];
    expect(pairs?.map(({ before }) => before?.public)).toEqual([true, false]);
    const plain = impactOf(
      countsOf(...session('smtpd', 'clear.example[192.0.2.4]', 'clear')),
      change(LOOSE, LOOSE.replace('smtpd_tls_security_level = may', 'smtpd_tls_security_level = encrypt')),
    );
    expect(verdictsOf(plain, 'senders')).toEqual(['clear.example 192.0.2.4 lost 1/1']);
    expect(impactSentence(plain, frame)).toBe(
      'strict would shut out 1 of 1 sender (100 % of sessions): clear.example [192.0.2.4] (1).',
    );
  });

  test('the silence of a service that tells of TLS tells that there was none', () => {
    const sent = (relay: string): string =>
      `postfix/smtp[8]: AB1: to=<x@one.example>, relay=${relay}:25, delay=1, dsn=2.0.0, status=sent (250 ok)`;
    const tls = `postfix/smtp[9]: Untrusted TLS connection established to mx.example[192.0.2.8]:25: ${TLS13}`;
    const encrypt = change(
      LOOSE,
      LOOSE.replace('smtp_tls_security_level = may', 'smtp_tls_security_level = encrypt'),
    );
    const silent = impactOf(countsOf(sent('clear.example[192.0.2.9]')), encrypt);
    expect(verdictsOf(silent, 'servers')).toEqual(['clear.example 192.0.2.9 untold 1/1']);
    const telling = impactOf(countsOf(tls, sent('clear.example[192.0.2.9]')), encrypt);
    expect(verdictsOf(telling, 'servers')).toEqual(['clear.example 192.0.2.9 lost 1/1']);
  });

  describe('TLS policies for the destination of mail', () => {
    const KEPT = 'may protocols=>=TLSv1';
    const to = (domain: string): string =>
      `postfix/smtp[8]: AB9: to=<x@${domain}>, relay=mx.example[192.0.2.8]:25, delay=1, dsn=2.0.0, status=sent (250 ok)`;
    const tls = `postfix/smtp[8]: Untrusted TLS connection established to mx.example[192.0.2.8]:25: TLSv1.1 with cipher ${CBC} (128/128 bits)`;
    const one = countsOf(tls, to('one.example'));
    const two = countsOf(tls, to('one.example'), tls, to('two.example'));

    test.each<[string, typeof one, string, string | null]>([
      ['no policy', one, '', 'lost 1/1'],
      ['one for the domain', one, `smtp_tls_policy_maps = inline:{{one.example = ${KEPT}}}`, null],
      [
        'one for all domains below another',
        one,
        `smtp_tls_policy_maps = inline:{{.example = ${KEPT}}}`,
        null,
      ],
      ['one for another domain', one, `smtp_tls_policy_maps = inline:{{two.example = ${KEPT}}}`, 'lost 1/1'],
      ['a table that is not here', one, 'smtp_tls_policy_maps = mysql:/etc/postfix/policy.cf', 'lost 1/1'],
      [
        'one that is not for the name by which the mail goes on',
        one,
        `smtp_tls_policy_maps = inline:{{one.example = ${KEPT}}}\ntransport_maps = inline:{{one.example = smtp:[gw.example]}}`,
        'lost 1/1',
      ],
      [
        'one for the name by which the mail goes on',
        one,
        `smtp_tls_policy_maps = inline:{{[gw.example] = ${KEPT}}}\ntransport_maps = inline:{{.example = :[gw.example]}}`,
        null,
      ],
      [
        'one where parents match without a dot',
        one,
        `smtp_tls_policy_maps = inline:{{[gw.example] = ${KEPT}}}\ntransport_maps = inline:{{example = :[gw.example]}}\nparent_domain_matches_subdomains = transport_maps`,
        null,
      ],
      [
        'a route for everything else',
        one,
        `smtp_tls_policy_maps = inline:{{one.example = ${KEPT}}}\ntransport_maps = inline:{{* = :[gw.example]}}`,
        'lost 1/1',
      ],
      [
        'a route that changes nothing',
        one,
        `smtp_tls_policy_maps = inline:{{one.example = ${KEPT}}}\ntransport_maps = inline:{{one.example = smtp:}}`,
        null,
      ],
      [
        'one for a domain of which a user has a route of its own',
        one,
        `smtp_tls_policy_maps = inline:{{one.example = ${KEPT}}}\ntransport_maps = inline:{{y@one.example = smtp:[gw.example]}}`,
        'risk 1/1',
      ],
      [
        'one for a domain whose mail may go elsewhere by its sender',
        one,
        `smtp_tls_policy_maps = inline:{{one.example = ${KEPT}}}\nsender_dependent_relayhost_maps = hash:/etc/postfix/by_sender`,
        'risk 1/1',
      ],
      [
        'one for the relay host',
        one,
        `smtp_tls_policy_maps = inline:{{[mx.example] = ${KEPT}}}\nrelayhost = [mx.example]`,
        null,
      ],
      [
        'one for a domain whose mail goes to a relay host',
        one,
        `smtp_tls_policy_maps = inline:{{one.example = ${KEPT}}}\nrelayhost = [mx.example]`,
        'lost 1/1',
      ],
      ['one for both domains', two, `smtp_tls_policy_maps = inline:{{.example = ${KEPT}}}`, null],
      [
        'one for one of two domains',
        two,
        `smtp_tls_policy_maps = inline:{{two.example = ${KEPT}}}`,
        'risk 2/2',
      ],
    ])('%s', (_, counted, settings, verdict) => {
      const changed = change(`${LOOSE}${settings}\n`, `${TIGHT}${settings}\n`);
      const servers = verdictsOf(impactOf(counted, changed), 'servers');
      expect(servers).toEqual(verdict === null ? [] : [`mx.example 192.0.2.8 ${verdict}`]);
    });

    const spared = `smtp_tls_policy_maps = inline:{{.example = ${KEPT}}}\n`;

    test('of each server by itself', () => {
      const other = (text: string): string => text.replace('mx.example[192.0.2.8]', 'mx.other[192.0.2.9]');
      const both = countsOf(tls, to('one.example'), other(tls), other(to('one.other')));
      const judged = impactOf(both, change(`${LOOSE}${spared}`, `${TIGHT}${spared}`));
      expect(verdictsOf(judged, 'servers')).toEqual(['mx.other 192.0.2.9 lost 1/1']);
    });

    test('prove nothing of domains beyond those that are kept of a server', () => {
      const many = Array.from({ length: 50 }, (_, number) => [tls, to(`d${number}.example`)]).flat();
      const judged = impactOf(countsOf(...many), change(`${LOOSE}${spared}`, `${TIGHT}${spared}`));
      expect(verdictsOf(judged, 'servers')).toEqual(['mx.example 192.0.2.8 risk 50/50']);
    });
  });

  test('what a user did from one address is no proof for another', () => {
    const gone = change(LOOSE, `${LOOSE}smtpd_tls_mandatory_exclude_ciphers = SHA1\n`);
    const submission = (address: string, suite: string): string[] =>
      session('submission/smtpd', `pc.example[${address}]`, suite, 'alice');
    const other = countsOf(
      ...submission('192.0.2.1', `TLSv1.2 ${CBC}`),
      ...submission('192.0.2.2', `TLSv1.2 ${GCM}`),
    );
    expect(verdictsOf(impactOf(other, gone), 'users')).toEqual(['alice 192.0.2.1,192.0.2.2 risk 1/2']);
    const same = countsOf(
      ...submission('192.0.2.1', `TLSv1.2 ${CBC}`),
      ...submission('192.0.2.1', `TLSv1.2 ${GCM}`),
    );
    expect(verdictsOf(impactOf(same, gone), 'users')).toEqual(['alice 192.0.2.1 another 1/2']);
  });

  test('login where nobody may log in any more', () => {
    const open = MASTER.replace('-o smtpd_sasl_auth_enable=yes', '-o smtpd_sasl_auth_enable=no');
    const closed = impactOf(counts, change(LOOSE, LOOSE, MASTER, open));
    expect(verdictsOf(closed, 'users')).toEqual([
      'alice 192.0.2.5,192.0.2.6 lost 2/2',
      'bob 192.0.2.6 lost 1/1',
    ]);
    expect(verdictsOf(closed, 'visitors')).toEqual([]);
  });
});

describe('Dovecot', () => {
  const login = (address: string, how: string): string =>
    `dovecot: imap-login: Login: user=<u${address}>, method=PLAIN, rip=${address}, lip=192.0.2.25, mpid=1, ${how}session=<a>`;
  const conf = (rest: string): string =>
    `protocols = imap\nssl = yes\nssl_cert = </etc/a.pem\nssl_key = </etc/a.key\n${rest}`;
  const places = (before: string, after: string) => {
    const host = (text: string) =>
      hostFromTexts({ 'dovecot.conf': conf(text) }, { dovecot: '2.3.19.1', openssl: '3.0' });
    return placesOf([{ before: host(before), after: host(after) }]);
  };

  test('the usual format does not tell which TLS', () => {
    const counts = countsOf(login('192.0.2.1', 'TLS, '));
    const list = 'ssl_cipher_list = ALL:@SECLEVEL=0\nssl_min_protocol =';
    const change12 = places(`${list} TLSv1`, `${list} TLSv1.2`);
    expect(verdictsOf(impactOf(counts, change12), 'users')).toEqual(['u192.0.2.1 192.0.2.1 untold 1/1']);
    expect(verdictsOf(impactOf(counts, places('', '')), 'users')).toEqual([]);
  });

  test('a login in the clear, and one that is taken for safe', () => {
    const counts = countsOf(login('192.0.2.1', ''), login('192.0.2.2', 'secured, '));
    const auth = places('disable_plaintext_auth = no', 'disable_plaintext_auth = yes');
    expect(verdictsOf(impactOf(counts, auth), 'users')).toEqual(['u192.0.2.1 192.0.2.1 lost 1/1']);
    const trusting = places(
      'disable_plaintext_auth = no\nlogin_trusted_networks = 192.0.2.0/24',
      'disable_plaintext_auth = yes\nlogin_trusted_networks = 192.0.2.0/24',
    );
    expect(verdictsOf(impactOf(counts, trusting), 'users')).toEqual(['u192.0.2.1 192.0.2.1 risk 1/1']);
  });

  test('connections from the network of a filter are judged by it', () => {
    const counts = countsOf(
      login('192.0.2.1', `TLS, TLSv1 with cipher ${CBC} (128/128 bits), `),
      login('198.51.100.1', `TLS, TLSv1 with cipher ${CBC} (128/128 bits), `),
    );
    const filter = 'remote 198.51.100.0/24 {\n  ssl_min_protocol = TLSv1\n}\n';
    const list = 'ssl_cipher_list = ALL:@SECLEVEL=0\n';
    const changed = places(
      `${list}ssl_min_protocol = TLSv1\nremote 198.51.100.0/24 {\n  ssl_prefer_server_ciphers = yes\n}\n`,
      `${list}ssl_min_protocol = TLSv1.2\n${filter}`,
    );
    const concerned = verdictsOf(impactOf(counts, changed), 'users');
    expect(concerned[0]).toBe('u192.0.2.1 192.0.2.1 lost 1/1');
    expect(concerned.join()).not.toContain('198.51.100.1 lost');
  });
});

describe('a profile alone', () => {
  const counts = countsOf(
    ...session('smtpd', 'old.example[192.0.2.1]', `TLSv1 ${CBC}`),
    ...session('smtpd', 'new.example[192.0.2.2]', `TLSv1.2 ${CBC}`),
    ...session('submission/smtpd', 'pc.example[192.0.2.3]', `TLSv1.2 ${GCM}`, 'alice'),
    ...session('smtps/smtpd', 'pc.example[192.0.2.3]', TLS13, 'bob'),
    'dovecot: imap-login: Login: user=<eve>, method=PLAIN, rip=192.0.2.4, lip=192.0.2.25, mpid=1, session=<a>',
    `postfix/relay/smtp[8]: Untrusted TLS connection established to mx.example[192.0.2.8]:25: TLSv1.1 with cipher ${CBC} (128/128 bits)`,
  );

  test.each([
    ['legacy-compatible', [], ['eve 192.0.2.4 risk 1/1'], []],
    [
      'modern',
      ['old.example 192.0.2.1 risk 1/1'],
      ['eve 192.0.2.4 risk 1/1'],
      ['mx.example 192.0.2.8 risk 1/1'],
    ],
    [
      'strict',
      ['old.example 192.0.2.1 risk 1/1'],
      ['alice 192.0.2.3 risk 1/1', 'eve 192.0.2.4 risk 1/1'],
      ['mx.example 192.0.2.8 risk 1/1'],
    ],
  ])('%s', (name, senders, users, servers) => {
    const impact = impactOf(counts, usualPlaces(counts, builtinProfile(name).thresholds));
    expect(verdictsOf(impact, 'senders')).toEqual(senders);
    expect(verdictsOf(impact, 'users')).toEqual(users);
    expect(verdictsOf(impact, 'servers')).toEqual(servers);
    expect(impact.foreign).toBe(0);
  });
});
