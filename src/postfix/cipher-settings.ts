import type { Effective, PostfixConfiguration } from './configuration.ts';
import { hasFeature } from './parameters.ts';
import type { Service } from './services.ts';

/**
 * How Postfix makes the cipher string that it hands to OpenSSL: the list of a grade, and `:!NAME` for
 * each exclusion. TLSv1.3 suites are no part of it. Facts: postfix-tls §2; tls_set_ciphers() of
 * tls_misc.c, smtpd_start_tls() of smtpd.c, tlsp_server_start_pre_handshake() of tlsproxy.c,
 * set_cipher_grade() of smtp_tls_policy.c, releases 2.6 to 3.12.
 */

/** First part of the names of an endpoint's TLS parameters. */
export type TlsFamily = 'smtpd' | 'smtp' | 'lmtp' | 'tlsproxy';

/** Grades, strongest first (tls_cipher_grade_table of tls_misc.c). */
export const CIPHER_GRADES = ['high', 'medium', 'low', 'export', 'null'] as const;

/** A grade of ciphers. */
export type CipherGrade = (typeof CIPHER_GRADES)[number];

/** What keeps every handshake from succeeding, whatever the protocol. */
export type CipherFault =
  /** A grade, a list of ciphers or of curves is empty: the program does not start. */
  | 'empty-cipher-setting'
  /** A word that is no grade: each session ends before its handshake. */
  | 'invalid-cipher-grade'
  /** An exclusion that begins with `!`, `+`, `-` or `@`: the same. */
  | 'invalid-cipher-exclusion';

/** A word of the exclusions that count on an endpoint. */
export interface CipherExclusion {
  /** As written; `aNULL` and `eNULL` where Postfix excludes them by itself. */
  readonly text: string;
  /** The parameter that holds it; null for a policy's attribute and for what a level excludes by itself. */
  readonly from: Effective | null;
  /** Offset in the value of `from`, or in the attribute. */
  readonly at: number;
  /** False: it begins with an operator, and no handshake succeeds. */
  readonly valid: boolean;
}

/** The settings that decide on the ciphers of an endpoint, and what they come to. */
export interface CipherSettings {
  /** The parameter with the grade that counts; null where a TLS policy has an attribute of its own. */
  readonly gradeFrom: Effective | null;
  /** As the release reads it, in lower case; null: no grade. */
  readonly grade: CipherGrade | null;
  /** The parameter with the list of the grade: that of medium for what a release no longer tells from it. */
  readonly listFrom: Effective | null;
  /** In the order in which Postfix appends them. */
  readonly exclusions: readonly CipherExclusion[];
  /** What OpenSSL gets; null where it gets nothing. */
  readonly string: string | null;
  readonly fault: CipherFault | null;
}

/** What decides which parameters count. */
export interface CipherUse {
  readonly family: TlsFamily;
  /** The service whose overrides count. */
  readonly service: Service | null;
  /** TLS is mandatory. */
  readonly mandatory: boolean;
  /** What Postfix excludes by itself, last. */
  readonly added: readonly string[];
  /** Attributes `ciphers` and `exclude` of a TLS policy; each takes the place of the parameters. */
  readonly policy?: { readonly ciphers: string | null; readonly exclude: string | null };
}

/** Separators of exclusions (CHARS_COMMA_SP and `:`). */
const EXCLUSIONS = /[^ \t\r\n,:]+/g;

/** Lists that tls_param_init() wants not to be empty, those of weak grades as long as the release has them. */
const LISTS: readonly CipherGrade[] = ['high', 'medium', 'null'];
const WEAK_LISTS: readonly CipherGrade[] = ['low', 'export'];
const CURVES = ['tls_eecdh_auto_curves', 'tls_eecdh_strong_curve', 'tls_eecdh_ultra_curve'];

/** Works out which settings count and what string they make. */
export function cipherSettings(configuration: PostfixConfiguration, use: CipherUse): CipherSettings {
  const { family, service, mandatory, added, policy } = use;
  const mandatoryInfix = mandatory ? 'mandatory_' : '';
  const ownGrade = policy?.ciphers ?? null;
  const ownExclusions = policy?.exclude ?? null;
  const gradeFrom =
    ownGrade === null ? configuration.get(`${family}_tls_${mandatoryInfix}ciphers`, service) : null;
  const grade = readGrade(ownGrade ?? gradeFrom?.value ?? '');
  const listFrom =
    grade === null ? null : configuration.get(`tls_${listOf(configuration, grade)}_cipherlist`, service);
  const exclusions = [
    ...(ownExclusions !== null
      ? wordsOf(ownExclusions, null)
      : [
          ...exclusionsOf(configuration, `${family}_tls_exclude_ciphers`, service),
          ...(mandatory
            ? exclusionsOf(configuration, `${family}_tls_mandatory_exclude_ciphers`, service)
            : []),
        ]),
    ...added.map((text) => ({ text, from: null, at: 0, valid: true })),
  ];
  const fault = faultOf(configuration, use, grade, exclusions);
  const string =
    fault === null && listFrom !== null
      ? [listFrom.value, ...exclusions.map(({ text }) => `!${text}`)].join(':')
      : null;
  return { gradeFrom, grade, listFrom, exclusions, string, fault };
}

/** name_code() knows no case. */
function readGrade(text: string): CipherGrade | null {
  return CIPHER_GRADES.find((grade) => grade === text.toLowerCase()) ?? null;
}

/** The grade whose list counts: of a release without low and export, that of medium. */
function listOf({ release }: PostfixConfiguration, grade: CipherGrade): CipherGrade {
  return WEAK_LISTS.includes(grade) && hasFeature(release, 'weakGradesAreMedium') ? 'medium' : grade;
}

function exclusionsOf(
  configuration: PostfixConfiguration,
  name: string,
  service: Service | null,
): CipherExclusion[] {
  const from = configuration.get(name, service);
  return wordsOf(from.value, from);
}

function wordsOf(text: string, from: Effective | null): CipherExclusion[] {
  return exclusionWords(text).map((word) => ({ ...word, from, valid: !startsWithOperator(word.text) }));
}

/** The words of a list of exclusions with their offsets, as mystrtok() parts them. */
export function exclusionWords(text: string): readonly { readonly text: string; readonly at: number }[] {
  return Array.from(text.matchAll(EXCLUSIONS), ({ 0: word, index }) => ({ text: word, at: index }));
}

/** Whether Postfix refuses an exclusion, and every handshake with it. */
export function startsWithOperator(word: string): boolean {
  return /^[!+@-]/.test(word);
}

function faultOf(
  configuration: PostfixConfiguration,
  { family, service }: CipherUse,
  grade: CipherGrade | null,
  exclusions: readonly CipherExclusion[],
): CipherFault | null {
  // Read when the program starts, whether it uses them or not.
  const { release } = configuration;
  const lists = hasFeature(release, 'weakGradesAreMedium') ? LISTS : [...LISTS, ...WEAK_LISTS];
  const names = [
    `${family}_tls_ciphers`,
    `${family}_tls_mandatory_ciphers`,
    ...lists.map((list) => `tls_${list}_cipherlist`),
    ...(hasFeature(release, 'emptyCurveList') ? [] : CURVES),
  ];
  const empty = (name: string): boolean =>
    configuration.parameter(name) !== null && configuration.value(name, service) === '';
  if (names.some(empty)) return 'empty-cipher-setting';
  if (grade === null) return 'invalid-cipher-grade';
  return exclusions.every(({ valid }) => valid) ? null : 'invalid-cipher-exclusion';
}
