import { pages } from 'virtual:builtin-rule-pages';
import { Ajv } from 'ajv';
import { exampleTexts } from '../../src/fix/example-run.ts';
import { explainJson, explainText } from '../../src/reports/explain.ts';
import { PLAIN } from '../../src/reports/palette.ts';
import { type PageView, rulePage } from '../../src/reports/rule-page.ts';
import { judgement } from '../../src/rules/evaluate.ts';
import { exampleText, type RulePage } from '../../src/rules/rule.ts';
import { BUILTIN_PROFILE_NAMES, BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { explainSchema } from '../cli/schemas.ts';
import { hostFromTexts } from '../support/host.ts';

const WIDTH = 80;
const profiles = BUILTIN_PROFILE_NAMES.map(builtinProfile);

const views = new Map<RulePage, PageView>();

/** The page with all its examples, made once for each rule. */
function viewOf(rule: RulePage): PageView {
  const view = views.get(rule) ?? made(rule);
  views.set(rule, view);
  return view;
}

function made(rule: RulePage, mostExamples?: number): PageView {
  return rulePage(rule, {
    ruleSet: BUILTIN_RULES,
    profiles,
    profileOf: (name = 'modern') => builtinProfile(name),
    width: WIDTH - 6,
    palette: PLAIN,
    ...(mostExamples === undefined ? {} : { mostExamples }),
  });
}

const texts = new Map<RulePage, string>();

/** The page as a terminal shows it, made once for each rule. */
function textOf(rule: RulePage): string {
  const text = texts.get(rule) ?? explainText(made(rule, 2), { width: WIDTH, palette: PLAIN });
  texts.set(rule, text);
  return text;
}

function page(id: string): RulePage {
  const found = pages.find((rule) => rule.id === id);
  if (found === undefined) throw new Error(`no page for ${id}`);
  return found;
}

const SECTIONS = [
  'Why',
  'How much it counts',
  'On the wire',
  'Background',
  'By hand',
  'By pfharden fix',
  'To silence it',
  'Reported',
  'Not reported',
];

const validate = new Ajv({ allowUnionTypes: true }).compile(explainSchema);

/** The rules that are silenced in an example when the comment of the page is put into it. */
function silencedWith(rule: RulePage, { comment, before }: PageView['silence']): string[] {
  const example = before === null ? undefined : rule.examples.bad[before.example];
  if (comment === null || before === null || example === undefined) return [];
  const [line = ''] = comment.text.split('\n');
  const lines = exampleText(example.files[comment.path] ?? '').split('\n');
  const file = [...lines.slice(0, before.line - 1), line, ...lines.slice(before.line - 1)].join('\n');
  const host = hostFromTexts({ ...exampleTexts(example), [comment.path]: file }, example);
  const { suppressed } = judgement(host, BUILTIN_RULES, builtinProfile(example.profile ?? 'modern'), {
    only: new Set([rule.id]),
  });
  return suppressed.map(({ finding }) => finding.rule);
}

describe.each(pages.map((rule) => ({ id: rule.id, rule })))('the page of $id', ({ id, rule }) => {
  test('begins with the rule and has its sections in their order', () => {
    const lines = textOf(rule).split('\n');
    expect(lines.slice(0, 2)).toEqual([id, rule.title]);
    const wanted = SECTIONS.filter(
      (title) =>
        !(title === 'On the wire' && rule.wire === undefined) &&
        !(title === 'Background' && rule.background === undefined) &&
        !(title === 'By hand' && rule.manual === undefined),
    );
    expect(lines.slice(2).filter((line) => SECTIONS.includes(line))).toEqual(wanted);
  });

  test('keeps its sentences within the width', () => {
    const long = textOf(rule)
      .split('\n')
      // What is six columns in are lines of files and of reports, which are not broken.
      .filter((line) => line.length > WIDTH && !line.startsWith('      '))
      // A word without a blank has no place to be broken at.
      .filter((line) => line.trim().includes(' '));
    expect(long).toEqual([]);
  });

  test('shows what lint says of each bad example, where it says it', () => {
    const { bad } = viewOf(rule);
    for (const [index, { findings, report }] of bad.entries()) {
      const wanted = rule.examples.bad[index]?.findings.map(({ file, from }) => `${file}:${from}`);
      expect(findings.map(({ file, line, column }) => `${file}:${line}:${column}`)).toEqual(wanted);
      expect(report.join('\n')).toContain(`[${id}]`);
    }
  });

  test('says how to silence it, and that silences it', () => {
    const { silence } = viewOf(rule);
    // What is said of comments is the one thing that no comment silences.
    expect(silence.comment === null).toBe(rule.applies.server === 'any');
    expect(silencedWith(rule, silence).includes(id)).toBe(silence.comment !== null);
  });

  test('as JSON follows its schema', () => {
    validate(explainJson(rule, viewOf(rule), profiles));
    expect(validate.errors).toBeNull();
  });
});

describe('a page', () => {
  test.each([
    ['postfix/relay-check-missing', ['error', 'error', 'error']],
    [
      'dovecot/cleartext-auth',
      ['error (`private`: warning)', 'error (`private`: warning)', 'error (`private`: warning)'],
    ],
    ['postfix/auth-on-mx', ['info', 'warning', 'error']],
  ])('of %s says how much it counts', (id, wanted) => {
    expect(viewOf(page(id)).levels.map(({ counts }) => counts)).toEqual(wanted);
  });

  test('says what mends it, as fix prints it', () => {
    const [first] = viewOf(page('dovecot/tls-optional')).bad;
    expect(first?.diffs).toEqual([
      [
        '--- a/dovecot.conf',
        '+++ b/dovecot.conf',
        '@@ -1,4 +1,4 @@',
        ' protocols = imap',
        '-ssl = yes',
        '+ssl = required',
        ' ssl_cert = </etc/ssl/certs/mail.pem',
        ' ssl_key = </etc/ssl/private/mail.key',
      ].join('\n'),
    ]);
  });

  test.each([
    [
      'a setting',
      'postfix/relay-check-missing',
      '# pfharden: ignore postfix/relay-check-missing -- the reason\nsmtpd_recipient_restrictions =',
    ],
    [
      'a service',
      'postfix/wrappermode-missing',
      '# pfharden: ignore postfix/wrappermode-missing -- the reason\nsmtps     inet  n  -  y  -  -  smtpd',
    ],
    [
      'a default, which no line sets,',
      'postfix/compatibility-level',
      '# pfharden: ignore-file postfix/compatibility-level -- the reason',
    ],
  ])('says how %s is silenced', (_, id, comment) => {
    const { silence } = viewOf(page(id));
    expect(silence.comment?.text).toBe(comment);
    expect(JSON.parse(silence.config)).toEqual({ severity: { [id]: 'off' } });
  });

  test('says where no comment reaches: a line of a table', () => {
    const rule = page('postfix/tls-policy');
    const { good, bad } = rule.examples;
    const { silence } = viewOf({ ...rule, examples: { good, bad: bad.slice(0, 1) } });
    expect(silence.comment).toBeNull();
  });

  test('gives the reason of the profile that another extends', () => {
    const rule: RulePage = {
      ...page('postfix/auth-on-mx'),
      rationale: { 'legacy-compatible': 'old', strict: 'new' },
    };
    expect(viewOf(rule).levels.map(({ why }) => why)).toEqual(['old', 'old', 'new']);
  });

  test('says that a rule without a reason counts alike, where it does', () => {
    const { rationale: _, ...alike } = page('dovecot/syntax');
    expect(viewOf(alike).rationale).toBe('It counts alike under each profile.');
    const { rationale: _other, ...differs } = page('postfix/auth-on-mx');
    expect(viewOf(differs).rationale).toBe('');
  });

  test('shows the lines and commands of each release', () => {
    const rule: RulePage = {
      ...page('postfix/auth-on-mx'),
      manual: [
        {
          releases: '>=2.10 <3.6',
          do: 'Write this.',
          lines: { 'main.cf': ['a = b', 'c = d'] },
          run: ['postfix reload'],
        },
      ],
    };
    const text = textOf(rule);
    expect(text.slice(text.indexOf('By hand'), text.indexOf('By pfharden fix'))).toBe(
      'By hand\n  Postfix 2.10 to before 3.6\n    Write this.\n    main.cf\n      a = b\n      c = d\n      $ postfix reload\n\n',
    );
  });
});
