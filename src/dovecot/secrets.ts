import { isSecret, secretPartsAt } from '../model/secrets.ts';
import type { Span } from '../text/source.ts';
import type { DovecotFile, Statement } from './syntax/tree.ts';

/**
 * The places in a file that no report may show: values of settings that are secrets, secret parts of
 * others (`connect = host=… password=…`), the same in comments, where old passwords like to stay, and
 * keys that are written in place.
 */
export function secretSpans(file: DovecotFile): readonly Span[] {
  const known = spansOf.get(file);
  if (known !== undefined) return known;
  const spans = [
    ...secretValues(file),
    ...file.lines.flatMap(({ kind, span, comment }) => {
      const place = kind === 'comment' ? span : comment;
      return place === null ? [] : ofText(file, place);
    }),
    ...pemSpans(file.source.text),
  ];
  spansOf.set(file, spans);
  return spans;
}

/** Of those the ones that are a part of the configuration, so that a sentence may quote them. */
export function secretValues(file: DovecotFile): readonly Span[] {
  return file.statements.flatMap((statement) => ofStatement(file, statement));
}

const spansOf = new WeakMap<DovecotFile, readonly Span[]>();

function ofStatement(file: DovecotFile, statement: Statement): readonly Span[] {
  if (statement.kind !== 'setting')
    return statement.kind === 'invalid' ? ofText(file, statement.line.span) : [];
  const { key, form, valueSpan } = statement;
  const raw = file.source.slice(valueSpan);
  // A path is no secret, a `<` before it or not.
  if (isSecret(lastPart(key), raw) && form !== 'file') {
    // Behind a password the one before it may be kept.
    const comments = file.lines.slice(statement.line.firstLine, statement.line.endLine);
    return [valueSpan, ...comments.flatMap(({ comment }) => comment ?? [])].filter(
      ({ start, end }) => start < end,
    );
  }
  return secretPartsAt(raw, valueSpan.start);
}

/** A comment or a line that the server does not understand, read as `name = value` where it looks like that. */
function ofText(file: DovecotFile, { start, end }: Span): readonly Span[] {
  const text = file.source.text.slice(start, end);
  const [head = '', name, value = ''] = /^[\s#]*([\w/]+)[ \t]*[=: \t][ \t]*([^\r\n]*)/.exec(text) ?? [];
  if (name === undefined || value === '') return secretPartsAt(text, start);
  if (isSecret(lastPart(name), value) && !value.startsWith('<')) {
    const at = start + head.length - value.length;
    return [{ start: at, end: at + value.length }];
  }
  return secretPartsAt(text, start);
}

/** Of `service/auth/x` the `x`. */
function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Private keys from their first line to their last; of one that never ends, the line. */
function pemSpans(text: string): Span[] {
  if (!text.includes('PRIVATE KEY-----')) return [];
  const keys = text.matchAll(
    /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|.*)/g,
  );
  return [...keys].map(({ index, 0: found }) => ({ start: index, end: index + found.length }));
}
