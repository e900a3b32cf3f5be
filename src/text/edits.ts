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
  const same = a.span.start === b.span.start && a.span.end === b.span.end && a.text === b.text;
  if (same || (a.span.start === a.span.end && b.span.start === b.span.end)) return false;
  return a.span.start < b.span.end && b.span.start < a.span.end;
}

/** Edits that can all be made together, by file and place. */
export class CompatibleEdits {
  readonly #byPath = new Map<string, Edit[]>();

  /** Takes the edits in, all or none: false where one of them overlaps one that is there. */
  add(edits: readonly Edit[]): boolean {
    if (edits.some((edit) => this.#overlaps(edit))) return false;
    for (const edit of edits) {
      const known = this.#byPath.get(edit.path) ?? [];
      this.#byPath.set(edit.path, known);
      known.splice(firstFrom(known, edit.span.start), 0, edit);
    }
    return true;
  }

  /** What is there does not overlap, so that only the neighbours have to be looked at. */
  #overlaps(edit: Edit): boolean {
    const known = this.#byPath.get(edit.path) ?? [];
    const from = firstFrom(known, edit.span.start);
    const before = known[from - 1];
    if (before !== undefined && editsOverlap(before, edit)) return true;
    for (let index = from; index < known.length; index++) {
      const other = known[index];
      if (other === undefined || other.span.start > edit.span.end) break;
      if (editsOverlap(other, edit)) return true;
    }
    return false;
  }
}

/** Index of the first edit that begins at `start` or behind it. */
function firstFrom(edits: readonly Edit[], start: number): number {
  let low = 0;
  let high = edits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edits[middle]?.span.start ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The text of one file after its edits. Insertions at one place are made in the order given, and
 * before a replacement that starts there; the same edit given twice is made once.
 *
 * @throws RangeError when two edits overlap: the caller decides what to leave out.
 */
export function applyEdits(path: string, text: string, edits: readonly Edit[]): string {
  const own = new Map<string, Edit>();
  for (const edit of edits) {
    if (edit.path === path) own.set(`${edit.span.start} ${edit.span.end} ${edit.text}`, edit);
  }
  const sorted = [...own.values()].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
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
