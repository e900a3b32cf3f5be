/**
 * Inputs that a careless reader takes quadratic time for, by name: the tests read them once, the bench
 * measures how the time grows with their size.
 *
 * @param size characters, about
 */
export function growthInputs(size: number): (readonly [what: string, text: string])[] {
  const text = (line: string): string => line.repeat(Math.ceil(size / line.length));
  const half = size / 2;
  return [
    ['entries', text('smtpd_tls_protocols = !SSLv2, !SSLv3\n')],
    ['continuations', `a = b\n${text(' c\n# d\n')}`],
    ['one line', `a = ${text('b ')}`],
    ['white space', `a =${text(' ')}`],
    ['NUL', text('a = \0b\n')],
    ['indented', text(' a\n')],
    ['services', text('smtp inet n - n - - smtpd -o a=b\n')],
    ['overrides', `smtp inet n - n - - smtpd ${text('-o a=b\n ')}`],
    ['strays', `smtp inet n - n - - smtpd ${text('-o a = b -o c=, d ')}`],
    ['open braces', `smtp inet n - n - - smtpd ${text('{')}`],
    ['nested braces', `smtp inet n - n - - smtpd ${text('{').slice(half)}${text('}').slice(half)}`],
    ['joined braces', `smtp inet n - n - - smtpd ${text('-o{a=b} ')}`],
  ];
}
