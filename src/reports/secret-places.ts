import { secretSpans } from '../dovecot/secrets.ts';
import type { Host } from '../hosts/host.ts';
import { isSecret } from '../model/secrets.ts';
import { listWords } from '../postfix/configuration.ts';
import type { SourceFile, Span } from '../text/source.ts';

/** Spans of a file that no report may show. */
export type SecretPlaces = (source: SourceFile, line: Span) => readonly Span[];

const PASSWORD_MAPS = /password_maps$/i;
const PASSWORD_FILE = /passw|secret|credential/i;

/** Where the secrets of a host stand: values of secret settings, and the right-hand sides of password tables. */
export function secretPlaces(host: Host): SecretPlaces {
  // By paths: what was found in a host with the same texts may be shown.
  const spans = new Map<string, Span[]>();
  const tables = new Set<string>();
  const see = (source: SourceFile, name: string, value: string, span: Span): void => {
    if (isSecret(name, value)) spans.set(source.path, [...(spans.get(source.path) ?? []), span]);
    if (!PASSWORD_MAPS.test(name)) return;
    for (const word of listWords(value)) tables.add(word.replace(/^.*[:/]/, ''));
  };
  for (const file of host.dovecot?.configuration.tree.files ?? [])
    spans.set(file.source.path, [...secretSpans(file)]);
  const { main, master } = host.postfix?.configuration ?? { main: null, master: null };
  for (const item of main?.items ?? []) {
    if (main === null) break;
    if (item.kind === 'entry') see(main.source, item.name, item.value, item.valueSpan);
    else {
      // A line without `=`: its first word may still be the name of a secret.
      const [first = '', ...rest] = item.line.text.trim().split(/[\s:]+/);
      const start = item.line.span.start + main.source.slice(item.line.span).indexOf(first) + first.length;
      see(main.source, first, rest.join(' '), { start, end: item.line.span.end });
    }
  }
  for (const item of master?.items ?? []) {
    if (master === null || item.kind !== 'service') continue;
    for (const argument of item.arguments) {
      if (argument.kind === 'override') see(master.source, argument.name, argument.value, argument.valueSpan);
      const meant = 'meant' in argument ? argument.meant : null;
      if (meant !== null) see(master.source, meant.name, meant.value, meant.valueSpan);
    }
  }
  return (source, line) => {
    const { path } = source;
    const own = spans.get(path) ?? [];
    const isConfiguration = path === main?.source.path || path === master?.source.path;
    if (
      isConfiguration ||
      host.dovecot?.configuration.tree.files.some((file) => file.source.path === path) === true
    )
      return own;
    const name = path.replace(/^.*\//, '');
    if (!tables.has(name) && !PASSWORD_FILE.test(name)) return own;
    const value = /^\S+\s+(?=\S)/.exec(source.slice(line));
    return value === null ? own : [...own, { start: line.start + value[0].length, end: line.end }];
  };
}
