import type { Finding, SuppressedFinding } from '../../model/finding.ts';
import type { Rule } from '../rule.ts';
import type { Comments, SilencingComment } from './places.ts';

/** What the comments of a host do to its findings. */
export interface Silenced {
  readonly comments: Comments;
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
  /** How many findings each comment silences, by the rule as the comment names it. */
  readonly uses: ReadonlyMap<SilencingComment, ReadonlyMap<string, number>>;
  /** Comments whose last day has passed: they silence nothing. */
  readonly expired: ReadonlySet<SilencingComment>;
}

/** The rules that comments may silence, by id and by what stands behind the slash of one. */
export type RuleNames = ReadonlyMap<string, readonly string[]>;

/** The names of rules; what is said of the comments themselves has none, because nothing silences it. */
export function ruleNames(rules: readonly Pick<Rule, 'id' | 'applies'>[]): RuleNames {
  const names = new Map<string, string[]>();
  for (const { id, applies } of rules) {
    if (applies.server === 'any') continue;
    for (const name of [id, id.slice(id.lastIndexOf('/') + 1)]) {
      const others = names.get(name);
      if (others === undefined) names.set(name, [id]);
      else others.push(id);
    }
  }
  return names;
}

/** What a comment says of one rule. */
interface Named {
  readonly comment: SilencingComment;
  readonly name: string;
}

/**
 * Parts the findings that comments silence from those that count.
 *
 * A finding is silenced where its place begins in what the comment stands before. Of several comments
 * that could silence it, the one for the least text does, and of two for the same text the later one.
 *
 * @param now the time for which the host is judged; left out, nothing expires
 * @param redact takes the secrets of the host out of a reason
 * @returns both in the order given
 */
export function silence(
  findings: readonly Finding[],
  comments: Comments,
  names: RuleNames,
  now: number | undefined,
  redact: (text: string) => string,
): Silenced {
  const expired = new Set(comments.comments.filter((comment) => isExpired(comment, now)));
  const byRule = new Map<string, Named[]>();
  const uses = new Map<SilencingComment, Map<string, number>>();
  for (const comment of comments.comments) {
    if (expired.has(comment)) continue;
    uses.set(comment, new Map());
    for (const { name } of comment.directive.rules) {
      for (const id of names.get(name) ?? []) {
        const key = `${comment.at.source.path}\0${id}`;
        const others = byRule.get(key);
        if (others === undefined) byRule.set(key, [{ comment, name }]);
        else others.push({ comment, name });
      }
    }
  }
  const silencers = byRule.size === 0 ? null : silencersOf(findings, byRule);
  const counting: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  for (const finding of findings) {
    const found = silencers?.get(finding);
    if (found === undefined) {
      counting.push(finding);
      continue;
    }
    const { comment, name } = found;
    const counts = uses.get(comment);
    counts?.set(name, (counts.get(name) ?? 0) + 1);
    const { source, span } = comment.at;
    const { reason, until } = comment.directive;
    suppressed.push({
      finding,
      suppression: {
        by: 'comment',
        reason: reason === null ? null : redact(reason),
        until,
        file: source.path,
        line: source.position(span.start).line,
      },
    });
  }
  return { comments, findings: counting, suppressed, uses, expired };
}

/** Both are days of UTC: a comment counts to the end of its last day there. */
function isExpired({ directive: { until } }: SilencingComment, now: number | undefined): boolean {
  return until !== null && now !== undefined && new Date(now).toISOString().slice(0, 10) > until;
}

/**
 * Finds for each finding the comment that silences it, in one walk over both. Of two texts that comments
 * are for, one holds the other or they have nothing in common, so that the last one entered is the closest.
 */
function silencersOf(
  findings: readonly Finding[],
  byRule: ReadonlyMap<string, readonly Named[]>,
): Map<Finding, Named> {
  const wanted = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.at.source.path}\0${finding.rule}`;
    if (!byRule.has(key)) continue;
    const others = wanted.get(key);
    if (others === undefined) wanted.set(key, [finding]);
    else others.push(finding);
  }
  const found = new Map<Finding, Named>();
  for (const [key, own] of wanted) {
    const named = [...(byRule.get(key) ?? [])].sort(
      ({ comment: a }, { comment: b }) =>
        a.covers.start - b.covers.start || a.at.span.start - b.at.span.start,
    );
    const around: Named[] = [];
    let next = 0;
    for (const finding of own.sort((a, b) => a.at.span.start - b.at.span.start)) {
      const place = finding.at.span.start;
      for (
        let one = named[next];
        one !== undefined && one.comment.covers.start <= place;
        one = named[++next]
      ) {
        leave(around, one.comment.covers.start);
        around.push(one);
      }
      leave(around, place);
      const closest = around.at(-1);
      if (closest !== undefined) found.set(finding, closest);
    }
  }
  return found;
}

/** Takes those away whose text has ended at a place. */
function leave(around: Named[], place: number): void {
  while ((around.at(-1)?.comment.covers.end ?? Number.POSITIVE_INFINITY) <= place) around.pop();
}
