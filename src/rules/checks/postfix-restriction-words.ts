import { atLeast } from '../../model/release.ts';
import { listWords, type PostfixConfiguration } from '../../postfix/configuration.ts';
import { obsoleteRestrictions } from '../../postfix/parameters.ts';
import { proposeSetting } from '../../postfix/proposals.ts';
import type { PlacedRestriction } from '../../postfix/restriction-reach.ts';
import {
  knownRestrictions,
  nearestRestriction,
  type Restriction,
  type RestrictionList,
  type RestrictionWord,
  restrictionClasses,
  restrictionDefinition,
  splitWords,
  tableTypeSince,
  tableTypes,
  tableTypesOf,
} from '../../postfix/restrictions.ts';
import { nearest } from '../../text/nearest.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { trailingComments } from './misread-lines.ts';
import {
  isSettled,
  type ListUse,
  listsInUse,
  partPlace,
  releaseIsSure,
  replacePart,
} from './restriction-lists.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/** Words of restriction lists that smtpd answers with "451 4.3.5 Server configuration error" (smtpd_check.c, generic_checks). */
const restrictionUnknown: Check = function* (context) {
  for (const use of listsInUse(context)) {
    const words = splitWords(use.list.effective.value, true);
    // `name = value` in a list was a line of its own: what became of it is said by a rule of its own.
    if (words.some(({ text }) => text === '=' || /^[a-z0-9_]+=/.test(text))) continue;
    yield* backslashes(context, use);
    let before: Restriction | null = null;
    for (const placed of use.placed) {
      const { item, endedBy } = placed;
      if (endedBy === null && item.word.text !== BACKSLASH && !inComment(context.postfix, placed)) {
        const report = judge(context, use, placed, before);
        if (report !== null) yield report;
      }
      before = item;
    }
  }
  yield* classesWithoutDefinition(context);
};

const BACKSLASH = '\\';

/** A backslash at the end of a line does not continue it in main.cf: it is a word of the list. */
function* backslashes(context: CheckContext, use: ListUse): Iterable<Report> {
  for (const holder of new Set(use.placed.map((placed) => placed.holder))) {
    const found = use.placed.find(
      (placed) => placed.holder === holder && placed.item.word.text === BACKSLASH && placed.endedBy === null,
    );
    const { setting, value } = holder.effective;
    if (found === undefined || setting === null) continue;
    const { word } = found.item;
    const places = splitWords(value, true)
      .filter(({ text }) => text === BACKSLASH)
      .map(({ start, end }) => partPlace(context, use, holder, start, end));
    yield {
      message: 'backslash',
      at: partPlace(context, use, holder, word.start, word.end),
      of: holder.effective,
      endpoint: use.endpoint,
      actual: word.text,
      data: { in: holder.name, when: moment(use), count: places.length },
      fix:
        setting.value === value
          ? {
              title: `remove the backslashes from ${holder.name}`,
              // The lines stay as they are: only the backslashes go, and the blanks before them.
              edits: places.map(({ source, span }) => ({
                path: source.path,
                span: { start: source.text.slice(0, span.start).trimEnd().length, end: span.end },
                text: '',
              })),
              writes: [
                setting.kind === 'main' ? `main.cf:${setting.name}` : `${setting.service.id}:${setting.name}`,
              ],
            }
          : null,
    };
  }
}

type Judgement = Pick<Report, 'message' | 'data' | 'expected' | 'fix'> & {
  /** What is shown: the word itself where left out. */
  readonly shown?: RestrictionWord;
};

function judge(
  context: CheckContext,
  use: ListUse,
  { item, holder }: PlacedRestriction,
  before: Restriction | null,
): Report | null {
  const found = judgeFault(context, holder, item, before) ?? judgeArgument(context, holder, item);
  if (found === null) return null;
  const { shown = item.word, data, ...rest } = found;
  return {
    ...rest,
    at: partPlace(context, use, holder, shown.start, shown.end),
    of: holder.effective,
    endpoint: use.endpoint,
    actual: shown.text,
    data: { word: item.word.text, in: holder.name, when: moment(use), ...data },
  };
}

/** Who gets the answer: everybody whose session comes to the list. */
function moment({ name }: ListUse): string {
  return name === 'smtpd_etrn_restrictions' ? 'ETRN' : 'mail';
}

function judgeFault(
  context: CheckContext,
  holder: RestrictionList,
  item: Restriction,
  before: Restriction | null,
): Judgement | null {
  switch (item.fault) {
    case 'unknown':
      return unknownWord(context, holder, item, before);
    case 'removed':
      return removedWord(context, holder, item);
    case 'no-check':
      return policyAlone(context, holder, item) ?? { message: 'noCheck', data: {} };
    case 'bad-argument':
      return judgeArgument(context, holder, item) ?? badArgument(context, item);
    case 'unknown-table':
      return unknownTable(context, holder, item);
    case 'endless-class':
      return { message: 'endlessClass', data: {} };
    case 'missing-domain':
      return { message: 'missingDomain', data: {} };
    case null:
      break;
  }
  return null;
}

