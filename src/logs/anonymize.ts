import { createHmac } from 'node:crypto';
import type { Impact, Party, PartyKind } from './impact/impact.ts';
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
  counts(counts: WholeCounts): WholeCounts & { readonly peers: readonly Peer[] } {
    return { ...counts, peers: Array.from(counts.peers, (peer) => this.#peer(peer)) };
  }

  /** The same impact on somebody whom nobody knows. */
  impact(impact: Impact): Impact {
    return {
      ...impact,
      kinds: impact.kinds.map((parties) => ({
        ...parties,
        concerned: parties.concerned.map((party) => this.#party(party, parties.kind)),
      })),
    };
  }

  #party({ name, addresses, domains, ...rest }: Party, kind: PartyKind): Party {
    const [first = ''] = addresses;
    return {
      ...rest,
      name: name === null ? null : kind === 'users' ? this.#hidden('user', name) : this.#name(name, first),
      addresses: addresses.map((address) => this.#address(address)),
      domains: this.#domains(domains),
    };
  }

  #peer({ address, name, rows, sessions, details }: Peer): Peer {
    return {
      address: this.#address(address),
      name: this.#name(name, address),
      rows,
      sessions,
      ...(details === undefined ? {} : { details: this.#details(details) }),
    };
  }

  #name(name: string, address: string): string {
    if (name === 'unknown') return name;
    return name === address ? this.#address(address) : this.#hidden('name', name.toLowerCase());
  }

  #address(address: string): string {
    return this.#hidden(address.includes(':') ? 'ipv6' : 'ipv4', address.toLowerCase());
  }

  #details({ senders, recipients, users }: PeerDetails): PeerDetails {
    return {
      senders: this.#domains(senders),
      recipients: this.#domains(recipients),
      users: new Map([...users].map(([name, counted]) => [this.#hidden('user', name), counted])),
    };
  }

  #domains({ names, more }: SomeNames): SomeNames {
    return { names: names.map((name) => this.#hidden('domain', name)), more };
  }

  #hidden(kind: string, text: string): string {
    return `${kind}-${this.#digits(`${kind} ${text}`)}`;
  }

  #digits(text: string): string {
    return createHmac('sha256', this.#key).update(text, 'latin1').digest('hex').slice(0, DIGITS);
  }
}
