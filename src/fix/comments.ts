import type { Host } from '../hosts/host.ts';
import { hostSources } from '../hosts/host.ts';
import { type Anchor, commentsOf } from '../rules/silencing/places.ts';
import type { Edit } from '../text/edits.ts';

/**
 * Keeps each comment that silences rules where it belongs: no line comes between it and what it stands
 * before, none comes above one that speaks for the whole file, and where nothing remains of what it
 * stands before, it goes too, because it would silence what comes next.
 *
 * @returns the edits, changed as far as needed; null where they change the line behind a comment within a
 *   value, so that nobody knows what the comment would be for
 */
export function keepComments(host: Host, edits: readonly Edit[]): readonly Edit[] | null {
  const { anchors } = commentsOf(host);
  const paths = new Set(edits.map(({ path }) => path));
  const touched = anchors.filter(({ path }) => paths.has(path));
  if (touched.length === 0) return edits;
  const texts = new Map(hostSources(host.input).map(({ path, text }) => [path, text]));
  let kept: readonly Edit[] = edits;
  // From the last to the first: what is moved above one comment may have to go above the next one too.
  for (const anchor of touched.toReversed()) {
    const text = texts.get(anchor.path) ?? '';
    if (kept.some((edit) => isWithin(anchor, edit, text))) return null;
    kept = kept.map((edit) => moved(anchor, edit, text));
    if (isGone(anchor, kept, text)) kept = [...kept, { path: anchor.path, span: anchor.line, text: '' }];
  }
  return kept;
}

/** True where an edit rewrites a value around a comment and changes the line that the comment is for. */
function isWithin({ path, line, next, end, wholeFile }: Anchor, edit: Edit, text: string): boolean {
  if (wholeFile || edit.path !== path || edit.span.start >= line.start || edit.span.end <= line.end)
    return false;
  const own = text.slice(line.start, line.end).trim();
  const after = edit.text.split('\n').map((one) => one.trim());
  const at = after.indexOf(own);
  const behind = after.slice(at + 1).find((one) => one !== '' && !one.startsWith('#'));
  const until = Math.min(end ?? next, edit.span.end);
  const before = text.slice(next, until).split('\n')[0]?.trim();
  return at < 0 || behind !== before;
}

/** An inserted line where it separates nothing. */
function moved({ path, line, next, wholeFile }: Anchor, edit: Edit, text: string): Edit {
  const { start, end } = edit.span;
  if (edit.path !== path || start !== end || !isLine(edit.text)) return edit;
  const to = (at: number): Edit => ({ ...edit, span: { start: at, end: at } });
  if (wholeFile) return start <= line.start && text[line.end - 1] === '\n' ? to(line.end) : edit;
  return start >= line.end && start <= next ? to(line.start) : edit;
}

/** True for whole lines that say more than a comment. */
function isLine(text: string): boolean {
  return text.endsWith('\n') && text.split('\n').some(isText);
}

function isText(line: string): boolean {
  return !/^\s*(?:#|$)/.test(line);
}

/** True where all that a comment stands before is taken away. */
function isGone({ path, next, end }: Anchor, edits: readonly Edit[], text: string): boolean {
  if (end === null) return false;
  const own = edits
    .filter(
      ({ path: of, span }) => of === path && span.start < end && Math.max(span.end, span.start + 1) > next,
    )
    .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  if (own.length === 0) return false;
  let rest = '';
  let at = next;
  for (const { span, text: written } of own) {
    // What takes the place of text before it is not its own.
    rest += text.slice(at, Math.max(at, span.start)) + (span.start < next ? '' : written);
    at = Math.max(at, span.end);
  }
  return !(rest + text.slice(at, end)).split('\n').some(isText);
}
