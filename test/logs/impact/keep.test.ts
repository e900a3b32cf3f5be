import { proposeFixes } from '../../../src/fix/fix.ts';
import { buildHost } from '../../../src/hosts/host.ts';
import { type Impact, impactOf } from '../../../src/logs/impact/impact.ts';
import { type Kept, keepShare } from '../../../src/logs/impact/keep.ts';
import { placesOf } from '../../../src/logs/impact/places.ts';
import type { Role } from '../../../src/model/endpoint.ts';
import { laidOver, type SomeThresholds } from '../../../src/model/thresholds.ts';
import { keptSentences } from '../../../src/reports/logs/impact.ts';
import { changedProfile } from '../../../src/rules/profile.ts';
import { BUILTIN_RULES, builtinProfile } from '../../../src/rules/rule-set.ts';
import { hostInputFromTexts } from '../../support/host.ts';
import { readCounts } from '../../support/log.ts';

const CBC = 'ECDHE-RSA-AES128-SHA';
const GCM = 'ECDHE-RSA-AES128-GCM-SHA256';
const TLS13 = 'TLSv1.3 TLS_AES_256_GCM_SHA384';

/** So many peers with a suite; users where a service is named. */
function peers(count: number, suite: string, service = 'smtpd'): string {
  const [protocol, cipher] = suite.split(' ');
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const id = `${protocol} ${cipher}`.length * 10 + index;
    const peer = `p${id}.example[192.0.2.${id % 256}]`;
    const login =
      service === 'smtpd' ? '' : `, sasl_method=PLAIN, sasl_username=${protocol}-${cipher}-${index}`;
    lines.push(
      `Anonymous TLS connection established from ${peer}: ${protocol} with cipher ${cipher} (128/128 bits)`,
      `AB1: client=${peer}${login}`,
      `disconnect from ${peer} ehlo=1 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=6`,
    );
  }
  return lines.map((line) => `Nov 26 15:12:28 mx1 postfix/${service}[7]: ${line}\n`).join('');
}

const TEXTS = {
  'main.cf': `smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/mail.pem
smtpd_tls_protocols = >=TLSv1
smtpd_tls_mandatory_protocols = >=TLSv1
`,
  'master.cf': `smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
`,
};
const NEW_LIBRARY = hostInputFromTexts(TEXTS, { postfix: '3.10.13', openssl: '3.0' });
const OLD_LIBRARY = hostInputFromTexts(TEXTS, { postfix: '3.7.11', openssl: '1.1.1' });

const STRICT = builtinProfile('strict');
const ROLES: ReadonlySet<Role> = new Set(['mx', 'submission']);

function keep(log: string, share: number, input = NEW_LIBRARY): { kept: Kept; runs: number; final: Impact } {
  const counts = readCounts(log, { details: true });
  let runs = 0;
  const impactWith = (thresholds: SomeThresholds): Impact => {
    runs++;
    const profile = changedProfile(STRICT, [{ severity: {}, thresholds, from: 'test' }]);
    const after = proposeFixes(input, BUILTIN_RULES, profile).after;
    return impactOf(counts, placesOf([{ before: buildHost(input), after }]));
  };
  const kept = keepShare(STRICT.thresholds, share, ROLES, impactWith);
  return { kept, runs, final: impactWith(kept.thresholds ?? {}) };
}

const told = ({ givenUp }: Kept): string[] =>
  givenUp.map(
    ({ threshold, asked, chosen, parties }) =>
      `${threshold}: ${chosen}, not ${asked}: ${parties.map(({ kind, some, all }) => `${some.length} of ${all} ${kind}`).join()}`,
  );

const SENDERS = peers(9, TLS13) + peers(1, `TLSv1 ${CBC}`);

