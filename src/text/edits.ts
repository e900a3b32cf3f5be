import type { Span } from './source.ts';

/** Replace `span` of the file `path` by `text`; an empty span inserts. */
export interface Edit {
  readonly path: string;
  readonly span: Span;
  readonly text: string;
}

/** True where two edits cannot both be made: they share a character, or differ at one insertion point inside the other. */
export function editsOverlap(a: Edit, b: Edit): boolean {
  if (a.path !== b.path) return false;
  if (sameEdit(a, b)) return false;
  if (a.span.start === a.span.end && b.span.start === b.span.end) return false;
  return a.span.start < b.span.end && b.span.start < a.span.end;
}

/** True for the same text at the same place. */
export function sameEdit(a: Edit, b: Edit): boolean {
  return a.path === b.path && a.span.start === b.span.start && a.span.end === b.span.end && a.text === b.text;
}

/**
 * The text of one file after its edits. Insertions at one place are made in the order given, and
 * before a replacement that starts there; the same edit given twice is made once.
 *
 * @throws RangeError when two edits overlap: the caller decides what to leave out.
 */
export function applyEdits(path: string, text: string, edits: readonly Edit[]): string {
  const own: Edit[] = [];
  for (const edit of edits) {
    if (edit.path === path && !own.some((other) => sameEdit(other, edit))) own.push(edit);
  }
  const sorted = own.sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  let result = '';
  let at = 0;
  for (const { span, text: inserted } of sorted) {
    if (span.start < at || span.end > text.length)
      throw new RangeError(`edits overlap at offset ${span.start} of ${path}`);
    result += text.slice(at, span.start) + inserted;
    at = span.end;
  }
  return result + text.slice(at);
}
