import fc from 'fast-check';
import { FORMATS } from '../../src/reports/formats/index.ts';
import type { PlainFinding, PlainSuppressed } from '../../src/reports/formats/plain.ts';
import type { LintedHost, LintReport, LintRun } from '../../src/reports/formats/report.ts';
import { noTotals } from '../../src/reports/totals.ts';
import { readXml } from '../support/xml.ts';

const run: LintRun = {
  profile: 'modern',
  version: '1.2.3',
  failOn: 'warning',
  base: 'file:///srv/mail/',
  pages: new Map(),
  shard: null,
};

const finding: PlainFinding = {
  rule: 'postfix/server-protocols',
  severity: 'error',
  message: 'Port 25 takes TLSv1.',
  why: 'It is old.',
  advice: 'Set it to >=TLSv1.2.',
  at: { file: './etc/main.cf', line: 3, column: 1, endLine: 3, endColumn: 20 },
  endpoints: ['smtp/inet'],
  setting: 'smtpd_tls_protocols',
  actual: '!SSLv2',
  expected: '>=TLSv1.2',
  related: [{ at: { file: 'etc/master.cf', line: 1, column: 1, endLine: 1, endColumn: 5 }, message: 'here' }],
  fix: {
    title: 'set smtpd_tls_protocols to >=TLSv1.2',
    safe: true,
    edits: [
      {
        at: { file: './etc/main.cf', line: 3, column: 23, endLine: 3, endColumn: 29 },
        text: '>=TLSv1.2',
      },
    ],
  },
  references: ['RFC 8996'],
  fingerprint: '0123456789abcdef',
};

const silenced: PlainSuppressed = {
  finding: { ...finding, rule: 'postfix/banner', severity: 'info', fix: null, related: [] },
  suppression: {
    by: 'comment',
    reason: 'the name is ours',
    until: '2027-01-31',
    file: 'etc/main.cf',
    line: 2,
  },
};

function hostOf(findings: readonly PlainFinding[], suppressed: readonly PlainSuppressed[] = []): LintedHost {
  return { root: 'etc', head: { root: 'etc' }, findings, suppressed, diff: null, view: null };
}

function written(report: LintReport, hosts: readonly LintedHost[], problems: readonly string[] = []): string {
  const totals = noTotals();
  totals.hosts = hosts.length;
  for (const { findings, suppressed } of hosts) {
    totals.suppressed += suppressed.length;
    for (const { severity, fix } of findings) {
      totals[severity]++;
      if (fix !== null) totals.fixable++;
    }
  }
  return [
    report.start(),
    ...hosts.map((host, position) => report.host(host, position)),
    report.end({ totals, ignored: [], leftOut: [], unchanged: null, problems }),
  ].join('');
}

const texts = fc.string({ unit: 'binary', maxLength: 30 });

describe('github', () => {
  test('a command for each finding, the end of the columns included', () => {
    expect(written(FORMATS.github(run), [hostOf([finding])])).toBe(
      '::error file=etc/main.cf,line=3,endLine=3,col=1,endColumn=19,title=postfix/server-protocols::Port 25 takes TLSv1. Set it to >=TLSv1.2.\n',
    );
  });

  test('no columns where a finding spans lines', () => {
    const at = { ...finding.at, endLine: 4 };
    expect(written(FORMATS.github(run), [hostOf([{ ...finding, severity: 'info', at }])])).toMatch(
      /^::notice file=etc\/main\.cf,line=3,endLine=4,title=/,
    );
  });

  // The runner of Actions reads a command up to `::`, properties between commas, and takes the escapes back.
  test('the runner reads back what was written', () => {
    fc.assert(
      fc.property(texts, texts, (message, file) => {
        const at = { ...finding.at, file: `x${file}` };
        const lines = written(FORMATS.github(run), [hostOf([{ ...finding, message, at }])]).split('\n');
        expect(lines).toHaveLength(2);
        const [, properties = '', data = ''] = /^::error (.*?)::(.*)$/su.exec(lines[0] ?? '') ?? [];
        const name = properties.split(',')[0]?.replace(/^file=/, '') ?? '';
        const back = (text: string): string =>
          text
            .replaceAll('%2C', ',')
            .replaceAll('%3A', ':')
            .replaceAll('%0A', '\n')
            .replaceAll('%0D', '\r')
            .replaceAll('%25', '%');
        expect(back(name)).toBe(`x${file}`);
        expect(data.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%')).toBe(
          `${message} ${finding.advice}`,
        );
      }),
    );
  });
});

describe('gitlab', () => {
  test('issues with a fingerprint of their own in each file', () => {
    const other = { ...finding, at: { ...finding.at, file: 'mx2/main.cf' } };
    const issues: unknown = JSON.parse(written(FORMATS.gitlab(run), [hostOf([finding]), hostOf([other])]));
    expect(issues).toEqual([
      {
        type: 'issue',
        description: 'Port 25 takes TLSv1. Set it to >=TLSv1.2.',
        check_name: 'postfix/server-protocols',
        fingerprint: '0123456789abcdef-etc/main.cf',
        severity: 'critical',
        location: { path: 'etc/main.cf', lines: { begin: 3, end: 3 } },
      },
      expect.objectContaining({
        fingerprint: '0123456789abcdef-mx2/main.cf',
        location: { path: 'mx2/main.cf', lines: { begin: 3, end: 3 } },
      }),
    ]);
  });

  test('an empty list where nothing was found', () => {
    expect(JSON.parse(written(FORMATS.gitlab(run), []))).toEqual([]);
  });
});

