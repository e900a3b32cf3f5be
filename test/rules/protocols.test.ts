import fc from 'fast-check';
import { belowFloor, PROTOCOLS, type Protocol } from '../../src/model/protocol.ts';
import { parseProtocolList } from '../../src/postfix/protocol-list.ts';
import { corrected, hardened, holesIn, shutOut } from '../../src/rules/checks/postfix-protocol-values.ts';
import { hostFromTexts } from '../support/host.ts';

function configurationOf(postfix: string | undefined) {
  const host = hostFromTexts({ 'main.cf': 'myhostname = mx.example.com\n' }, { postfix, openssl: '3.0' });
  if (host.postfix === null) throw new Error('no Postfix');
  return host.postfix.configuration;
}

const names = fc.constantFrom<Protocol>(...PROTOCOLS);
const words = fc.oneof(
  names,
  names.map((name) => `!${name}`),
  fc.constantFrom('>=TLSv1', '>=TLSv1.2', '<=TLSv1.2', '>=', '>=None', '<=0303', 'ALL', '! SSLv2', '# why'),
);
const lists = fc
  .tuple(fc.array(words, { maxLength: 7 }), fc.constantFrom(', ', ' ', ':', ','))
  .map(([list, by]) => list.join(by));

describe('hardened', () => {
  it.each(['2.9.5', '3.5.25', '3.7.11', undefined])(
    'any list becomes sound and stays so: Postfix %s',
    (release) => {
      const configuration = configurationOf(release);
      fc.assert(
        fc.property(lists, fc.constantFrom<Protocol>('TLSv1', 'TLSv1.1', 'TLSv1.2'), (value, floor) => {
          const text = hardened(configuration, value, floor);
          const list = parseProtocolList(text, configuration.release);
          expect(list.valid).toBe(true);
          expect(belowFloor(list.permitted, floor)).toEqual([]);
          expect(list.permitted).toContain(floor);
          expect(holesIn(list.permitted)).toEqual([]);
          expect(shutOut(list)).toEqual([]);
          expect(hardened(configuration, text, floor)).toBe(text);
        }),
        { numRuns: 500 },
      );
    },
  );

  it('keeps the words, their order and what separates them', () => {
    const configuration = configurationOf('3.7.11');
    expect(hardened(configuration, '!SSLv3,!sslv2', 'TLSv1.2')).toBe('!SSLv3,!sslv2,!TLSv1,!TLSv1.1');
    expect(hardened(configuration, '!SSLv2 !SSLv3', 'TLSv1')).toBe('!SSLv2 !SSLv3');
    expect(hardened(configuration, 'TLSv1:TLSv1.2:TLSv1.3', 'TLSv1.2')).toBe('TLSv1.2:TLSv1.3');
    expect(hardened(configuration, '>=TLSv1, <=TLSv1.2', 'TLSv1.2')).toBe('>=TLSv1.2, <=TLSv1.2');
    expect(hardened(configuration, '', 'TLSv1.2')).toBe('>=TLSv1.2');
    expect(hardened(configuration, '!SSLv3', 'TLSv1.2', ':')).toBe('!SSLv3:!SSLv2:!TLSv1:!TLSv1.1');
  });

  it('does not write a bound for a release that is only assumed', () => {
    expect(hardened(configurationOf(undefined), '', 'TLSv1')).toBe('!SSLv2, !SSLv3');
  });
});

describe('corrected', () => {
  it.each([
    ['3.7.11', '>=TLSv1.0', '>=TLSv1'],
    ['3.7.11', '! SSLv2, ! SSLv3', '!SSLv2, !SSLv3'],
    ['3.7.11', '"!SSLv2, !SSLv3"', '!SSLv2, !SSLv3'],
    ['3.7.11', '!SSLv2, -SSLv3, TLSv1_2', '!SSLv2, !SSLv3, TLSv1.2'],
    ['3.7.11', '!SSLv2, all', null],
    ['3.7.11', '!SSLv2, # no SSLv3 either', null],
    ['3.5.25', '>=TLSv1.0', '!SSLv2, !SSLv3'],
    ['3.5.25', '>=TLSv1.2, <=TLSv1.2', '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1, !TLSv1.3'],
    ['3.3.1', 'TLSv1.2:TLSv1.3', 'TLSv1.2'],
  ])('Postfix %s: %s becomes %s', (release, value, wanted) => {
    expect(corrected(configurationOf(release), value)).toBe(wanted);
  });
});

describe('a hole', () => {
  const texts = {
    'main.cf': [
      'smtp_tls_security_level = may',
      'smtp_tls_protocols = !TLSv1.1',
      'smtpd_tls_security_level = may',
      'smtpd_tls_chain_files = /etc/postfix/mx.pem',
      'smtpd_tls_protocols = !TLSv1.1',
      '',
    ].join('\n'),
  };

  // As the client hellos of posttls-finger 3.5.25 and 3.10.13, and a smtpd 3.7.11, showed it.
  it('leaves a client what is older, and a server all the rest', () => {
    const host = hostFromTexts(texts, { postfix: '3.7.11', openssl: '3.0' });
    const protocols = Object.fromEntries(
      (host.postfix?.endpoints ?? []).map(({ id, tls }) => [id, tls.protocols]),
    );
    expect(protocols['smtp/unix']).toEqual(['TLSv1']);
    expect(protocols['smtp/inet']).toEqual(['TLSv1', 'TLSv1.2', 'TLSv1.3']);
  });
});
