import type { DovecotHost, PostfixHost } from './host.ts';

/**
 * Makes a function work out something of a server once for all hosts that have it. What comes of it is plain data:
 * with that the server of most hosts need not be read again.
 */
export function perServer<S extends PostfixHost | DovecotHost, T>(work: (server: S) => T): (server: S) => T {
  return perServerOf(work, (server) => server);
}

/** The same of what a server is looked at through; where there is none, nothing is kept. */
export function perServerOf<C, T>(
  work: (context: C) => T,
  serverOf: (context: C) => PostfixHost | DovecotHost | null,
): (context: C) => T {
  const known = new WeakMap<object, { readonly result: T }>();
  return (context) => {
    const server = serverOf(context);
    const before = server === null ? undefined : known.get(server);
    if (before !== undefined) return before.result;
    const result = work(context);
    if (server !== null) known.set(server, { result });
    return result;
  };
}
