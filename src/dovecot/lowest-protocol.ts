import { compareProtocols, PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { atLeast, type Release } from '../model/release.ts';
import { libraryProtocols } from '../tls/openssl.ts';
import data from './data/tls.json' with { type: 'json' };

/**
 * Which protocols the settings of Dovecot permit. Sources: iostream-openssl-common.c of 2.2.36.4, 2.3 and 2.4
 * (protocol_versions); measured with 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5. `MinProtocol` and `MaxProtocol` of
 * openssl.cnf are no limit where Dovecot says a protocol; where it says none (`ANY`) they are one, and what
 * they say cannot be known here.
 */

/** The words of `ssl_min_protocol`, with the protocol that each stands for. */
interface Words {
  readonly since: Release;
  readonly anyCase?: boolean;
  /** `any`: no lower limit; `newest`: only the newest that the library has. */
  readonly words: Readonly<Record<string, string>>;
}

const WORDS: readonly Words[] = data.lowestProtocols;

/**
 * The protocols that `ssl_min_protocol` permits, oldest first; null where the release does not know the word,
 * and then no connection gets TLS.
 */
export function protocolsOfWord(
  word: string,
  release: Release,
  openssl: Release,
): readonly Protocol[] | null {
  const known = WORDS.findLast(({ since }) => atLeast(release, since));
  const found = Object.entries(known?.words ?? {}).find(
    ([name]) => name === word || (known?.anyCase && name.toLowerCase() === word.toLowerCase()),
  );
  if (found === undefined) return null;
  const spoken = spokenProtocols(openssl);
  const [, lowest] = found;
  if (lowest === 'any') return spoken;
  if (lowest === 'newest') return spoken.slice(-1);
  return spoken.filter((protocol) => compareProtocols(protocol, lowest as Protocol) >= 0);
}

/** The words that a release takes for `ssl_min_protocol`, as they are written. */
export function lowestProtocolWords(release: Release): readonly string[] {
  return Object.keys(WORDS.findLast(({ since }) => atLeast(release, since))?.words ?? {});
}

/**
 * The protocols that `ssl_protocols` of 2.2 permits, oldest first; null where it has a word that 2.2 does not
 * know: the server does not start.
 *
 * A list with a name without `!` permits what it names, any other all but what it names. With OpenSSL 1.1.0
 * and later only the lowest of them counts.
 */
export function listedProtocols(list: string, openssl: Release): readonly Protocol[] | null {
  const words = list.split(/[ ,]+/).filter((word) => word !== '');
  const named = new Map<Protocol, boolean>();
  for (const word of words) {
    const plain = word.replace(/^!/, '').toLowerCase();
    const protocol = PROTOCOLS.find((one) => one.toLowerCase() === plain);
    // A protocol that is younger than 2.2 is a word like any other.
    if (protocol === undefined || protocol === PROTOCOLS.at(-1)) return null;
    named.set(protocol, !word.startsWith('!'));
  }
  const positive = [...named.values()].includes(true);
  const spoken = spokenProtocols(openssl);
  const permitted = spoken.filter((protocol) => named.get(protocol) ?? !positive);
  if (!atLeast(openssl, data.rangesSince)) return permitted;
  const [lowest] = permitted;
  return lowest === undefined ? [] : spoken.filter((protocol) => compareProtocols(protocol, lowest) >= 0);
}

/** Dovecot switches SSLv2 off itself, whatever is set. */
function spokenProtocols(openssl: Release): readonly Protocol[] {
  return libraryProtocols(openssl).filter((protocol) => protocol !== 'SSLv2');
}
