import { PLAIN } from '../../src/reports/palette.ts';
import { showHost, showText } from '../../src/reports/show.ts';
import { builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';

const host = () =>
  hostFromTexts(
    {
      'main.cf': [
        'myhostname = {{ host }}',
        'mydestination = $myhostname, localhost',
        'smtpd_tls_cert_file = /etc/mx.pem',
        'smtpd_tls_security_level = may',
        '{% if old %}',
        'smtpd_tls_protocols = !SSLv2, !SSLv3',
        '{% else %}',
        'smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1',
        '{% endif %}',
        'message_size_limit = 1000{% if big %}000{% endif %}',
        'compatibility_level = 3.6',
        '',
      ].join('\n'),
      'master.cf':
        'smtp inet n - n - - smtpd\n{% for p in ports %}\n{{ p }} inet n - n - - smtpd\n{% endfor %}\n',
    },
    { postfix: '3.7.11', openssl: '3.0' },
  );

interface Shown {
  readonly settings: readonly Readonly<Record<string, unknown>>[];
  readonly endpoints: readonly Readonly<Record<string, unknown>>[];
}

it('shows null for what a template fills, and what the files tell', () => {
  const { settings } = showHost(host(), false) as unknown as Shown;
  expect(
    settings.map(({ name, value, effective, templated }) => [name, value, effective, templated ?? false]),
  ).toEqual([
    ['myhostname', null, null, true],
    ['mydestination', '$myhostname, localhost', null, true],
    ['smtpd_tls_cert_file', '/etc/mx.pem', '/etc/mx.pem', false],
    ['smtpd_tls_security_level', 'may', 'may', false],
    ['smtpd_tls_protocols', '!SSLv2, !SSLv3', '!SSLv2, !SSLv3', false],
    ['smtpd_tls_protocols', '!SSLv2, !SSLv3, !TLSv1', '!SSLv2, !SSLv3, !TLSv1', false],
    ['message_size_limit', null, null, true],
    ['compatibility_level', '3.6', '3.6', false],
  ]);
  expect(settings.map(({ origin }) => (origin as { line: number }).line)).toEqual([1, 2, 3, 4, 6, 8, 10, 11]);
});

it('shows of endpoints what all renderings have', () => {
  const { endpoints } = showHost(host(), false) as unknown as Shown;
  const smtp = endpoints.find(({ id }) => id === 'smtp/inet');
  expect(smtp).toMatchObject({
    role: 'mx',
    port: 25,
    templated: true,
    tls: { mode: 'opportunistic', protocols: null },
  });
  expect(endpoints.map(({ id }) => id)).toContain('{{ p }}/inet');
});

it('says so on a terminal', () => {
  const text = showText(host(), false, {
    profile: builtinProfile('modern'),
    palette: PLAIN,
    width: 100,
    verbose: false,
  });
  expect(text).toContain('    1  myhostname = {{ host }}\n       -> filled by the template\n');
  expect(text).toContain('message_size_limit = 1000{% if big %}000{% endif %}\n');
  expect(text).toMatch(/\{\{ p \}\}\/inet +filled by the template +\* +opportunistic/);
  expect(text).toMatch(/smtp\/inet +mx +\*:25 +opportunistic +filled by the template/);
});