/** What a template engine writes, and what is not made of the letters of a name. */
const PLACEHOLDER = /[<>@%{}$]|^__\w+__$/;

function unknownWord(
  { postfix }: CheckContext,
  holder: RestrictionList,
  { word }: Restriction,
  before: Restriction | null,
): Judgement | null {
  const { text } = word;
  const fix = (written: string, safe = true): ProposedFix | null => {
    const proposal = replacePart(postfix, holder, word.start, word.end, written);
    return proposal === null ? null : { title: `write ${written} in ${holder.name}`, safe, ...proposal };
  };
  const future = restrictionDefinition(text);
  if (future !== null) return { message: 'tooNew', data: { since: future.since } };
  if (text.startsWith('/')) return { message: 'path', data: {} };
  if (/^[\w-]+(\.[\w-]+)+\.?(=[\d.;[\]]+)?$/.test(text) && before?.definition?.argument === 'domain') {
    const own = `${before.word.text} ${text}`;
    return { message: 'domain', expected: own, data: { before: before.word.text }, fix: fix(own, false) };
  }
  if (/^\[?[\da-f.:]+\]?(\/\d+)?$/i.test(text) || /^[\w.+-]*@?[\w-]+(\.[\w-]+)+$/.test(text))
    return { message: 'address', data: {} };
  if (PLACEHOLDER.test(text)) return null;
  const undeclared = undeclaredClass(postfix, text);
  if (undeclared !== null) return { message: 'undeclaredClass', data: {}, fix: undeclared };
  const clear = meant(postfix, text, holder);
  if (clear !== null) return { message: 'default', expected: clear, data: { clear }, fix: fix(clear) };
  // Classes may stand in a main.cf that was not given.
  return postfix.main === null ? null : { message: 'unclear', data: {} };
}

/** The restriction or class that was meant: the nearest, or the only one that goes on where the word ends. */
function meant(postfix: PostfixConfiguration, text: string, holder: RestrictionList): string | null {
  const { release } = postfix;
  const word = text.replaceAll('-', '_');
  const classes = restrictionClasses(postfix, null).filter((name) => name !== holder.name);
  const near = nearestRestriction(word, release, classes);
  if (near !== null) return near;
  const longer =
    word.length < 8
      ? []
      : knownRestrictions(release).filter(
          (name) => name.startsWith(`${word.toLowerCase()}_`) || name.startsWith(word.toLowerCase()),
        );
  const current = longer.filter((name) => restrictionDefinition(name)?.now === null);
  return current.length === 1 ? (current[0] ?? null) : null;
}

/** A list of the admin's own that smtpd_restriction_classes does not name. */
function undeclaredClass(postfix: PostfixConfiguration, name: string): ProposedFix | null {
  const setting = postfix.mainSetting(name);
  if (setting === null || postfix.parameter(name) !== null || !/^[A-Za-z]\w*$/.test(name)) return null;
  const known = new Set(knownRestrictions(postfix.release));
  const [first] = splitWords(setting.value, true);
  if (first === undefined || !(known.has(first.text.toLowerCase()) || first.text.includes(':'))) return null;
  const declared = [...listWords(postfix.get('smtpd_restriction_classes').raw), name].join(', ');
  return {
    title: `list ${name} in smtpd_restriction_classes`,
    ...proposeSetting(postfix, 'smtpd_restriction_classes', declared, [], 'main', [name]),
  };
}

function removedWord(
  { postfix }: CheckContext,
  holder: RestrictionList,
  { name, word, definition }: Restriction,
): Judgement | null {
  const since = definition?.removed ?? null;
  if (since === null) return null;
  const { provenAtLeast } = postfix.releaseKnown;
  const sure = releaseIsSure(postfix) || (provenAtLeast !== null && atLeast(provenAtLeast, since));
  const instead = obsoleteRestrictions().find((one) => one.name === name)?.replacedBy ?? '';
  // The other two need more than another word: a list of their own, or thought.
  const clear = instead === 'reject_unauth_destination' ? instead : null;
  const proposal = clear === null ? null : replacePart(postfix, holder, word.start, word.end, clear);
  return {
    message: sure ? 'removed' : 'removedLater',
    data: { since, instead },
    ...(clear === null ? {} : { expected: clear }),
    fix: proposal === null ? null : { title: `write ${clear} in ${holder.name}`, safe: sure, ...proposal },
  };
}

function badArgument({ postfix }: CheckContext, { argument, definition }: Restriction): Judgement {
  if (definition?.argument === 'seconds') return { message: 'noSeconds', data: {} };
  const takes = definition?.argument === 'service' ? 'type:server' : 'type:table';
  const next = argument?.text ?? null;
  if (next === null || isRestriction(postfix, next)) return { message: 'noArgument', data: { takes, next } };
  return { message: 'noType', data: { takes, next }, ...(argument === null ? {} : { shown: argument }) };
}

