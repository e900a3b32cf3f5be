import { isSpace, skipSpace, sourceSpan, trimSpace } from './logical-lines.ts';
import type { Assignment, LogicalLine } from './tree.ts';

/** Offsets of the parts of `name = value`; an empty value starts and ends after `=`. */
export interface NameValue {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

const EQUALS = 0x3d;

/**
 * Splits characters `start` to before `end` of a text at the first `=`, as main.cf lines and the
 * values of `-o` are split. Gives offsets in `text`, or what is fatal about it.
 *
 * Source: split_nameval.c. The name ends at white space or `=`; it may hold anything else.
 */
export function splitNameValue(
  text: string,
  start: number,
  end: number,
): NameValue | 'missing-name' | 'missing-equals' {
  const nameStart = skipSpace(text, start, end);
  if (nameStart === end || text.charCodeAt(nameStart) === EQUALS) return 'missing-name';
  const afterName = nameEnd(text, nameStart, end);
  const equals = skipSpace(text, afterName, end);
  if (equals === end || text.charCodeAt(equals) !== EQUALS) return 'missing-equals';
  const valueStart = skipSpace(text, equals + 1, end);
  if (valueStart === end)
    return { nameStart, nameEnd: afterName, valueStart: equals + 1, valueEnd: equals + 1 };
  return { nameStart, nameEnd: afterName, valueStart, valueEnd: trimSpace(text, valueStart, end) };
}

/** End of the name that starts at `start`: the first white space or `=`, or `end`. */
export function nameEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== EQUALS && !isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Texts and places of a split logical line. */
export function assignment(line: LogicalLine, parts: NameValue): Assignment {
  return {
    name: line.text.slice(parts.nameStart, parts.nameEnd),
    nameSpan: sourceSpan(line, parts.nameStart, parts.nameEnd),
    value: line.text.slice(parts.valueStart, parts.valueEnd),
    valueSpan: sourceSpan(line, parts.valueStart, parts.valueEnd),
  };
}
