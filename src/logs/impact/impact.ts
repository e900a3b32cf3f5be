import type { OfferedCipher, Role } from '../../model/endpoint.ts';
import { compareTexts } from '../summary.ts';
import type { Peer, Row, SomeNames, WholeCounts } from '../tally.ts';
import { candidates, type PlacePair, type Places, type Seen } from './places.ts';
import { cipherOf, type Judgement, judge, VERDICTS, type Verdict } from './verdict.ts';

/**
 * Whom a change concerns: other mail servers that bring mail, users who log in, who connects to the ports for
 * users and does not log in (scanners, mostly), other mail servers that take mail.
 */
export type PartyKind = 'senders' | 'users' | 'visitors' | 'servers';

/** The kinds in the order of reports. */
export const PARTY_KINDS: readonly PartyKind[] = ['senders', 'users', 'servers', 'visitors'];

/** Sessions of one party that are alike. */
export interface Share extends Judgement {
  readonly service: string;
  readonly state: Seen['state'];
  readonly protocol: string | null;
  readonly cipher: string | null;
  readonly login: string | null;
  readonly sessions: number;
}

/** One of those whom a change concerns: a host by its address, a user by name. */
export interface Party {
  /** Of a host its name in the log, `unknown` for none; of a user the login, null where the log does not name it. */
  readonly name: string | null;
  readonly addresses: readonly string[];
  /** Domains of senders (in) or recipients (out). */
  readonly domains: SomeNames;
  /** The worst of its sessions. */
  readonly verdict: Verdict;
  /** Where TLS cannot be had, its mail may go in the clear. */
  readonly mayClear: boolean;
  readonly sessions: number;
  /** Sessions with TLS. */
  readonly secure: number;
  /** Sessions with that verdict. */
  readonly affected: number;
  /** Worst first. */
  readonly shares: readonly Share[];
}

/** What becomes of all of one kind. */
export interface Parties {
  readonly kind: PartyKind;
  /** Those that had a session which was not refused. */
  readonly parties: number;
  readonly sessions: number;
  /** Those that had TLS, in one session at least, and the sessions that had it. */
  readonly secure: { readonly parties: number; readonly sessions: number };
  /** By the verdict of the party, and by that of the session. */
  readonly verdicts: Readonly<Record<Verdict, { readonly parties: number; readonly sessions: number }>>;
  /** Those that are not unaffected, worst first, then by the number of sessions concerned. */
  readonly concerned: readonly Party[];
}

/** What a change comes to for those whom a log tells of. */
export interface Impact {
  readonly kinds: readonly Parties[];
  /** Sessions that the files do not permit: the log was not written with them, or not at that time. */
  readonly foreign: number;
  /** Names in the log of which the files have no service. */
  readonly unknownServices: readonly string[];
  /** Sessions whose TLS failed already. */
  readonly refused: number;
}

/** Roles of ports that are for users alone. */
const USER_ROLES: ReadonlySet<Role> = new Set([
  'submission',
  'submissions',
  'imap',
  'imaps',
  'pop3',
  'pop3s',
  'sieve',
]);

/**
 * Holds each session of a log against the endpoints as they would be.
 *
 * @param counts of a reader that was asked for details
 */
export function impactOf(counts: Pick<WholeCounts, 'rows' | 'peers'>, places: Places): Impact {
  return new Judge(counts, places).impact();
}

/** Sessions of one party that are judged by the same proofs. */
interface Sightings {
  readonly address: string;
  readonly sessions: Map<Row, number>;
}

interface Gathered {
  readonly name: string | null;
  readonly domains: SomeNames;
  /** By address. */
  readonly sightings: Map<string, Sightings>;
}