describe('the strictest thresholds that keep a share', () => {
  test('those of the profile where they keep it, and nothing else is tried', () => {
    const { kept, runs } = keep(SENDERS, 0.9);
    expect(kept).toEqual({ thresholds: null, givenUp: [], missed: [] });
    expect(runs).toBe(1);
    expect(keptSentences(kept, '90%')).toEqual(['Nothing has to be given up to keep 90% of the peers.']);
  });

  test('a lower protocol for the role where it is needed', () => {
    const { kept } = keep(SENDERS, 0.95);
    expect(told(kept)).toEqual(['lowestProtocol.mx: TLSv1, not TLSv1.2: 1 of 10 senders']);
    expect(kept.thresholds?.lowestProtocol).toEqual({ mx: 'TLSv1', submission: 'TLSv1.3' });
    expect(keptSentences(kept, '95%')).toEqual([
      'To keep 95% of the peers lowestProtocol.mx is TLSv1 and not TLSv1.2: for 1 of 10 senders: p260.example [192.0.2.4] (1).',
    ]);
  });

  test('the strictest that fits: not lower than it has to be', () => {
    const { kept } = keep(SENDERS + peers(9, `TLSv1.1 ${CBC}`), 0.9);
    expect(told(kept)).toEqual(['lowestProtocol.mx: TLSv1.1, not TLSv1.2: 9 of 19 senders']);
    // Whom what the profile asks for would cut off, and not the next value alone.
    const all = keep(SENDERS + peers(9, `TLSv1.1 ${CBC}`), 1);
    expect(told(all.kept)).toEqual(['lowestProtocol.mx: TLSv1, not TLSv1.2: 10 of 19 senders']);
  });

  test('suites where users need them', () => {
    const users = peers(8, TLS13, 'submission/smtpd');
    const gcm = keep(users + peers(2, `TLSv1.2 ${GCM}`, 'submission/smtpd'), 0.95);
    expect(told(gcm.kept)).toEqual(['lowestProtocol.submission: TLSv1.2, not TLSv1.3: 2 of 10 users']);
    const cbc = keep(users + peers(2, `TLSv1.2 ${CBC}`, 'submission/smtpd'), 0.95);
    expect(told(cbc.kept)).toEqual([
      'lowestProtocol.submission: TLSv1.2, not TLSv1.3: 2 of 10 users',
      'authenticatedEncryption: null, not only: 2 of 10 users',
    ]);
    expect(keptSentences(cbc.kept, '95%')[1]).toBe(
      'To keep 95% of the peers authenticatedEncryption is not set to only, and stays as it is: for 2 of 10 users.',
    );
    const rsa = keep(users + peers(2, 'TLSv1.2 AES128-GCM-SHA256', 'submission/smtpd'), 0.95);
    expect(told(rsa.kept)[1]).toBe('forwardSecrecy: preferred, not only: 2 of 10 users');
  });

  test('one class is left out, and no other', () => {
    const adh = keep(peers(9, TLS13) + peers(1, 'TLSv1.2 ADH-AES256-GCM-SHA384'), 1);
    expect(told(adh.kept)).toEqual(['forbiddenCiphers.server: null, not aNULL: 1 of 10 senders']);
    expect(adh.kept.thresholds?.forbiddenCiphers).toEqual({
      anywhere: STRICT.thresholds.forbiddenCiphers.anywhere,
      server: [],
      tlsRequired: ['aNULL'],
    });
    const { anywhere } = STRICT.thresholds.forbiddenCiphers;
    const old = keep(peers(9, TLS13) + peers(1, 'TLSv1.2 DHE-RSA-SEED-SHA'), 1, OLD_LIBRARY);
    expect(told(old.kept)).toEqual(['forbiddenCiphers.anywhere: null, not SEED: 1 of 10 senders']);
    expect(old.kept.thresholds?.forbiddenCiphers?.anywhere).toEqual(
      anywhere.filter((name) => name !== 'SEED'),
    );
    const seed = keep(peers(9, TLS13) + peers(1, 'TLSv1.2 DHE-RSA-SEED-SHA'), 1);
    expect(told(seed.kept)).toEqual([]);
    // That suite is none of this release: the session is not one of these files, and no threshold can keep it.
    expect(seed.kept.missed).toEqual(['senders']);
  });

  test.each([0.5, 0.8, 0.9, 0.95, 1])('all together they keep %d', (share) => {
    const log =
      SENDERS +
      peers(3, `TLSv1.1 ${CBC}`) +
      peers(2, `TLSv1.2 AES128-SHA`) +
      peers(6, TLS13, 'submission/smtpd') +
      peers(2, `TLSv1.2 ${CBC}`, 'submission/smtpd') +
      peers(1, `TLSv1 ${CBC}`, 'submission/smtpd');
    const { kept, final } = keep(log, share);
    expect(kept.missed).toEqual([]);
    for (const { kind, parties, verdicts } of final.kinds) {
      if (kind === 'visitors') continue;
      expect(verdicts.unaffected.parties + verdicts.another.parties).toBeGreaterThanOrEqual(share * parties);
    }
    // And none is looser than the profile itself would be without a reason.
    const names = new Set(kept.givenUp.map(({ threshold }) => threshold));
    const all = laidOver(STRICT.thresholds, kept.thresholds ?? {});
    expect(all.lowestProtocol?.mx === 'TLSv1.2').toBe(!names.has('lowestProtocol.mx'));
    expect(all.authenticatedEncryption === 'only').toBe(!names.has('authenticatedEncryption'));
  });
});
