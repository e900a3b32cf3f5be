import fc from 'fast-check';
import { parseTemplate } from '../../src/text/template.ts';
import { holds, parseCondition } from '../../src/text/template-conditions.ts';

/** Renders with the conditions that are named true, loops run `times` times, and holes shown as `‹…›`. */
function rendered(
  lines: readonly string[],
  values: Readonly<Record<string, string>> = {},
  times = '1',
): string[] {
  const template = parseTemplate(lines.join('\n'), () => false);
  if (template === null) return [...lines];
  return template
    .render(
      (subject) => values[subject] ?? (subject.startsWith('for ') ? times : ''),
      ({ text }) => `‹${text}›`,
    )
    .text.split('\n')
    .filter((line) => line.trim() !== '');
}

describe('what is no template', () => {
  test.each([
    ['Postfix', 'smtpd_banner = $myhostname ESMTP ${mail_name} ${smtpd_tls_cert_file?{a}:{b}}'],
    ['macros of milters', 'milter_mail_macros = i {mail_addr} {client_addr} {auth_type}'],
    ['a table in place', 'transport_maps = inline:{{a.example=smtp}, {b.example=relay:[c]:25}}'],
    ['patterns in place', 'header_checks = regexp:{{/^(A|B):/ IGNORE}}, pcre:{{/^\\s{2}/ REJECT}}'],
    ['a braced override', '  -o { smtpd_sender_restrictions = permit }'],
    ['variables of Dovecot', 'mail_location = maildir:/m/%d/%n:INDEX=%{home}/i # 95%% of %Lu'],
    ['a log format of Dovecot', 'login_log_format_elements = user=<%u> method=%m session=<%{session}>'],
    ['words in a comment', '# set ${DOMAIN} and __HOST__, and mail to @USER@'],
    ['addresses', 'canonical_maps = a@b.example@c.example'],
    ['an unfinished tag', 'mail_home = {{ home'],
  ])('%s', (_, line) => {
    expect(parseTemplate(line, () => false)).toBeNull();
  });
});

describe('holes', () => {
  test.each([
    ['Jinja', 'a = {{ x | default("}") }}', 'a = ‹{{ x | default("}") }}›'],
    ['Helm', 'a = {{ .Values.host | quote }}:25', 'a = ‹{{ .Values.host | quote }}›:25'],
    ['Handlebars, three braces', 'a = {{{x}}}', 'a = ‹{{{x}}}›'],
    ['ERB and EPP', 'a = [<%= @relay -%>]', 'a = [‹<%= @relay -%>›]'],
    [
      'a shell',
      'a = ${MAIL_HOST}, $MAIL_DOMAIN, ${TLS:-may}',
      'a = ‹${MAIL_HOST}›, ‹$MAIL_DOMAIN›, ‹${TLS:-may}›',
    ],
    [
      'marks of sed',
      'a = mx.__DOMAIN__ @HOST@ %%PORT%% {MTA_HOSTNAME}',
      'a = mx.‹__DOMAIN__› ‹@HOST@› ‹%%PORT%%› ‹{MTA_HOSTNAME}›',
    ],
    ['a variable for a table of patterns', 'a = regexp:{{ dir }}/checks', 'a = regexp:‹{{ dir }}›/checks'],
    ['a text in a tag', "a = b{{ ' ' }}c", 'a = b c'],
  ])('%s', (_, line, expected) => {
    expect(rendered([line])).toEqual([expected]);
  });

  it('are no holes where the caller knows them for the own words of the server', () => {
    expect(parseTemplate('a = $OWN', ({ name }) => name === 'OWN')).toBeNull();
  });
});

