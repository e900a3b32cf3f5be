import { CIPHER_GRADES, startsWithOperator } from '../../postfix/cipher-settings.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { hasFeature } from '../../postfix/parameters.ts';
import { proposeValue } from '../../postfix/proposals.ts';
import { nearest } from '../../text/nearest.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { aboutUnknown, isUnknownName, MOST_WORDS, meantNames } from './cipher-names.ts';
import { lookAlikes } from './look-alikes.ts';
import { isMisread, isTemplated } from './misread-lines.ts';
import {
  aboutReaders,
  type CipherGroup,
  cipherUses,
  exclusionsOf,
  gradeOf,
  groupedBy,
  judgedUses,
  onEndpoints,
  uncounted,
} from './postfix-cipher-uses.ts';
import { withWords, writtenWords } from './postfix-exclusion-lists.ts';
import { hasReferenceProblem } from './postfix-references.ts';

/**
 * Words of cipher settings that Postfix or OpenSSL does not take: grades, operators in exclusions, names
 * that no OpenSSL ever knew. Facts: postfix-tls §2; tls_set_ciphers() of tls_misc.c, and what smtpd of 3.5
 * to 3.11 did with them: after "220 Ready to start TLS" it hangs up.
 */

/** Says of a group with one written value: on each endpoint that takes it, or of none where that is not known. */
function* reportsOf(
  { postfix }: CheckContext,
  group: CipherGroup,
  report: Omit<Report, 'endpoint' | 'at'> & { readonly at: PostfixSetting['at'] },
): Iterable<Report> {
  const uses = judgedUses(postfix, group);
  const data = { ...report.data, ...aboutReaders(uses), nowhere: false };
  yield* onEndpoints(uses, { ...report, data });
}

/** The value of an assignment that no endpoint of these files takes. */
function uncountedValue(postfix: PostfixConfiguration, setting: PostfixSetting): Effective {
  return postfix.get(setting.name, setting.kind === 'override' ? setting.service : null);
}

/** What the messages say of a value that no endpoint of these files takes. */
function aboutNowhere(name: string): Readonly<Record<string, unknown>> {
  return {
    readAs: null,
    server: name.startsWith('smtpd'),
    client: !name.startsWith('smtpd'),
    onlyPolicies: null,
    nowhere: true,
  };
}

/** True where the text is not what its author wrote, or not all of it; other rules speak of that. */
function isUnclear(postfix: PostfixConfiguration, setting: PostfixSetting): boolean {
  return (
    isTemplated(setting.value) ||
    isMisread(postfix, setting) ||
    hasReferenceProblem(postfix, setting) ||
    lookAlikes(setting.at.source, setting.entry.valueSpan).length > 0
  );
}

function fixOf(postfix: PostfixConfiguration, setting: PostfixSetting, value: string): ProposedFix {
  return { title: `set ${setting.name} to "${value}"`, ...proposeValue(postfix, setting, value) };
}

// Grades

/** A report on a grade without its endpoints, or null where nothing is wrong with it. */
function gradeReport(
  context: CheckContext,
  effective: Effective,
): (Omit<Report, 'at'> & { at: PostfixSetting['at'] }) | null {
  const { postfix } = context;
  const { setting, value } = effective;
  if (setting === null || isUnclear(postfix, setting)) return null;
  const message = gradeMessage(postfix, value);
  if (message === null) return null;
  const meant = meantGrade(context, value);
  return {
    message,
    at: setting.at,
    of: effective,
    expected: meant,
    fix: setting.value.includes('$') ? null : fixOf(postfix, setting, meant),
    data: { grade: value.toLowerCase() },
  };
}

function gradeMessage({ release }: PostfixConfiguration, value: string): string | null {
  if (value === '') return 'empty';
  const grade = CIPHER_GRADES.find((known) => known === value.toLowerCase());
  if (grade === undefined) return 'unknown';
  if (grade === 'null') return 'null';
  if (grade !== 'low' && grade !== 'export') return null;
  return hasFeature(release, 'weakGradesAreMedium') ? 'alias' : 'weak';
}

