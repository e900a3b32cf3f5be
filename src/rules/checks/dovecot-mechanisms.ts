import type { DovecotAssignment } from '../../dovecot/assignment.ts';
import { removeStatement, replaceValue } from '../../dovecot/edits.ts';
import type { DovecotEffective } from '../../dovecot/effective.ts';
import { type DovecotServerEndpoint, unsetNeed } from '../../dovecot/endpoints.ts';
import { MECHANISM_NAMES, readMechanisms } from '../../dovecot/mechanisms.ts';
import { proposeRemoval } from '../../dovecot/proposals.ts';
import { DOVECOT_RELEASES } from '../../dovecot/releases.ts';
import { nearest } from '../../text/nearest.ts';
import type { Location } from '../../text/source.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { dovecotPlace } from '../locate.ts';
import { publicLogins } from './dovecot-cleartext.ts';
import { isOwn } from './dovecot-common.ts';
import { isComplete } from './dovecot-sockets.ts';
import { isTemplated } from './misread-lines.ts';

const MECHANISMS = 'auth_mechanisms';

/** A list of mechanisms as it counts for one protocol, or for what Postfix and its kin ask. */
interface MechanismsInUse {
  readonly endpoint: DovecotServerEndpoint | null;
  readonly protocol: string | null;
  readonly from: DovecotEffective;
  readonly words: readonly string[];
}

/** All lists that count: the general one, which the sockets of the service auth use, and those of the listeners. */
function listsInUse({ dovecot, endpoints }: DovecotCheckContext): readonly MechanismsInUse[] {
  const general = {
    endpoint: null,
    protocol: null,
    from: dovecot.get(MECHANISMS),
    words: dovecot.words(MECHANISMS),
  };
  const ofListeners = endpoints.flatMap((endpoint): MechanismsInUse[] => {
    if (endpoint.side !== 'server' || endpoint.mechanisms === null || endpoint.filter !== null) return [];
    const { spoken: protocol, mechanismsFrom: from } = endpoint;
    return [{ endpoint, protocol, from, words: dovecot.words(MECHANISMS, { protocol }) }];
  });
  return [general, ...ofListeners];
}

/** Words of one list that stand on one line. */
interface FoundWords {
  readonly list: MechanismsInUse;
  /** The line that names them; null where a reference or the default brings them. */
  readonly assignment: DovecotAssignment | null;
  readonly words: readonly string[];
}

/** Where the words of a list stand that a test picks, by line. */
function wordsFound(
  context: DovecotCheckContext,
  list: MechanismsInUse,
  isWanted: (word: string) => boolean,
): readonly FoundWords[] {
  const lines = new Map<DovecotAssignment | null, string[]>();
  for (const word of list.words.filter(isWanted)) {
    const assignment = lineNaming(context, list, word);
    lines.set(assignment, [...(lines.get(assignment) ?? []), word]);
  }
  return [...lines].map(([assignment, words]) => ({ list, assignment, words }));
}

/** The last line that names a word of a list. */
function lineNaming(
  { dovecot }: DovecotCheckContext,
  { protocol }: MechanismsInUse,
  word: string,
): DovecotAssignment | null {
  const found = dovecot.settings().findLast((assignment) => {
    const { filter } = assignment.scope;
    if (filter.protocol !== null && filter.protocol !== protocol) return false;
    if (assignment.name === MECHANISMS) return listedWords(assignment).includes(word);
    return (
      assignment.name.startsWith(`${MECHANISMS}/`) && assignment.key.toLowerCase() === word.toLowerCase()
    );
  });
  return found ?? null;
}

/** The line that names a mechanism of a list that counts; null where none of them has it. */
export function mechanismPlace(context: DovecotCheckContext, name: string): Location | null {
  for (const list of listsInUse(context)) {
    const word = list.words.find((one) => one.toUpperCase() === name);
    if (word === undefined) continue;
    return lineNaming(context, list, word)?.at ?? dovecotPlace(context.dovecot, list.from);
  }
  return null;
}

/** The words that a line has between its blanks (2.4: and commas), references too. */
function listedWords({ statement, setting }: DovecotAssignment): readonly string[] {
  const between = setting?.type === 'boollist' ? /[ ,]+/ : / +/;
  return statement.value.split(between).filter((word) => word !== '');
}

/** The place of words, and the edits that put others there; no edits where nothing would be left. */
function* reportsOf(
  context: DovecotCheckContext,
  { list, assignment, words }: FoundWords,
  { message, data, safe, instead }: Reported,
): Iterable<Report> {
  const at = assignment?.at ?? dovecotPlace(context.dovecot, list.from);
  if (!isOwn(context, at) || list.from.assignment === null) return;
  yield {
    message,
    at,
    endpoint: list.endpoint,
    setting: MECHANISMS,
    actual: list.words.join(' '),
    data: { words, ...data },
    fix: assignment === null ? null : wordsFix(list, assignment, { words, instead, safe }),
  };
}

/** What is said of words, and what is to stand in their place. */
interface Reported {
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly safe: boolean;
  /** Words in the place of one; none where it has to go. */
  readonly instead: (word: string) => readonly string[];
}

const NOTHING = (): readonly string[] => [];

