/** A path as the relative reference of a URI (RFC 3986 section 4.2), or as a `file:` URL where it is absolute. */
export function uriOf(path: string): string {
  const encoded = path
    .replaceAll('\\', '/')
    .split('/')
    .map((segment) => encodeURIComponent(segment))
    .join('/');
  return encoded.startsWith('/') ? `file://${encoded}` : withoutDot(encoded);
}

/** A relative path without the `./` that it may begin with: services compare paths letter by letter. */
export function withoutDot(path: string): string {
  return path.replace(/^(?:\.\/)+/, '');
}
