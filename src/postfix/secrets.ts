import { isSecret, secretPartsAt } from '../model/secrets.ts';
import type { SourceFile, Span } from '../text/source.ts';
import { SERVICE_TYPES } from './syntax/master-cf.ts';
import type { InvalidLine, MainCf, MasterCf } from './syntax/tree.ts';

/**
 * The places in a file that no report may show: values of settings that are secrets, secret parts of others, such as
 * a setting that a blank at its start has made part of the one before, and the same in comments, where old passwords
 * like to stay.
 */
export function secretSpans(tree: MainCf | MasterCf): readonly Span[] {
  const { source, lines } = tree;
  const comments = lines.flatMap(({ kind, span }) => {
    if (kind !== 'comment') return [];
    const text = source.slice(span);
    const [head = '', name = '', value = ''] = /^[\s#]*([\w-]+)[ \t]*:[ \t]*(\S[^\r\n]*)/.exec(text) ?? [];
    const end = span.start + head.length;
    if (value !== '' && isSecret(name, value)) return [{ start: end - value.length, end }];
    return secretPartsAt(text, span.start);
  });
  return [...secretValues(tree), ...comments];
}

/** Of those the ones that are a part of the configuration, so that a sentence may quote them. */
export function secretValues(tree: MainCf | MasterCf): readonly Span[] {
  return tree.kind === 'main.cf' ? ofMain(tree) : ofMaster(tree);
}

function ofMain({ source, items }: MainCf): readonly Span[] {
  return items.flatMap((item): readonly Span[] => {
    if (item.kind === 'entry') {
      const { name, value, valueSpan } = item;
      return isSecret(name, value) ? [valueSpan] : secretPartsAt(source.slice(valueSpan), valueSpan.start);
    }
    return ofInvalid(source, item);
  });
}

/** A line that the server cannot read: its first word may still be the name of a secret. */
function ofInvalid(source: SourceFile, { line: { text, span } }: Pick<InvalidLine, 'line'>): readonly Span[] {
  const [first = '', ...rest] = text.trim().split(/[\s:]+/);
  const raw = source.slice(span);
  if (!isSecret(first, rest.join(' '))) return secretPartsAt(raw, span.start);
  return [{ start: span.start + raw.indexOf(first) + first.length, end: span.end }];
}

function ofMaster({ source, items }: MasterCf): readonly Span[] {
  return items.flatMap((item): readonly Span[] => {
    if (item.kind !== 'service') return ofInvalid(source, item);
    const whole = item.arguments.flatMap((argument): readonly Span[] => {
      const { meant } = argument;
      const wasMeant = meant !== null && isSecret(meant.name, meant.value) ? [meant.valueSpan] : [];
      if (argument.kind !== 'override' || !isSecret(argument.name, argument.value)) return wasMeant;
      return [argument.valueSpan, ...wasMeant];
    });
    const { span } = item.line;
    // A line of main.cf that has come here by mistake.
    if (!SERVICE_TYPES.has(item.fields.type.text)) return [...whole, ...ofInvalid(source, item)];
    return [...whole, ...secretPartsAt(source.slice(span), span.start)];
  });
}