describe('branches', () => {
  const branches: readonly (readonly [string, readonly string[]])[] = [
    [
      'Jinja',
      ['{% if a %}', 'x = 1', '{% elif b == "c" %}', 'x = 2', '{%- else -%}', 'x = 3', '{% endif %}'],
    ],
    [
      'Jinja in comments',
      ['# {% if a %}', 'x = 1', '# {% elif b == "c" %}', 'x = 2', '# {% else %}', 'x = 3', '# {% endif %}'],
    ],
    [
      'Go',
      ['{{ if .a }}', 'x = 1', '{{- else if eq .b "c" }}', 'x = 2', '{{ else }}', 'x = 3', '{{- end }}'],
    ],
    ['Handlebars', ['{{#if a}}', 'x = 1', '{{else if eq b "c"}}', 'x = 2', '{{else}}', 'x = 3', '{{/if}}']],
    ['ERB', ['<% if a -%>', 'x = 1', '<% elsif b == "c" -%>', 'x = 2', '<% else -%>', 'x = 3', '<% end -%>']],
    [
      'EPP',
      [
        '<% if $a { -%>',
        'x = 1',
        '<% } elsif $b == "c" { -%>',
        'x = 2',
        '<% } else { -%>',
        'x = 3',
        '<% } -%>',
      ],
    ],
  ];
  test.each(branches)('%s', (_, lines) => {
    const of = (values: Readonly<Record<string, string>>): string[] =>
      rendered(lines, values).filter((line) => !line.startsWith('#'));
    const name = (plain: string): string =>
      [plain, `.${plain}`, `$${plain}`].find((one) =>
        parseTemplate(lines.join('\n'), () => false)?.subjects.has(one),
      ) ?? plain;
    expect(of({ [name('a')]: 'yes' })).toEqual(['x = 1']);
    expect(of({ [name('b')]: 'c' })).toEqual(['x = 2']);
    expect(of({})).toEqual(['x = 3']);
  });

  it('go by one condition wherever it is written', () => {
    const lines = ['{% if tls | bool %}', 'a = 1', '{% endif %}', '{% if not tls %}', 'a = 2', '{% endif %}'];
    expect(rendered(lines, { tls: 'yes' })).toEqual(['a = 1']);
    expect(rendered(lines)).toEqual(['a = 2']);
  });

  it('of unless and case', () => {
    const lines = [
      '<% unless a -%>',
      'x = 1',
      '<% end -%>',
      '<% case b -%>',
      "<% when 'c' -%>",
      'y = 1',
      '<% else -%>',
      'y = 2',
      '<% end -%>',
    ];
    expect(rendered(lines, { b: 'c' })).toEqual(['x = 1', 'y = 1']);
    expect(rendered(lines, { a: 'yes' })).toEqual(['y = 2']);
  });

  it('within a line', () => {
    expect(rendered(['a = b{% if c %}, d{% endif %}'], { c: 'yes' })).toEqual(['a = b, d']);
    expect(rendered(['a = b{% if c %}, d{% endif %}'])).toEqual(['a = b']);
  });

  test.each([
    ['Jinja', ['{% for x in xs %}', 'a = {{ x }}', '{% else %}', 'a = none', '{% endfor %}'], '{{ x }}'],
    ['ERB', ['<% @xs.each do |x| -%>', 'a = <%= x %>', '<% end -%>'], '<%= x %>'],
    ['EPP', ['<% $xs.each |$x| { -%>', 'a = <%= $x %>', '<% } -%>'], '<%= $x %>'],
    ['Go', ['{{ range $x := .xs }}', 'a = {{ $x }}', '{{ end }}'], '{{ $x }}'],
    ['Handlebars', ['{{#each xs}}', 'a = {{this}}', '{{/each}}'], '{{this}}'],
  ])('loops of %s', (engine, lines, hole) => {
    expect(rendered(lines, {}, '2')).toEqual([`a = ‹${hole}›`, `a = ‹${hole}›`]);
    expect(rendered(lines, {}, '0')).toEqual(engine === 'Jinja' ? ['a = none'] : []);
  });

  it('what is not printed', () => {
    expect(
      rendered([
        '{# a',
        'b = 1 #}',
        '{% set c = 1 %}',
        '{% macro d() %}',
        'e = 1',
        '{% endmacro %}',
        '{% raw %}',
        'f = {{ g }}',
        '{% endraw %}',
        '<%# h -%>',
        '{{! i }}',
      ]),
    ).toEqual(['f = {{ g }}']);
  });

  it('strips white space as the engine does', () => {
    expect(rendered(['a = b', '  {%- if c -%}', '  d', '  {%- endif %}', 'e = f'], { c: 'yes' })).toEqual([
      'a = bd',
      'e = f',
    ]);
    expect(rendered(['a = b', '{{- "\\n" }}', 'c = d'])).toEqual(['a = b', 'c = d']);
  });

  test.each([
    ['an end without a beginning', ['{% endif %}', 'a = b']],
    ['a beginning without an end', ['<% if a %>', 'b = c']],
    ['an end of another engine', ['{% if a %}', '<% end %>', '{% endif %}']],
  ])('%s is not understood, and said to be so', (_, lines) => {
    expect(parseTemplate(lines.join('\n'), () => false)?.isSound).toBe(false);
  });
});

