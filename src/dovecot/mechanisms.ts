import { atLeast, type Release } from '../model/release.ts';
import data from './data/tls.json' with { type: 'json' };

/**
 * Authentication mechanisms. Sources: mech.c of the releases and sasl-server.c of login-common; measured with
 * 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5.
 */
export interface Mechanism {
  /** In capitals, as it is announced. */
  readonly name: string;
  /** The password can be read by whoever listens: refused before TLS unless that is switched off. */
  readonly cleartext: boolean;
  /** Binds to the TLS session: not offered without. */
  readonly needsTls: boolean;
  /** Offered by this protocol alone, and by other means than a capability (APOP of POP3). */
  readonly only: string | null;
  /** A setting of the filter oauth2 without which the authentication process ends, in releases that have it. */
  readonly needs: string | null;
}

/** What a list of mechanisms comes to. */
export interface MechanismList {
  readonly known: readonly Mechanism[];
  /** Words that this release does not know: the authentication process ends, and nobody can log in. */
  readonly unknown: readonly string[];
}

/** One mechanism in the data. */
interface Line {
  readonly name: string;
  readonly cleartext?: boolean;
  readonly needsTls?: boolean;
  readonly only?: string;
  readonly needs?: string;
  readonly since?: Release;
  readonly until?: Release;
  /** From this release on there is only the one that asks winbind. */
  readonly winbindOnly?: Release;
}

const LINES: readonly Line[] = data.mechanisms;

/** The mechanisms that some release has, in capitals. */
export const MECHANISM_NAMES: readonly string[] = LINES.map(({ name }) => name);

/**
 * Reads the words of `auth_mechanisms`; capitals do not count.
 *
 * @param winbind value of auth_use_winbind
 */
export function readMechanisms(words: readonly string[], release: Release, winbind: boolean): MechanismList {
  const known: Mechanism[] = [];
  const unknown: string[] = [];
  for (const word of words) {
    const line = LINES.find(({ name }) => name === word.toUpperCase());
    if (!line || !exists(line, release, winbind)) unknown.push(word);
    else if (!known.some(({ name }) => name === line.name)) {
      const { name, cleartext = false, needsTls = false, only = null, needs = null } = line;
      known.push({ name, cleartext, needsTls, only, needs });
    }
  }
  return { known, unknown };
}

function exists(line: Line, release: Release, winbind: boolean): boolean {
  if (line.since !== undefined && !atLeast(release, line.since)) return false;
  if (line.until !== undefined && atLeast(release, line.until)) return false;
  return line.winbindOnly === undefined || winbind || !atLeast(release, line.winbindOnly);
}