class Judge {
  readonly #counts: Pick<WholeCounts, 'rows' | 'peers'>;
  readonly #places: Places;
  /** Services of which some session tells of TLS: the silence of others tells that they had none. */
  readonly #telling: ReadonlySet<string>;
  readonly #parties = new Map<PartyKind, Map<string, Gathered>>(
    PARTY_KINDS.map((kind) => [kind, new Map<string, Gathered>()]),
  );
  readonly #unknown = new Set<string>();
  #foreign = 0;
  #refused = 0;

  constructor(counts: Pick<WholeCounts, 'rows' | 'peers'>, places: Places) {
    this.#counts = counts;
    this.#places = places;
    this.#telling = new Set(counts.rows.filter(({ state }) => state !== 'untold').map(serviceKey));
  }

  impact(): Impact {
    for (const peer of this.#counts.peers) this.#gather(peer);
    const kinds = PARTY_KINDS.map((kind) => this.#judged(kind));
    return {
      kinds,
      foreign: this.#foreign,
      unknownServices: [...this.#unknown].sort(),
      refused: this.#refused,
    };
  }

  /** Sorts the sessions of a peer by whom they are of. */
  #gather(peer: Peer): void {
    const left = new Map<Row, number>();
    peer.rows.forEach((index, at) => {
      const row = this.#counts.rows[index];
      const sessions = peer.sessions[at] ?? 0;
      if (row === undefined || sessions <= 0) return;
      if (row.state === 'refused') this.#refused += sessions;
      else left.set(row, (left.get(row) ?? 0) + sessions);
    });
    for (const [name, rows] of peer.details?.users ?? []) {
      for (const [index, sessions] of rows) {
        const row = this.#counts.rows[index];
        const there = row === undefined ? 0 : Math.min(sessions, left.get(row) ?? 0);
        if (row === undefined || there === 0) continue;
        this.#add('users', name, name, peer, row, there);
        left.set(row, (left.get(row) ?? 0) - there);
      }
    }
    for (const [row, sessions] of left) {
      if (sessions === 0) continue;
      const kind = this.#kindOf(row);
      this.#add(kind, ` ${peer.address}`, kind === 'users' ? null : peer.name, peer, row, sessions);
    }
  }

  #kindOf(row: Row): PartyKind {
    if (row.direction === 'out') return 'servers';
    if (row.login !== null) return 'users';
    const pairs = this.#places.get(serviceKey(row)) ?? [];
    const forUsers =
      pairs.length === 0
        ? /submission|smtps|-login$/.test(row.service)
        : pairs.every(({ before, after }) => USER_ROLES.has((before ?? after)?.role ?? 'mx'));
    return forUsers ? 'visitors' : 'senders';
  }

  #add(kind: PartyKind, key: string, name: string | null, peer: Peer, row: Row, sessions: number): void {
    const parties = this.#parties.get(kind);
    const none = { names: [], more: false };
    const domains =
      kind === 'servers' ? peer.details?.recipients : kind === 'senders' ? peer.details?.senders : none;
    const party = parties?.get(key) ?? {
      name,
      domains: domains ?? none,
      sightings: new Map<string, Sightings>(),
    };
    parties?.set(key, party);
    const at = party.sightings.get(peer.address) ?? {
      address: peer.address,
      sessions: new Map<Row, number>(),
    };
    party.sightings.set(peer.address, at);
    at.sessions.set(row, (at.sessions.get(row) ?? 0) + sessions);
  }

  #judged(kind: PartyKind): Parties {
    const verdicts = Object.fromEntries(
      VERDICTS.map((name) => [name, { parties: 0, sessions: 0 }]),
    ) as Record<Verdict, { parties: number; sessions: number }>;
    const concerned: Party[] = [];
    const secure = { parties: 0, sessions: 0 };
    let all = 0;
    let sessions = 0;
    for (const gathered of this.#parties.get(kind)?.values() ?? []) {
      const party = this.#party(gathered);
      all++;
      sessions += party.sessions;
      secure.sessions += party.secure;
      if (party.secure > 0) secure.parties++;
      verdicts[party.verdict].parties++;
      for (const share of party.shares) verdicts[share.verdict].sessions += share.sessions;
      if (party.verdict !== 'unaffected') concerned.push(party);
    }
    concerned.sort(
      (a, b) =>
        rank(a.verdict) - rank(b.verdict) ||
        b.affected - a.affected ||
        compareTexts(a.name ?? '', b.name ?? '') ||
        compareTexts(a.addresses[0] ?? '', b.addresses[0] ?? ''),
    );
    return { kind, parties: all, sessions, secure, verdicts, concerned };
  }

  #party({ name, domains, sightings }: Gathered): Party {
    const shares = new Map<string, Share>();
    let sessions = 0;
    for (const at of sightings.values()) {
      const proofs = [...at.sessions.keys()].flatMap((row) => cipherOf(row) ?? []);
      for (const [row, number] of at.sessions) {
        sessions += number;
        const share = this.#share(at.address, row, number, proofs);
        const key = [row.index, share.verdict, share.why, share.mayClear].join();
        const known = shares.get(key);
        shares.set(key, known === undefined ? share : { ...known, sessions: known.sessions + number });
      }
    }
    const inOrder = [...shares.values()].sort(
      (a, b) => rank(a.verdict) - rank(b.verdict) || b.sessions - a.sessions,
    );
    const verdict = inOrder[0]?.verdict ?? 'unaffected';
    const worst = inOrder.filter((share) => share.verdict === verdict);
    return {
      name,
      addresses: [...sightings.keys()],
      domains,
      verdict,
      mayClear: worst.every(({ mayClear }) => mayClear),
      sessions,
      secure: inOrder.reduce((sum, one) => sum + (one.state === 'tls' ? one.sessions : 0), 0),
      affected: worst.reduce((sum, share) => sum + share.sessions, 0),
      shares: inOrder,
    };
  }

  #share(address: string, row: Row, sessions: number, proofs: readonly OfferedCipher[]): Share {
    const { service, protocol, cipher, login, reason } = row;
    const key = serviceKey(row);
    const state = row.state === 'untold' && this.#telling.has(key) ? 'plaintext' : row.state;
    const seen: Seen = {
      address,
      state: state === 'refused' ? 'untold' : state,
      protocol,
      cipher,
      login,
      secured: reason === 'secured',
    };
    const pairs: readonly PlacePair[] = this.#places.get(key) ?? [];
    if (pairs.length === 0) this.#unknown.add(service);
    const at = candidates(pairs, seen);
    if (!at.fits && pairs.length > 0) this.#foreign += sessions;
    return { service, state: seen.state, protocol, cipher, login, sessions, ...judge(at, seen, proofs) };
  }
}

function serviceKey({ direction, service }: Pick<Row, 'direction' | 'service'>): string {
  return `${direction} ${service}`;
}

function rank(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}