describe('checkstyle', () => {
  test('findings by file', () => {
    const second = { ...finding, at: { ...finding.at, line: 9, column: 2 } };
    const root = readXml(written(FORMATS.checkstyle(run), [hostOf([finding, second])]));
    expect(root).toMatchObject({
      name: 'checkstyle',
      children: [
        {
          name: 'file',
          attributes: { name: './etc/main.cf' },
          children: [
            {
              name: 'error',
              attributes: {
                line: '3',
                column: '1',
                severity: 'error',
                message: 'Port 25 takes TLSv1. Set it to >=TLSv1.2.',
                source: 'pfharden.postfix/server-protocols',
              },
            },
            { attributes: { line: '9', column: '2' } },
          ],
        },
      ],
    });
  });

  test('is well-formed for any text, and gives back what XML can say', () => {
    fc.assert(
      fc.property(texts, texts, (message, file) => {
        const at = { ...finding.at, file };
        const root = readXml(written(FORMATS.checkstyle(run), [hostOf([{ ...finding, message, at }])]));
        const said = root.children[0]?.children[0]?.attributes.message;
        // oxlint-disable-next-line no-control-regex -- these are what XML and terminals do not take
        const sayable = /^[\t\n\r\u0020-\u007e\u00a0-\u1fff\u3000-\ud7ff]*$/.test(message);
        expect(said === `${message} ${finding.advice}` || !sayable).toBe(true);
      }),
    );
  });
});

describe('junit', () => {
  test('fails for what fails the run, passes the rest, skips what is silenced', () => {
    const light = { ...finding, severity: 'info' as const };
    const root = readXml(written(FORMATS.junit(run), [hostOf([finding, light], [silenced])]));
    const [suite] = root.children;
    expect(suite?.attributes).toEqual({ name: 'etc', tests: '3', failures: '1', errors: '0', skipped: '1' });
    expect(suite?.children.map(({ children }) => children[0]?.name)).toEqual([
      'failure',
      'system-out',
      'skipped',
    ]);
    expect(suite?.children[0]?.attributes).toEqual({
      classname: './etc/main.cf',
      name: 'postfix/server-protocols at ./etc/main.cf:3:1',
      file: './etc/main.cf',
      line: '3',
    });
    expect(suite?.children[2]?.children[0]?.attributes.message).toBe(
      'silenced by a comment: the name is ours',
    );
  });

  test('a host without findings is a case that passes', () => {
    const root = readXml(written(FORMATS.junit(run), [hostOf([])]));
    expect(root.children[0]?.attributes).toMatchObject({ tests: '1', failures: '0' });
    expect(root.children[0]?.children[0]?.children).toEqual([]);
  });
});

describe('ndjson', () => {
  test('one object a line: run, host, findings, silenced, summary', () => {
    const lines = written(FORMATS.ndjson(run), [hostOf([finding], [silenced])]).split('\n');
    expect(lines.pop()).toBe('');
    const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects.map(({ type }) => type)).toEqual(['run', 'host', 'finding', 'suppressed', 'summary']);
    expect(objects[2]).toMatchObject({ root: 'etc', rule: finding.rule, line: 3, fix: { safe: true } });
    expect(objects[3]).toMatchObject({ suppression: { reason: 'the name is ours' } });
    expect(objects[4]).toMatchObject({ error: 1, suppressed: 1, fixable: 1 });
  });
});