describe('conditions', () => {
  test.each([
    ['a and b', { a: 'x', b: 'x' }, true],
    ['a and b', { a: 'x' }, false],
    ['a or b', { b: 'x' }, true],
    ['not (a or b)', {}, true],
    ['!a && b', { b: 'x' }, true],
    ['a == "b or c"', { a: 'b or c' }, true],
    ["a != 'b'", { a: 'c' }, true],
    ['a is not defined', {}, true],
    ['a | default(false) | bool', { a: 'x' }, true],
    ['a', { a: 'False' }, false],
    ['ne .a "b"', { '.a': 'b' }, false],
  ])('%s with %j', (words, values: Readonly<Record<string, string>>, expected) => {
    expect(holds(parseCondition(words), (subject) => values[subject] ?? '')).toBe(expected);
  });
});

describe('places', () => {
  const text = 'a = 1\n{% if b %}\nc = {{ d }}, e\n{% endif %}\nf = 2\n';
  const template = parseTemplate(text, () => false);
  const of = (value: string) =>
    template?.render(
      () => value,
      () => 'filled',
    );

  it('of a rendering are found in the template', () => {
    const on = of('yes');
    const at = on?.text.indexOf('f = 2') ?? -1;
    expect(on?.back({ start: at, end: at + 5 })).toEqual({
      start: text.indexOf('f = 2'),
      end: text.indexOf('f = 2') + 5,
    });
    const hole = on?.text.indexOf('lled') ?? -1;
    expect(on?.back({ start: hole, end: hole + 2 })).toEqual({
      start: text.indexOf('{{'),
      end: text.indexOf('}}') + 2,
    });
  });

  it('that an engine fills or chooses are not to be changed', () => {
    const on = of('yes');
    const start = on?.text.indexOf('c = ') ?? -1;
    const end = on?.text.indexOf(', e') ?? -1;
    expect(on?.backUnfilled({ start, end: start + 4 })).toEqual({
      start: text.indexOf('c ='),
      end: text.indexOf('c =') + 4,
    });
    expect(on?.backUnfilled({ start, end: end + 3 })).toBeNull();
    const off = of('');
    expect(off?.backUnfilled({ start: 0, end: off.text.length })).toBeNull();
  });

  it('of an insertion stay with the text before them', () => {
    const after = of('yes')?.text.indexOf('\n\nf') ?? -1;
    expect(of('yes')?.backUnfilled({ start: after + 1, end: after + 1 })?.start).toBe(
      text.indexOf('{% endif'),
    );
  });

  it('that a rendering lacks are known', () => {
    expect(of('yes')?.has(text.indexOf('c ='))).toBe(true);
    expect(of('')?.has(text.indexOf('c ='))).toBe(false);
    expect(of('')?.has(text.indexOf('f ='))).toBe(true);
  });

  it('of plain text are its own, whatever surrounds it', () => {
    const word = fc.constantFrom(
      'a = b\n',
      '{{ x }}',
      '{% if y %}',
      '{% endif %}',
      '{%- else %}',
      ' ',
      '\n',
      '<%= z %>',
      '$Q',
      '__W__',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), fc.boolean(), (words, on) => {
        const whole = words.join('');
        const result = parseTemplate(whole, () => false)?.render(
          () => (on ? '1' : ''),
          () => '\u2022',
        );
        if (result === undefined) return;
        for (let at = 0; at < result.text.length; at++) {
          if (result.text[at] === '\u2022') continue;
          const { start, end } = result.back({ start: at, end: at + 1 });
          expect(whole.slice(start, end)).toBe(result.text[at]);
          expect(result.has(start)).toBe(true);
        }
      }),
    );
  });
});

describe('what a text has of its template', () => {
  const lines = [
    '{% if a %}',
    'x',
    '{% else %}',
    '{{ h }}',
    '{% endif %}',
    '{% for i in l %}',
    '{{ h }}',
    '{% endfor %}',
  ];
  const made = (decide: Readonly<Record<string, string>>, times: string, hole: string) => {
    const template = parseTemplate(lines.join('\n'), () => false);
    const result = template?.render(
      (subject) => decide[subject] ?? (subject.startsWith('for ') ? times : ''),
      () => hole,
    );
    if (result === undefined) throw new Error('no template');
    return result;
  };

  test('tells where each part begins', () => {
    const text = lines.join('\n');
    const holes = [text.indexOf('{{ h'), text.lastIndexOf('{{ h')];
    const hasHoles = (decide: Readonly<Record<string, string>>, times: string): boolean[] =>
      holes.map((hole) => made(decide, times, 'f').starts.includes(hole));
    expect(hasHoles({ a: 'x' }, '0')).toEqual([false, false]);
    expect(hasHoles({ a: '' }, '0')).toEqual([true, false]);
    expect(hasHoles({ a: 'x' }, '2')).toEqual([false, true]);
  });
});