function wordsFix(
  list: MechanismsInUse,
  assignment: DovecotAssignment,
  { words, instead, safe }: Pick<Reported, 'instead' | 'safe'> & { readonly words: readonly string[] },
): ProposedFix | null {
  const { file, statement } = assignment;
  const { writes } = proposeRemoval(assignment);
  if (list.words.every((word) => words.includes(word) && instead(word).length === 0)) return null;
  const names = words.map((word) => word.toUpperCase()).join(' and ');
  if (assignment.name !== MECHANISMS) {
    if (words.some((word) => instead(word).length > 0)) return null;
    return { title: `remove ${names}`, edits: removeStatement(file, statement), writes, safe };
  }
  const left = listedWords(assignment).flatMap((word) => (words.includes(word) ? instead(word) : [word]));
  if (left.length === 0) return null;
  const written = [...new Set(left)].join(' ');
  return {
    title: `write ${MECHANISMS} = ${written}`,
    edits: replaceValue(file, statement, written),
    writes,
    safe,
  };
}

/**
 * Mechanisms whose exchange lets whoever listens try passwords at leisure, and that want passwords stored in
 * the clear or as good as that: MD5 without a work factor (RFC 2195, RFC 2831 made historic by RFC 6331, RFC
 * 1939), and NTLM.
 */
const WEAK: ReadonlySet<string> = new Set(['CRAM-MD5', 'DIGEST-MD5', 'APOP', 'NTLM']);

function* weakMechanisms(context: DovecotCheckContext): Iterable<Report> {
  // Where there is no TLS, they may be all that clients can use.
  const safe = publicLogins(context.endpoints).every(({ tls }) => tls.mode !== 'none');
  for (const list of listsInUse(context)) {
    const { known } = readMechanisms(list.words, context.dovecot.release, true);
    const weak = new Set(known.map(({ name }) => name).filter((name) => WEAK.has(name)));
    for (const found of wordsFound(context, list, (word) => weak.has(word.toUpperCase()))) {
      const names = found.words.map((word) => word.toUpperCase());
      yield* reportsOf(context, found, { message: 'default', data: { names }, safe, instead: NOTHING });
    }
  }
}

function* anonymousMechanism(context: DovecotCheckContext): Iterable<Report> {
  for (const list of listsInUse(context)) {
    for (const found of wordsFound(context, list, (word) => word.toUpperCase() === 'ANONYMOUS')) {
      yield* reportsOf(context, found, { message: 'default', safe: true, instead: NOTHING });
    }
  }
}

function* mechanismInvalid(context: DovecotCheckContext): Iterable<Report> {
  const { dovecot } = context;
  for (const list of listsInUse(context)) {
    if (list.words.length === 0) {
      yield* reportsOf(
        context,
        { list, assignment: null, words: [] },
        { message: 'empty', safe: false, instead: NOTHING },
      );
      continue;
    }
    const { unknown } = readMechanisms(list.words, dovecot.release, dovecot.isYes('auth_use_winbind'));
    // A reference of older releases is told by dovecot/literal-variable.
    const own = new Set(unknown.filter((word) => !word.startsWith('$') && !isTemplated(word)));
    const kinds = new Set([...own].map((word) => kindOf(context, word)));
    for (const kind of kinds) {
      const isKind = (word: string): boolean => own.has(word) && kindOf(context, word) === kind;
      for (const found of wordsFound(context, list, isKind)) {
        yield* reportsOf(context, found, invalidReport(kind, found.words));
      }
    }
    yield* unsetNeeds(context, list);
  }
}

/** Mechanisms that are there, but lack a setting (2.4: of oauth2); one that stands in a file that is not here is not missed. */
function* unsetNeeds(context: DovecotCheckContext, list: MechanismsInUse): Iterable<Report> {
  const { dovecot } = context;
  if (!isComplete(dovecot)) return;
  const { known } = readMechanisms(list.words, dovecot.release, dovecot.isYes('auth_use_winbind'));
  const needs = new Map(known.map((one) => [one.name, unsetNeed(dovecot, one)]));
  const needOf = (word: string): string | null => needs.get(word.toUpperCase()) ?? null;
  for (const found of wordsFound(context, list, (word) => needOf(word) !== null)) {
    const [first = ''] = found.words;
    const data = { needs: needOf(first) };
    yield* reportsOf(context, found, { message: 'needs', data, safe: false, instead: NOTHING });
  }
}

type InvalidKind = 'comma' | 'winbind' | 'removed' | 'too-new' | 'default';

function kindOf({ dovecot: { release } }: DovecotCheckContext, word: string): InvalidKind {
  if (word.includes(',')) return 'comma';
  const knows = (other: string, winbind: boolean): boolean =>
    readMechanisms([word], other, winbind).known.length > 0;
  if (knows(release, true)) return 'winbind';
  if (knows(DOVECOT_RELEASES.oldest, true)) return 'removed';
  return knows(DOVECOT_RELEASES.newest, true) ? 'too-new' : 'default';
}

function invalidReport(kind: InvalidKind, words: readonly string[]): Reported {
  if (kind === 'comma')
    return {
      message: kind,
      safe: true,
      instead: (word) => word.split(',').filter((part) => part !== ''),
    };
  if (kind !== 'default') return { message: kind, safe: true, instead: NOTHING };
  const meant = words.map((word) => nearest(word.toUpperCase(), MECHANISM_NAMES)?.toLowerCase() ?? '');
  return {
    message: kind,
    data: { meant: meant.filter((name) => name !== '') },
    safe: meant.every((name) => name === ''),
    instead(word) {
      const name = meant[words.indexOf(word)] ?? '';
      return name === '' ? [] : [name];
    },
  };
}

/** Checks of authentication mechanisms, by the name that rule files call. */
export const dovecotMechanismChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/weak-mechanisms': weakMechanisms,
  'dovecot/anonymous-mechanism': anonymousMechanism,
  'dovecot/mechanism-invalid': mechanismInvalid,
};