function isRestriction({ release }: PostfixConfiguration, word: string): boolean {
  return knownRestrictions(release).includes(word.toLowerCase());
}

function unknownTable(context: CheckContext, holder: RestrictionList, item: Restriction): Judgement | null {
  const { postfix } = context;
  const { argument } = item;
  const alone = policyAlone(context, holder, item);
  if (alone !== null) return alone;
  if (argument === null) return null;
  const { release } = postfix;
  const known = tableTypes(release);
  const type = tableTypesOf(argument.text).find((one) => !known.includes(one));
  if (type === undefined) return null;
  const since = tableTypeSince(type);
  if (since !== undefined) return { message: 'tableTooNew', shown: argument, data: { type, since } };
  const clear = nearest(type, known);
  if (clear === null) return { message: 'tableUnclear', shown: argument, data: { type } };
  const text = argument.text.replace(`${type}:`, `${clear}:`);
  const proposal = replacePart(postfix, holder, argument.start, argument.end, text);
  return {
    message: 'table',
    shown: argument,
    expected: text,
    data: { type, clear },
    fix: proposal === null ? null : { title: `write ${text} in ${holder.name}`, ...proposal },
  };
}

/** `inet:host:port` or `unix:path` without the check_policy_service that it is meant for; `unix:` is also a type of tables, of two names. */
function policyAlone(
  { postfix }: CheckContext,
  holder: RestrictionList,
  { kind, word }: Restriction,
): Judgement | null {
  if (kind !== 'table' || !/^(?:inet:|unix:(?!(?:passwd|group)\.by))/.test(word.text)) return null;
  const written = `check_policy_service ${word.text}`;
  const proposal = replacePart(postfix, holder, word.start, word.end, written);
  return {
    message: 'policyAlone',
    expected: written,
    data: {},
    fix: proposal === null ? null : { title: `write ${written} in ${holder.name}`, ...proposal },
  };
}

/** Faults that smtpd does not see: a restriction taken for the name of a DNS list, a policy service of no known kind. */
function judgeArgument(
  { postfix }: CheckContext,
  holder: RestrictionList,
  item: Restriction,
): Judgement | null {
  const { definition, argument, fault } = item;
  if (definition === null || argument === null || (fault !== null && definition.argument !== 'service'))
    return null;
  if (definition.argument === 'domain' && isRestriction(postfix, argument.text))
    return { message: 'swallowsNext', data: { next: argument.text } };
  if (
    definition.argument === 'service' &&
    !/^(?:\{\s*)?(?:inet|unix|local):/.test(argument.text) &&
    !PLACEHOLDER.test(argument.text)
  ) {
    const written = /^\[?[\w.:-]+\]?:\d+$/.test(argument.text) ? `inet:${argument.text}` : null;
    const proposal =
      written === null ? null : replacePart(postfix, holder, argument.start, argument.end, written);
    return {
      message: 'serviceKind',
      shown: argument,
      ...(written === null ? {} : { expected: written }),
      data: { next: argument.text },
      fix: proposal === null ? null : { title: `write ${written} in ${holder.name}`, ...proposal },
    };
  }
  return null;
}

/** True for a word of a comment behind a value: that is said by a rule of its own. */
function inComment({ main }: PostfixConfiguration, { item, holder }: PlacedRestriction): boolean {
  if (item.word.text.startsWith('#')) return true;
  const { setting, value } = holder.effective;
  if (main === null || setting?.kind !== 'main' || !value.includes('#')) return false;
  const comments = trailingComments(main, setting.entry);
  const words = comments.flatMap((span) => main.source.slice(span).split(/[\s,]+/));
  return words.includes(item.word.text);
}

/** smtpd looks up the classes when it starts: "fatal: restriction class `name' needs a definition". */
function* classesWithoutDefinition(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  if (postfix.main === null) return;
  const name = 'smtpd_restriction_classes';
  for (const endpoint of smtpdEndpoints(context)) {
    const { service } = endpoint;
    const of = postfix.get(name, service);
    if (service.assumed || of.setting === null || !isSettled(of)) continue;
    for (const word of splitWords(of.value, false)) {
      if (
        PLACEHOLDER.test(word.text) ||
        word.text.startsWith('#') ||
        postfix.value(word.text, service) !== ''
      )
        continue;
      const holder: RestrictionList = { name, effective: of, items: [] };
      const use = { endpoint, name: 'smtpd_recipient_restrictions', list: holder, placed: [] } as const;
      yield {
        message: 'undefinedClass',
        at: partPlace(context, use, holder, word.start, word.end),
        of,
        endpoint,
        actual: word.text,
        data: { word: word.text, in: name },
      };
    }
  }
}

/** Checks of the words of restriction lists, by rule id. */
export const restrictionWordChecks: Readonly<Record<string, Check>> = {
  'postfix/restriction-unknown': restrictionUnknown,
};
