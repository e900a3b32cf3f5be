import { nearest } from '../../text/nearest.ts';
import type { Location, Span } from '../../text/source.ts';
import type { ProposedFix, Report, SilencingCheck, SilencingContext } from '../check.ts';
import type { SilencingComment } from '../silencing/places.ts';

/** What is said of the comments that silence rules. None of it can be silenced. */

function* unused({ silenced, names, isSilent }: SilencingContext): Iterable<Report> {
  for (const [comment, counts] of silenced.uses) {
    const idle = comment.directive.rules.filter(
      ({ name }) => !counts.has(name) && names.get(name)?.every((id) => isSilent(id, comment)) === true,
    );
    for (const { name, span } of idle) {
      yield {
        message: comment.directive.scope === 'ignore-file' ? 'file' : 'default',
        at: inFile(comment, span),
        data: { name },
        fix: withoutRules(comment, new Set(idle.map((one) => one.span))),
      };
    }
  }
}

/** Takes rules out of a comment; with the last rule the comment goes. */
function withoutRules(comment: SilencingComment, idle: ReadonlySet<Span>): ProposedFix {
  const { rules } = comment.directive;
  const { source } = comment.at;
  const kept = rules.filter(({ span }) => !idle.has(span));
  const first = rules[0]?.span.start ?? comment.at.span.start;
  const last = rules.at(-1)?.span.end ?? comment.at.span.end;
  const edit =
    kept.length === 0
      ? { span: comment.line, text: '' }
      : { span: { start: first, end: last }, text: kept.map(({ name }) => name).join(', ') };
  return {
    title: kept.length === 0 ? 'remove the comment' : 'take the rule out of the comment',
    edits: [{ path: source.path, ...edit }],
    writes: [],
  };
}

function* expired({ silenced }: SilencingContext): Iterable<Report> {
  for (const comment of silenced.expired) {
    const { rules, until } = comment.directive;
    yield { at: comment.at, data: { names: rules.map(({ name }) => name), until } };
  }
}

function* unknownRule({ silenced, names }: SilencingContext): Iterable<Report> {
  for (const comment of silenced.comments.comments) {
    for (const { name, span } of comment.directive.rules) {
      if (names.has(name)) continue;
      const at = inFile(comment, span);
      if (/^silencing(?:\/|$)/.test(name)) yield { message: 'itself', at, data: { name } };
      else if (/[*?]/.test(name)) yield { message: 'pattern', at, data: { name } };
      else yield { at, data: { name, meant: meantRule(name, [...names.keys()]) } };
    }
  }
}

/** The id or the short name that is nearest; a rule of the other server with the same name counts as near. */
function meantRule(name: string, known: readonly string[]): string {
  const short = name.slice(name.lastIndexOf('/') + 1);
  return nearest(name, known) ?? known.find((id) => id.endsWith(`/${short}`)) ?? '';
}

function* reasonMissing({ silenced, reasonRequired }: SilencingContext): Iterable<Report> {
  if (!reasonRequired) return;
  for (const { at, directive } of silenced.comments.comments) {
    if (directive.reason === null) yield { at, data: { names: directive.rules.map(({ name }) => name) } };
  }
}

function* malformed({ silenced }: SilencingContext): Iterable<Report> {
  for (const { source, fault } of silenced.comments.faults) {
    yield { message: fault.code, at: { source, span: fault.span }, data: { detail: fault.detail } };
  }
}

function inFile({ at: { source } }: SilencingComment, span: Span): Location {
  return { source, span };
}

/** The checks of the comments that silence rules, by the name that rule files call. */
export const silencingChecks: Readonly<Record<string, SilencingCheck>> = {
  'silencing/unused': unused,
  'silencing/expired': expired,
  'silencing/unknown-rule': unknownRule,
  'silencing/reason-missing': reasonMissing,
  'silencing/malformed': malformed,
};