/** The grade in the place of another: the one that was typed, else what the profile needs. */
function meantGrade({ profile }: CheckContext, value: string): string {
  const [word = ''] = /^[a-z]+/i.exec(value.replace(/^["']/, '')) ?? [];
  const typed = nearest(word, ['high', 'medium']);
  if (typed !== null && value !== '') return typed;
  // Of suites with forward secrecy and AEAD only, none is of medium strength.
  return profile.thresholds.authenticatedEncryption === 'only' ? 'high' : 'medium';
}

const cipherGrade: Check = function* (context) {
  const { postfix } = context;
  const groups = groupedBy(context, cipherUses(context), (configuration, use) => {
    const grade = gradeOf(configuration, use);
    return grade === null ? [] : [grade];
  });
  for (const group of groups) {
    const report = gradeReport(context, group.effective);
    if (report !== null) yield* reportsOf(context, group, report);
  }
  // Both grades are read when the program starts, whichever counts.
  const seen = new Set(groups.map(({ effective }) => effective.setting));
  for (const setting of postfix.settings()) {
    if (seen.has(setting) || setting.value !== '' || !EITHER_GRADE.test(setting.name)) continue;
    const report = gradeReport(context, uncountedValue(postfix, setting));
    if (report !== null) yield { ...report, data: { ...report.data, ...aboutNowhere(setting.name) } };
  }
  for (const setting of uncounted(context, 'grade', groups)) {
    const report = gradeReport(context, uncountedValue(postfix, setting));
    if (report !== null && setting.value !== '')
      yield { ...report, data: { ...report.data, ...aboutNowhere(setting.name) } };
  }
};

const EITHER_GRADE = /^(?:smtpd|smtp|lmtp)_tls_(?:mandatory_)?ciphers$/;

// Exclusions

/** The words of exclusions that are written at one place; a comment that became part of them is left out. */
function wordsAt(setting: PostfixSetting): readonly string[] {
  const words = writtenWords(setting.value).map(({ text }) => text);
  const comment = words.findIndex((word) => word.startsWith('#'));
  return comment < 0 ? words : words.slice(0, comment);
}

/** Checks every list of exclusions that counts or may count, each once. */
function exclusionCheck(
  reportOn: (
    postfix: PostfixConfiguration,
    setting: PostfixSetting,
    words: readonly string[],
  ) => Omit<Report, 'at'> | null,
): Check {
  return function* (context) {
    const { postfix } = context;
    const groups = groupedBy(context, cipherUses(context), writtenExclusions);
    for (const group of groups) {
      const { setting } = group.effective;
      if (setting === null || isUnclear(postfix, setting)) continue;
      const report = reportOn(postfix, setting, wordsAt(setting));
      if (report !== null)
        yield* reportsOf(context, group, { ...report, at: setting.at, of: group.effective });
    }
    for (const setting of uncounted(context, 'exclusions', groups)) {
      if (isUnclear(postfix, setting)) continue;
      const report = reportOn(postfix, setting, wordsAt(setting));
      if (report === null) continue;
      const data = { ...report.data, ...aboutNowhere(setting.name) };
      yield { ...report, at: setting.at, of: uncountedValue(postfix, setting), data };
    }
  };
}

const writtenExclusions: typeof exclusionsOf = (postfix, use) =>
  exclusionsOf(postfix, use).filter(({ effective }) => effective.setting !== null);

/** The word without its operators: `aNULL` of `!aNULL`; null where nothing is left that could be excluded. */
function withoutOperator(word: string): string | null {
  if (!startsWithOperator(word)) return word;
  // `+RC4` and `@STRENGTH` put a list in order; nothing was to be excluded.
  if (word.startsWith('+') || word.startsWith('@')) return null;
  const name = word.replace(/^[!-]+/, '');
  return name === '' || startsWithOperator(name) ? null : name;
}

const exclusionOperator = exclusionCheck((postfix, setting, words) => {
  const wrong = words.filter(startsWithOperator);
  if (wrong.length === 0) return null;
  const value = withWords(setting.value, withoutOperator);
  return {
    expected: value,
    fix: fixOf(postfix, setting, value),
    data: { word: wrong[0], others: wrong.length - 1 },
  };
});

const unknownCipher = exclusionCheck((postfix, setting, words) => {
  const named = [...new Set(words)].slice(0, MOST_WORDS).filter((word) => !startsWithOperator(word));
  const wrong = named.filter(isUnknownName);
  if (wrong.length === 0) return null;
  const meant = meantNames(wrong);
  const value = withWords(setting.value, (word) => meant.get(word) ?? word);
  return {
    ...(meant.size === 0 ? {} : { expected: value, fix: fixOf(postfix, setting, value) }),
    data: aboutUnknown(wrong, meant),
  };
});

/** Checks of single words of cipher settings. */
export const cipherWordChecks: Readonly<Record<string, Check>> = {
  'postfix/cipher-grade': cipherGrade,
  'postfix/cipher-exclusion-operator': exclusionOperator,
  'postfix/cipher-unknown': unknownCipher,
};
