/** Cipher strings of a size, in characters: each repeats what costs the most of its kind. */
export function longCipherStrings(size: number): (readonly [what: string, text: string])[] {
  return ['ALL:-ALL:', '+DH:', 'A:', '@STRENGTH:ALL:', 'FOO+', 'AES+', '!%:', ':', 'x'].map((unit) => [
    unit,
    `ALL:${unit.repeat(size / unit.length)}`,
  ]);
}

/** PEM files of a size, in characters, that hold no certificate however long one reads. */
export function longPemFiles(size: number): (readonly [what: string, text: string])[] {
  return ['-----BEGIN A-----\n', 'a: b\n', 'AAAA\n'].map((line) => [
    line.trim(),
    `-----BEGIN A-----\n${line.repeat(size / line.length)}`,
  ]);
}

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
