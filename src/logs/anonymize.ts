import { createHmac } from 'node:crypto';
import type { Peer, PeerDetails, SomeNames, WholeCounts } from './tally.ts';

/** Hexadecimal digits of a pseudonym: a million peers share one with a chance of one in thirty million. */
const DIGITS = 16;

/**
 * Replaces what tells of somebody by pseudonyms, the same by the same: `ipv4-3f9a1c0b5d27e846`. A pseudonym is an
 * HMAC (RFC 2104) of what it stands for: who has no key can neither take it back nor try out the four thousand
 * million addresses of IPv4. Of an address its kind stays, and nothing of its network: blocks of neighbours would
 * tell the great senders.
 */
export class Anonymizer {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Tells this key from others, and nothing else of it. */
  get mark(): string {
    return this.#digits('key');
  }

  /** The same counts of peers that nobody knows. */
  counts(counts: WholeCounts): WholeCounts {
    return { ...counts, peers: counts.peers.map((peer) => this.#peer(peer)) };
  }

  #peer({ address, name, rows, sessions, details }: Peer): Peer {
    const pseudonym = this.#address(address);
    return {
      address: pseudonym,
      name:
        name === 'unknown' ? name : name === address ? pseudonym : this.#hidden('name', name.toLowerCase()),
      rows,
      sessions,
      ...(details === undefined ? {} : { details: this.#details(details) }),
    };
  }

  #address(address: string): string {
    return this.#hidden(address.includes(':') ? 'ipv6' : 'ipv4', address.toLowerCase());
  }

  #details({ senders, recipients, users }: PeerDetails): PeerDetails {
    const domains = ({ names, more }: SomeNames): SomeNames => ({
      names: names.map((name) => this.#hidden('domain', name)),
      more,
    });
    return {
      senders: domains(senders),
      recipients: domains(recipients),
      users: new Map([...users].map(([name, counted]) => [this.#hidden('user', name), counted])),
    };
  }

  #hidden(kind: string, text: string): string {
    return `${kind}-${this.#digits(`${kind} ${text}`)}`;
  }

  #digits(text: string): string {
    return createHmac('sha256', this.#key).update(text, 'latin1').digest('hex').slice(0, DIGITS);
  }
}
