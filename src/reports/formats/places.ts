import type { Host } from '../../hosts/host.ts';
import type { Location, SourceFile } from '../../text/source.ts';

/** A place in lines and columns from 1, columns in UTF-16 units, the end exclusive. */
export interface Region {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Lines and columns of a place. */
export function regionOf({ source, span }: Location): Region {
  const from = source.position(span.start);
  const to = source.position(span.end);
  return { line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
}

/** A path as the relative reference of a URI (RFC 3986 section 4.2), or as a `file:` URL where it is absolute. */
export function uriOf(path: string): string {
  const encoded = path
    .replaceAll('\\', '/')
    .split('/')
    .map((segment) => encodeURIComponent(segment))
    .join('/');
  if (encoded.startsWith('/')) return `file://${encoded}`;
  return encoded.replace(/^(?:\.\/)+/, '');
}

/** The file of a host that an edit names; undefined for one that the host was not read from. */
export function sourceOf({ postfix, dovecot }: Host, path: string): SourceFile | undefined {
  const { main = null, master = null } = postfix?.configuration ?? {};
  const files = [
    ...(main === null ? [] : [main.source]),
    ...(master === null ? [] : [master.source]),
    ...(dovecot?.configuration.tree.files.map(({ source }) => source) ?? []),
  ];
  return files.find((source) => source.path === path);
}
