import { createHash } from 'node:crypto';
import { pages } from 'virtual:builtin-rule-pages';
import fc from 'fast-check';
import { type EndpointView, endpointViews } from '../../src/reports/formats/endpoint-view.ts';
import type { LintedHost, LintRun } from '../../src/reports/formats/report.ts';
import { HtmlReport } from '../../src/reports/html/lint-report.ts';
import { pictureOf } from '../../src/reports/html/picture.ts';
import { lintedHost } from '../../src/reports/linted.ts';
import { addTotals, hostReport, noTotals } from '../../src/reports/totals.ts';
import { harmless } from '../../src/reports/words.ts';
import { judgement } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostFromTexts } from '../support/host.ts';
import { everyElement, type HtmlElement, ofClass, readHtml } from '../support/html.ts';

const run: LintRun = {
  profile: 'modern',
  version: '1.2.3',
  failOn: 'warning',
  base: 'file:///srv/mail/',
  pages: new Map(pages.map((page) => [page.id, page])),
  shard: null,
};

const MAIN = `# mx1
smtpd_banner = $myhostname ESMTP $mail_name <b>
smtpd_tls_cert_file = /etc/ssl/mx.pem
smtpd_tls_security_level = may
smtpd_tls_protocols = !SSLv2, !SSLv3
smtp_tls_security_level = may
# pfharden: ignore postfix/vrfy -- "our" <friends> ask
disable_vrfy_command = no
`;
const MASTER = `smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
smtp unix - - y - - smtp
`;

/** A host judged as the command line judges it, with what a page shows. */
function linted(files: Readonly<Record<string, string>>): LintedHost {
  const host = hostFromTexts(files, { postfix: '3.7.11', openssl: '3.0' });
  const profile = builtinProfile('modern');
  const { findings, suppressed } = judgement(host, BUILTIN_RULES, profile);
  const report = hostReport(host, findings, 'info', suppressed);
  addTotals(totals, report);
  return lintedHost(report, {
    ruleSet: BUILTIN_RULES,
    profile,
    runProfile: 'modern',
    diff: true,
    view: true,
  });
}

let totals = noTotals();
beforeEach(() => {
  totals = noTotals();
});

function pageOf(
  hosts: readonly LintedHost[],
  problems: readonly string[] = [],
  unchanged: number | null = null,
): HtmlElement {
  const report = new HtmlReport(run);
  return readHtml(
    [
      report.start(),
      ...hosts.map((host) => report.host(host)),
      report.end({
        totals,
        ignored: ['old'],
        leftOut: [{ path: 'etc/main.cf~', why: 'backup' }],
        unchanged,
        problems,
      }),
    ].join(''),
  );
}

function valuesOf(root: HtmlElement, name: string): readonly string[] {
  return everyElement(root).flatMap(({ attributes }) => attributes[name] ?? []);
}

