import { newFindings, proposeFixes } from '../../src/fix/fix.ts';
import { buildHost, type HostInput, hostSources, withTexts } from '../../src/hosts/host.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { dovecotCases, dovecotInput, hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { fixFaults } from '../support/fix-invariants.ts';
import { hostInputFromTexts } from '../support/host.ts';
import { renderHost } from '../support/render-host.ts';

const strict = builtinProfile('strict');

/** The texts of a host as fix leaves them, and why each finding that stays does. */
function fixed(texts: Readonly<Record<string, readonly string[]>>, unsafe = true) {
  const input = hostInputFromTexts(
    Object.fromEntries(Object.entries(texts).map(([path, lines]) => [path, `${lines.join('\n')}\n`])),
    { postfix: '3.7.11', dovecot: '2.3.19', openssl: '3.0' },
  );
  const { files, left } = proposeFixes(input, BUILTIN_RULES, strict, { unsafe });
  const changed = new Map(files.map(({ after }) => [after.path, after.text.trimEnd().split('\n')]));
  return {
    texts: Object.fromEntries(Object.keys(texts).map((path) => [path, changed.get(path) ?? texts[path]])),
    left: left.map(({ finding, reason }) => `${finding.rule}: ${reason}`),
  };
}

const MASTER = ['smtp inet n - n - - smtpd'];
const CERTIFICATE = [
  'compatibility_level = 3.6',
  'smtpd_tls_cert_file = {{ tls }}/mx.pem',
  'smtpd_tls_key_file = {{ tls }}/mx.key',
  'smtp_tls_security_level = may',
  'smtp_tls_protocols = >=TLSv1.2',
  'smtpd_tls_exclude_ciphers = aNULL',
];

it('mends each branch in its own lines', () => {
  const { texts } = fixed({
    'main.cf': [
      ...CERTIFICATE,
      'smtpd_tls_security_level = may',
      '{% if old %}',
      'smtpd_tls_protocols = TLSv1',
      '{% else %}',
      'smtpd_tls_protocols = !SSLv2',
      '{% endif %}',
    ],
    'master.cf': MASTER,
  });
  const at = texts['main.cf']?.indexOf('{% if old %}') ?? -1;
  expect(texts['main.cf']?.slice(at, at + 5)).toEqual([
    '{% if old %}',
    'smtpd_tls_protocols = >=TLSv1.2',
    '{% else %}',
    'smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1',
    '{% endif %}',
  ]);
});

it('adds what is missing beside what is always there, not in a branch', () => {
  const { texts } = fixed({
    'main.cf': [
      ...CERTIFICATE,
      '<% if @helo -%>',
      'smtpd_helo_required = yes',
      '<% end -%>',
      'smtpd_tls_security_level = may',
    ],
    'master.cf': MASTER,
  });
  const lines = texts['main.cf'] ?? [];
  const added = lines.findIndex((line) => line.startsWith('smtpd_tls_protocols'));
  expect(added).toBeGreaterThan(0);
  const isInBranch = added > lines.indexOf('<% if @helo -%>') && added < lines.indexOf('<% end -%>');
  expect(isInBranch).toBe(false);
});

it('leaves a line with template text alone, and says so', () => {
  const lines = [
    ...CERTIFICATE,
    'smtpd_tls_security_level = {{ level }}',
    'disable_vrfy_command = no # {{ why }}',
  ];
  const line = 'smtpd_tls_protocols = SSLv3,{% if old %} TLSv1{% else %} TLSv1.1{% endif %}';
  const { texts, left } = fixed({
    'main.cf': [...lines.slice(0, -2), 'smtpd_tls_security_level = may', line],
    'master.cf': MASTER,
  });
  expect(texts['main.cf']).toContain(line);
  expect(left.join('\n')).toMatch(/server-protocols: a template fills or chooses/);
});

it('adds nothing where lines may come from elsewhere', () => {
  const lines = [...CERTIFICATE, 'smtpd_tls_security_level = may', '{{ extra_settings }}'];
  expect(fixed({ 'main.cf': lines, 'master.cf': MASTER }).texts['main.cf']).toEqual(lines);
});

it('mends a service that a branch has', () => {
  const { texts } = fixed({
    'main.cf': [...CERTIFICATE, 'smtpd_tls_security_level = may', 'smtpd_tls_protocols = >=TLSv1.2'],
    'master.cf': [
      ...MASTER,
      '{% if submission %}',
      'submission inet n - n - {{ limit }} smtpd',
      '  -o smtpd_tls_security_level=encrypt',
      '  -o smtpd_tls_mandatory_protocols=SSLv3',
      '{% endif %}',
    ],
  });
  const lines = texts['master.cf'] ?? [];
  expect(lines.join('\n')).not.toContain('SSLv3');
  expect(lines.at(-1)).toBe('{% endif %}');
  expect(lines.filter((line) => line.includes('{{'))).toEqual(['submission inet n - n - {{ limit }} smtpd']);
});

it('mends blocks of Dovecot within branches', () => {
  const { texts } = fixed({
    'dovecot.conf': [
      'ssl = required',
      'ssl_cert = <{{ dir }}/a.pem',
      'ssl_key = <{{ dir }}/a.key',
      'ssl_min_protocol = TLSv1.2',
      '{% if debug %}',
      'auth_debug_passwords = yes',
      '{% endif %}',
    ],
  });
  expect(texts['dovecot.conf']?.slice(-3)).toEqual([
    '{% if debug %}',
    'auth_debug_passwords = no',
    '{% endif %}',
  ]);
});

describe('real templates', () => {
  const cases: readonly { readonly id: string; readonly read: () => Promise<HostInput> }[] = [
    ...postfixCases('templated').map(({ id, folder }) => ({
      id,
      read: async () => hostInputFromFolder(folder),
    })),
    ...dovecotCases('templated').map(({ id, folder }) => ({ id, read: () => dovecotInput(folder) })),
  ];
  for (const { id, read } of cases) {
    it(`${id}: no rendering gets worse`, async () => {
      const input = await read();
      const { result, faults } = fixFaults(input, strict);
      expect(faults).toEqual([]);
      const after = withTexts(input, new Map(result.files.map((file) => [file.after.path, file.after])));
      const marked = (host: HostInput): string[] =>
        hostSources(host).flatMap(({ text }) =>
          text.split('\n').filter((line) => /\{[{%#]|<%|__[A-Z]/.test(line)),
        );
      expect(marked(after)).toEqual(marked(input));
      for (const seed of [1, 2]) {
        const [old, mended] = [input, after].map((host) =>
          evaluate(buildHost(renderHost(host, seed * 7919).input), BUILTIN_RULES, strict),
        );
        expect(
          newFindings(old ?? [], mended ?? []).map(({ rule, message }) => `${rule}: ${message}`),
        ).toEqual([]);
      }
    });
  }
});
