import { type CipherList, readCipherString } from '../../tls/cipher-string.ts';

/** What is wrong with the text of a cipher list as a whole, whichever server reads it. */

/** The words at which OpenSSL gives up. */
export function nearError(value: string, { errorAt }: CipherList): string {
  if (errorAt === null) return '';
  const start = Math.max(value.lastIndexOf(':', errorAt), 0);
  return (
    value
      .slice(start, errorAt + 20)
      .replace(/^:/, '')
      .split(/[:\s]/)[0] ?? ''
  );
}

/** Such a blank. */
export interface StrayBlank {
  readonly before: string;
  readonly after: string;
  /** Where the blank stands. */
  readonly at: number;
  readonly length: number;
}

/**
 * A blank in the middle of a name, in a list that is separated by colons: blanks separate too, and what
 * follows begins with an operator by accident.
 */
export function strayBlank(value: string): StrayBlank | null {
  const [match] = value.matchAll(/([A-Za-z0-9]+)([ \t]+)(-[A-Za-z0-9][^\s:,;]*)/g);
  if (match === undefined || !value.includes(':')) return null;
  const [, before = '', blanks = '', after = ''] = match;
  return { before, after, at: match.index + before.length, length: blanks.length };
}

/** How many suites the accident takes away. */
export function lostBy(value: string, { at, length }: StrayBlank, openssl: string): number {
  const names = new Set(readCipherString(value, openssl).suites.map(({ name }) => name));
  const meant = readCipherString(value.slice(0, at) + value.slice(at + length), openssl).suites;
  return meant.filter(({ name }) => !names.has(name)).length;
}