describe('the page', () => {
  test('has one heading of the first order, names of its own, and links that lead somewhere on it', () => {
    const page = pageOf([linted({ 'main.cf': MAIN, 'master.cf': MASTER }), linted({ 'main.cf': '' })]);
    const elements = everyElement(page);
    expect(elements.filter(({ name }) => name === 'h1').map(({ text }) => text)).toEqual([
      expect.stringMatching(/^\d+ errors?, \d+ warnings and \d+ info on 2 hosts$/),
    ]);
    const ids = valuesOf(page, 'id');
    expect(new Set(ids).size).toBe(ids.length);
    const links = elements.filter(({ name }) => name === 'a').map(({ attributes }) => attributes.href ?? '');
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((link) => !ids.includes(link.replace(/^#/, '')))).toEqual([]);
    const labels = valuesOf(page, 'aria-labelledby');
    expect(labels.filter((label) => !ids.includes(label))).toEqual([]);
  });

  test('lets its own style and scripts run, and nothing else', () => {
    const page = pageOf([linted({ 'main.cf': MAIN, 'master.cf': MASTER })]);
    const elements = everyElement(page);
    const hashes = elements
      .filter(({ name }) => name === 'style' || name === 'script')
      .map(({ text }) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    const [style = '', early = '', late = ''] = hashes;
    expect(hashes).toHaveLength(3);
    const policy = elements.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
    expect(policy?.attributes.content).toBe(
      `default-src 'none'; style-src ${style}; script-src ${early} ${late}; img-src data:; base-uri 'none'; form-action 'none'`,
    );
    const names = new Set(elements.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...names].filter((name) => /^on|^style$|^src$|^action$/.test(name))).toEqual([]);
    const links = valuesOf(page, 'href').filter((link) => !link.startsWith('#'));
    expect(links).toEqual(['data:,']);
  });

  test('shows everything where no script runs', () => {
    const page = pageOf([linted({ 'main.cf': MAIN, 'master.cf': MASTER })]);
    const hidden = everyElement(page).filter(({ attributes }) => 'hidden' in attributes);
    expect(hidden.map(({ name }) => name).sort()).toEqual(['button', 'form', 'span']);
    expect(ofClass(page, 'host').every(({ attributes }) => 'open' in attributes)).toBe(true);
  });

  test('counts what the host has, by severity and rule', () => {
    const hosts = [linted({ 'main.cf': MAIN, 'master.cf': MASTER }), linted({ 'main.cf': MAIN })];
    const page = pageOf(hosts);
    ofClass(page, 'host').forEach((section, index) => {
      const { findings = [], suppressed = [] } = hosts[index] ?? {};
      const shown = ofClass(section, 'rule').flatMap((group) =>
        ofClass(group, 'finding').map((finding) => [
          group.attributes['data-severity'],
          group.attributes['data-rule'],
          ofClass(finding, 'message')[0]?.text,
        ]),
      );
      const expected = findings.map(({ severity, rule, message }) => [severity, rule, message]);
      expect(shown.length).toBeGreaterThan(3);
      expect(shown.map(String).sort()).toEqual(expected.map(String).sort());
      expect(ofClass(section, 'silenced').flatMap(({ text }) => text.match(/By the comment/g))).toHaveLength(
        suppressed.length,
      );
    });
    const [silenced] = ofClass(page, 'silenced');
    expect(silenced?.text).toContain('"our" <friends> ask');
    expect(silenced?.text).toContain('postfix/vrfy');
    const tiles = ofClass(page, 'n').map(({ text }) => Number(text));
    expect(tiles).toEqual([totals.error, totals.warning, totals.info]);
  });

  test('links each port to the gravest of its findings, with their number', () => {
    const host = linted({ 'main.cf': MAIN, 'master.cf': MASTER });
    const page = pageOf([host]);
    const rows = ofClass(page, 'found').flatMap(({ children: [link] }) => (link === undefined ? [] : [link]));
    const about = host.findings.filter(({ endpoints }) => endpoints.includes('smtp/inet'));
    const [row] = rows.filter(({ text }) => text.includes(`${about.length} findings`));
    expect(about.length).toBeGreaterThan(1);
    const target = everyElement(page).find(({ attributes }) => `#${attributes.id}` === row?.attributes.href);
    const gravest = ['error', 'warning', 'info'].find((name) =>
      about.some(({ severity }) => severity === name),
    );
    expect(row?.text).toMatch(new RegExp(`^\\s*${gravest}: `));
    const first = about.find(({ severity }) => severity === gravest);
    expect(ofClass(target as HtmlElement, 'message')[0]?.text).toBe(first?.message);
  });

  test('shows the lines of a place, what is to be changed, and why', () => {
    const page = pageOf([linted({ 'main.cf': MAIN, 'master.cf': MASTER })]);
    const group = ofClass(page, 'rule').find(
      ({ attributes }) => attributes['data-rule'] === 'postfix/server-protocols',
    );
    expect(ofClass(group as HtmlElement, 'frame')[0]?.text).toBe('5smtpd_tls_protocols = !SSLv2, !SSLv3\n');
    expect(group?.text).toContain('Set smtpd_tls_protocols = ');
    expect(group?.text).toContain('RFC 8996');
    const diff = ofClass(page, 'diff')[0];
    const lines = (name: string): readonly string[] =>
      diff?.children.filter((child) => child.name === name).map(({ text }) => text) ?? [];
    expect(lines('del')).toContain('-smtpd_tls_protocols = !SSLv2, !SSLv3');
    expect(lines('ins')).toContain('+smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1');
  });

  test('says what could not be read, and that there is nothing to report', () => {
    const page = pageOf([], ['etc/<main>.cf: no such file']);
    expect(ofClass(page, 'problem').map(({ text }) => text)).toEqual([
      'Not read: etc/<main>.cf: no such file',
    ]);
    expect(ofClass(page, 'left-out')[0]?.text).toContain('etc/main.cf~: ');
    expect(everyElement(page).find(({ name }) => name === 'h1')?.text).toBe('Nothing to report on 0 hosts');
    expect(ofClass(page, 'filter')).toEqual([]);
  });

  test('marks what is on changed lines, and says how many hosts are not shown', () => {
    const host = linted({ 'main.cf': MAIN, 'master.cf': MASTER });
    const findings = host.findings.map((finding, index) => ({ ...finding, changed: index === 1 }));
    const page = pageOf([{ ...host, findings }], [], 3);
    const marked = ofClass(page, 'finding').filter(({ attributes }) => 'data-changed' in attributes);
    expect(marked.map(({ text }) => text)).toEqual([expect.stringContaining('changed line')]);
    expect(marked[0]?.text).toContain(findings[1]?.message);
    expect(ofClass(page, 'lead')[0]?.text).toContain('3 hosts have no changed file and are not shown.');
    expect(ofClass(page, 'filter')[0]?.text).toMatch(/on changed lines 1\s/);
    expect(ofClass(pageOf([host]), 'filter')[0]?.text).not.toContain('changed');
  });

  test('shows no secret, in no place', () => {
    const page = pageOf([
      linted({ 'main.cf': `${MAIN}${'smtp_sasl_password_maps = inline:{a=hunter2horse}\n'.repeat(2)}` }),
    ]);
    expect(page.text).not.toContain('hunter2');
    expect(ofClass(page, 'frame').map(({ text }) => text)).toContain('9smtp_sasl_password_maps = (hidden)\n');
  });
});

describe('hostile texts', () => {
  const CHOSEN = [
    '<script>alert(1)</script>',
    '</style><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)",
    '{{danger}} ${danger} &amp; &#x27;',
    '\u202egnp.exe\u2066',
    '\u0000\u001b]0;title\u0007',
    '</pre></details></template>',
    '<!-- ]]> -->',
  ];
  const texts = fc.oneof(fc.constantFrom(...CHOSEN), fc.string({ unit: 'binary', maxLength: 40 }));
  const shape = (root: HtmlElement): string =>
    everyElement(root)
      .map(({ name }) => name)
      .join(' ');

  /** A host with the text wherever a configuration may bring it. */
  let host: LintedHost;
  beforeAll(() => {
    host = linted({ 'main.cf': MAIN, 'master.cf': MASTER });
  });

  function hostileHost(text: string): LintedHost {
    const [first] = host.findings;
    const [firstView] = host.view?.findings ?? [];
    const [endpoint] = host.view?.endpoints ?? [];
    const [silenced] = host.suppressed;
    if (!first || !host.view || !firstView || !endpoint || !silenced) throw new Error('no host');
    const at = { ...first.at, file: text };
    return {
      ...host,
      findings: [
        {
          ...first,
          message: text,
          advice: text,
          at,
          setting: text,
          actual: text,
          related: [{ at, message: `x${text}` }],
          fix: { title: text, safe: true, edits: null },
        },
      ],
      suppressed: [
        {
          finding: { ...silenced.finding, message: text },
          suppression: { ...silenced.suppression, reason: text },
        },
      ],
      view: {
        ...host.view,
        name: text,
        endpoints: [{ ...endpoint, id: text, address: text, notes: [text] }],
        findings: [
          {
            frame: {
              lines: [{ number: 1, before: text, marked: 'x', after: text }],
              several: false,
              to: null,
            },
            where: text,
            valueFrom: text,
            listing: [text],
            unfixable: null,
          },
        ],
      },
    };
  }

  test('change nothing of a page but the texts, and can be read there', () => {
    const benign = shape(pageOf([hostileHost('x')]));
    fc.assert(
      fc.property(texts, (text) => {
        const page = pageOf([hostileHost(`.${text}`)], []);
        expect(shape(page)).toBe(benign);
        const shownText = `.${text.split('\t').map(harmless).join('\t')}`;
        // What is no character of HTML, or is written otherwise by its parser, is not compared.
        const isPlain = !/[\r\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/.test(text);
        const message = isPlain ? ofClass(page, 'message')[0]?.text : shownText;
        expect(message).toBe(shownText);
      }),
      { numRuns: 60, examples: CHOSEN.map((text) => [text] as [string]) },
    );
  });
});

describe('the picture', () => {
  const endpoint: EndpointView = {
    id: 'smtp/inet',
    server: 'postfix',
    side: 'server',
    role: 'mx',
    address: '*',
    port: 25,
    public: true,
    assumed: false,
    mode: 'opportunistic',
    fault: '',
    protocols: {
      SSLv2: 'off',
      SSLv3: 'off',
      TLSv1: 'below',
      'TLSv1.1': 'off',
      'TLSv1.2': 'allowed',
      'TLSv1.3': 'allowed',
    },
    suites: { below: 1, noForwardSecrecy: 0, noAead: 9, best: 30, why: '1 RC4' },
    auth: { beforeTls: [], afterTls: ['PLAIN'] },
    notes: [],
  };
  const only = (view: Partial<EndpointView>) => {
    const { groups } = pictureOf([{ ...endpoint, ...view }], new Map());
    const [group] = groups;
    const [row] = group?.rows ?? [];
    if (group === undefined || row === undefined) throw new Error('no row');
    return { ...group, ...row };
  };

  test.each<[Partial<EndpointView>, string, string, string]>([
    [{}, 'in', 'Other mail servers', '25'],
    [{ role: 'submission', port: 587, address: '192.0.2.1' }, 'in', 'Mail programs of users', '587'],
    [{ role: 'imap', port: 143, public: false, address: '127.0.0.1' }, 'in', 'Programs on this host', '143'],
    [{ role: 'lmtp', port: null, address: 'private/lmtp' }, 'in', 'Programs on this host', 'socket'],
    [{ role: 'doveadm', port: 4567 }, 'in', 'Other hosts of yours', '4567'],
    [{ role: null, port: 25 }, 'in', 'Not known: a template says', '25'],
    [{ side: 'client', role: 'outbound', port: null }, 'out', 'Other mail servers', 'any server'],
    [
      {
        side: 'client',
        role: 'relay',
        id: 'smtp/unix>[relay.example]:587',
        address: 'relay.example',
        port: 587,
      },
      'out',
      'Named servers',
      '[relay.example]:587',
    ],
    [{ side: 'client', role: 'lmtp', port: null }, 'out', 'Mail stores, as transports say', 'any server'],
  ])('%j: who, and where', (view, direction, peer, place) => {
    expect(only(view)).toMatchObject({ direction, peer, place });
  });

  test.each<[Partial<EndpointView>, string, string]>([
    [{}, 'opportunistic', 'STARTTLS offered'],
    [{ side: 'client' }, 'opportunistic', 'STARTTLS where offered'],
    [{ mode: 'required' }, 'required', 'STARTTLS required'],
    [{ mode: 'implicit' }, 'implicit', 'TLS from the start'],
    [{ mode: 'none' }, 'none', 'no TLS'],
    [{ mode: null }, 'unknown', 'not known: a template says'],
    // What is announced and does not work leaves mail in the clear.
    [{ mode: 'opportunistic', fault: 'no certificate' }, 'none', 'TLS does not work: no certificate'],
  ])('%j: the line and its words', (view, line, mode) => {
    expect(only(view)).toMatchObject({ line, mode });
  });

  test('protocols and suites as bars', () => {
    const { protocols, spoken, suites } = only({});
    expect(protocols.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'SSL 3 off',
      'TLS 1.0 below',
      '1.1 off',
      '1.2 allowed',
      '1.3 allowed',
    ]);
    expect(spoken).toBe('below the profile: TLSv1; allowed by the profile: TLSv1.2 and TLSv1.3');
    expect(suites?.parts.map(({ kind }) => kind)).toEqual(['best', 'noAead', 'below']);
    expect(suites?.parts.map(({ x, width }) => x + width).at(-1)).toBeCloseTo(120, -1);
    expect(suites?.words).toMatch(/^40 suites: 30 with .*; 9 with .*; 1 below the profile \(1 RC4\)$/);
    expect(only({ suites: null })).toMatchObject({ suites: null, noSuites: 'suites not known' });
    const none = { below: 0, noForwardSecrecy: 0, noAead: 0, best: 0, why: '' };
    expect(only({ suites: none })).toMatchObject({ suites: null, noSuites: 'no suites' });
    const filled = { ...endpoint.protocols, TLSv1: null } as EndpointView['protocols'];
    expect(only({ protocols: filled })).toMatchObject({
      spoken: 'allowed by the profile: TLSv1.2 and TLSv1.3; not known: TLSv1',
      protocols: expect.arrayContaining([{ name: 'TLS 1.0', state: 'unknown' }]),
    });
    const old = { ...endpoint.protocols, SSLv2: 'below' } as EndpointView['protocols'];
    expect(only({ protocols: old }).protocols[0]).toEqual({ name: 'SSL 2', state: 'below' });
  });

  test('passwords that anybody on the way may read stand out', () => {
    expect(only({})).toMatchObject({ auth: 'logins after TLS', exposed: false });
    const auth = { beforeTls: null, afterTls: ['PLAIN'] };
    expect(only({ auth })).toMatchObject({ auth: 'logins before and after TLS', exposed: true });
    expect(only({ auth, public: false })).toMatchObject({ exposed: false });
  });

  test('TLS that speaks nothing is said to', () => {
    const protocols = {
      SSLv2: 'off',
      SSLv3: 'off',
      TLSv1: 'off',
      'TLSv1.1': 'off',
      'TLSv1.2': 'off',
      'TLSv1.3': 'off',
    } as const;
    const notes = (view: Partial<EndpointView>) =>
      pictureOf([{ ...endpoint, protocols, ...view }], new Map()).notes.map(({ text }) => text);
    expect(notes({})).toEqual(['TLS is on, and as these files stand no protocol works']);
    expect(notes({ mode: 'none' })).toEqual([]);
    expect(notes({ fault: 'no certificate' })).toEqual([]);
    expect(notes({ protocols: { ...protocols, 'TLSv1.2': null } })).toEqual([]);
  });

  test('a note is said once, with all ports that it is true of', () => {
    const { notes } = pictureOf(
      [
        { ...endpoint, notes: ['so'] },
        { ...endpoint, id: 'a', port: 587, notes: ['so', 'and so'] },
      ],
      new Map(),
    );
    expect(notes).toEqual([
      { places: '25, 587', text: 'so' },
      { places: '587', text: 'and so' },
    ]);
  });
});

describe('what the picture is made of', () => {
  const CIPHERS = [
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-SHA',
    'AES128-SHA',
    'AECDH-AES128-SHA',
    'AES256-GCM-SHA384',
  ];
  const main = `tls_high_cipherlist = ${CIPHERS.join(':')}:@SECLEVEL=0
smtpd_tls_ciphers = high
smtpd_tls_mandatory_ciphers = high
smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1.3
smtpd_tls_mandatory_protocols = !SSLv2, !SSLv3, !TLSv1.1, !TLSv1.3
smtpd_tls_cert_file = /etc/ssl/mx.pem
smtpd_tls_security_level = may
`;
  const master = `smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o smtpd_tls_security_level=encrypt
`;
  const viewsOf = (texts: Readonly<Record<string, string>>, profile: string) =>
    endpointViews(hostFromTexts(texts, { postfix: '3.7.11', openssl: '1.1.1' }), builtinProfile(profile));

  test.each([
    // Without AEAD or forward secrecy is bad enough for strict only where TLS is required; aNULL never is
    // with modern there, and with strict nowhere on a server.
    ['modern', 'smtp/inet', { best: 1, noAead: 2, noForwardSecrecy: 2, below: 0, why: '' }],
    [
      'modern',
      'submission/inet',
      { best: 1, noAead: 1, noForwardSecrecy: 2, below: 1, why: '1 no authentication' },
    ],
    [
      'strict',
      'smtp/inet',
      { best: 1, noAead: 1, noForwardSecrecy: 2, below: 1, why: '1 no authentication' },
    ],
    [
      'strict',
      'submission/inet',
      {
        best: 1,
        noAead: 0,
        noForwardSecrecy: 0,
        below: 4,
        why: '1 no authentication, 2 no forward secrecy, 3 no authenticated encryption',
      },
    ],
  ])('%s counts the suites of %s', (profile, id, expected) => {
    const views = viewsOf({ 'main.cf': main, 'master.cf': master }, profile);
    expect(views.find((view) => view.id === id)?.suites).toEqual(expected);
  });

  test('protocols, held against the profile', () => {
    const [mx, submission] = viewsOf({ 'main.cf': main, 'master.cf': master }, 'modern');
    const old = { SSLv2: 'off', SSLv3: 'off', TLSv1: 'below' };
    expect(mx?.protocols).toEqual({ ...old, 'TLSv1.1': 'below', 'TLSv1.2': 'allowed', 'TLSv1.3': 'off' });
    expect(submission?.protocols).toEqual({
      ...old,
      'TLSv1.1': 'off',
      'TLSv1.2': 'allowed',
      'TLSv1.3': 'off',
    });
    const [tolerant] = viewsOf({ 'main.cf': main, 'master.cf': master }, 'legacy-compatible');
    expect(tolerant?.protocols).toMatchObject({ TLSv1: 'allowed', 'TLSv1.1': 'allowed' });
  });

  test('what a template fills is open, the rest is known', () => {
    const [mx] = viewsOf(
      { 'main.cf': main.replace('= may', '= {{ level }}'), 'master.cf': master },
      'modern',
    );
    expect(mx).toMatchObject({ id: 'smtp/inet', role: 'mx', port: 25, mode: null, templated: true });
    expect(mx?.protocols).toMatchObject({ SSLv2: 'off', 'TLSv1.3': 'off', 'TLSv1.2': null });
  });
});
