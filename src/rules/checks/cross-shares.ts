import { perServerOf } from '../../hosts/per-server.ts';
import type { CheckContext, DovecotCheckContext } from '../check.ts';

/** Makes a function work out what a Postfix brings to the rules for both servers, once for all hosts that have it. */
export function perPostfix<T>(work: (context: CheckContext) => T): (context: CheckContext) => T {
  return perServerOf(work, ({ host }) => host.postfix);
}

/** The same of a Dovecot. */
export function perDovecot<T>(
  work: (context: DovecotCheckContext) => T,
): (context: DovecotCheckContext) => T {
  return perServerOf(work, ({ host }) => host.dovecot);
}
