import type { Release } from '../model/release.ts';
import { type CipherList, readCipherString } from './cipher-string.ts';

/** Most endpoints of a host, and most hosts of a run, use one of few strings. */
const lists = new Map<string, CipherList>();
const MOST_LISTS = 100;

/** What a release makes of a cipher string, read once: whoever asks again gets the same list. */
export function cipherListOf(text: string, openssl: Release): CipherList {
  const key = `${openssl} ${text}`;
  let list = lists.get(key);
  if (list === undefined) {
    list = readCipherString(text, openssl);
    if (lists.size >= MOST_LISTS) lists.clear();
    lists.set(key, list);
  }
  return list;
}