describe('markdown', () => {
  test('the gravest first, and the diff folded in a fence that it cannot close', () => {
    const info = { ...finding, severity: 'info' as const, message: 'first <b>in</b> | the file' };
    const host = { ...hostOf([info, finding]), diff: '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-```\n+y\n' };
    const text = written(FORMATS.markdown(run), [host]);
    expect(text).toMatch(/^### pfharden: 1 error, 0 warnings, 1 info in 1 host\n/);
    expect(text.indexOf('🛑 error')).toBeLessThan(text.indexOf('ℹ️ info'));
    expect(text).toContain('first \\<b\\>in\\</b\\> \\| the file');
    expect(text).toContain('\n````diff\n--- a/x\n');
    expect(text).toContain('\n+y\n````\n\n</details>');
  });

  test('names what it leaves out', () => {
    const many = Array.from({ length: 40 }, (_, line) => ({
      ...finding,
      at: { ...finding.at, line: line + 1 },
    }));
    const text = written(FORMATS.markdown(run), [hostOf(many)]);
    expect(text.split('\n').filter((line) => line.startsWith('| 🛑'))).toHaveLength(30);
    expect(text).toContain('… and 10 more');
  });

  test('says what could not be read', () => {
    expect(written(FORMATS.markdown(run), [], ['etc/main.cf: permission denied'])).toContain(
      '**Not read:** etc/main.cf: permission denied',
    );
  });
});

describe('sarif', () => {
  const document = (hosts: readonly LintedHost[], problems: readonly string[] = []) =>
    JSON.parse(written(FORMATS.sarif(run), hosts, problems)) as {
      version: string;
      runs: {
        results: Record<string, unknown>[];
        tool: { driver: { rules: Record<string, unknown>[] } };
        [key: string]: unknown;
      }[];
    };

  test('a result with its places, fingerprint and fix', () => {
    const { version, runs } = document([hostOf([finding])]);
    expect(version).toBe('2.1.0');
    expect(runs[0]?.columnKind).toBe('utf16CodeUnits');
    expect(runs[0]?.originalUriBaseIds).toEqual({ SRCROOT: { uri: 'file:///srv/mail/' } });
    expect(runs[0]?.results).toEqual([
      {
        ruleId: 'postfix/server-protocols',
        ruleIndex: 0,
        level: 'error',
        message: { text: 'Port 25 takes TLSv1. Set it to >=TLSv1.2.' },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'etc/main.cf', uriBaseId: 'SRCROOT' },
              region: { startLine: 3, startColumn: 1, endLine: 3, endColumn: 20 },
            },
          },
        ],
        relatedLocations: [
          {
            id: 0,
            physicalLocation: {
              artifactLocation: { uri: 'etc/master.cf', uriBaseId: 'SRCROOT' },
              region: { startLine: 1, startColumn: 1, endLine: 1, endColumn: 5 },
            },
            message: { text: 'here' },
          },
        ],
        partialFingerprints: { 'pfharden/v1': '0123456789abcdef' },
        fixes: [
          {
            description: { text: 'set smtpd_tls_protocols to >=TLSv1.2' },
            artifactChanges: [
              {
                artifactLocation: { uri: 'etc/main.cf', uriBaseId: 'SRCROOT' },
                replacements: [
                  {
                    deletedRegion: { startLine: 3, startColumn: 23, endLine: 3, endColumn: 29 },
                    insertedContent: { text: '>=TLSv1.2' },
                  },
                ],
              },
            ],
          },
        ],
        properties: {
          endpoints: ['smtp/inet'],
          setting: 'smtpd_tls_protocols',
          actual: '!SSLv2',
          expected: '>=TLSv1.2',
        },
      },
    ]);
  });

  test('what is silenced keeps its reason and its place', () => {
    const { runs } = document([hostOf([], [silenced])]);
    expect(runs[0]?.results[0]?.suppressions).toEqual([
      {
        kind: 'inSource',
        status: 'accepted',
        justification: 'the name is ours, until 2027-01-31',
        location: {
          physicalLocation: {
            artifactLocation: { uri: 'etc/main.cf', uriBaseId: 'SRCROOT' },
            region: { startLine: 2 },
          },
        },
      },
    ]);
  });

  test('each rule once, as grave as its gravest result, and results that point to it', () => {
    const light = { ...finding, severity: 'warning' as const };
    const { runs } = document([hostOf([light]), hostOf([{ ...light, rule: 'postfix/banner' }, finding])]);
    expect(runs[0]?.results.map(({ ruleIndex }) => ruleIndex)).toEqual([0, 1, 0]);
    expect(
      runs[0]?.tool.driver.rules.map(({ id, defaultConfiguration, properties }) => [
        id,
        defaultConfiguration,
        properties,
      ]),
    ).toEqual([
      [
        'postfix/server-protocols',
        { level: 'error' },
        { tags: ['security'], precision: 'very-high', 'security-severity': '8.0' },
      ],
      [
        'postfix/banner',
        { level: 'warning' },
        { tags: ['security'], precision: 'very-high', 'security-severity': '5.5' },
      ],
    ]);
  });

  test('paths that are no URI, and a run that could not read all', () => {
    const at = { ...finding.at, file: 'a b/ü#%.cf' };
    const { runs } = document([hostOf([{ ...finding, at, fix: null }])], ['x: permission denied']);
    expect(JSON.stringify(runs[0]?.results[0]?.locations)).toContain('"uri":"a%20b/%C3%BC%23%25.cf"');
    expect(runs[0]?.invocations).toEqual([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [{ level: 'error', message: { text: 'x: permission denied' } }],
      },
    ]);
    const absolute = { ...finding, fix: null, at: { ...finding.at, file: '/etc/postfix/main.cf' } };
    expect(JSON.stringify(document([hostOf([absolute])]).runs[0]?.results[0]?.locations)).toContain(
      '"artifactLocation":{"uri":"file:///etc/postfix/main.cf"}',
    );
  });

  test('a fix whose text would show a secret is left out', () => {
    const fix = { title: 'move it', safe: true, edits: null };
    expect(document([hostOf([{ ...finding, fix }])]).runs[0]?.results[0]).not.toHaveProperty('fixes');
  });
});
