import { type OfferedCipher, USER_ROLES } from '../../model/endpoint.ts';
import { compareTexts } from '../summary.ts';
import type { Peer, Row, SomeNames, WholeCounts } from '../tally.ts';
import {
  candidates,
  goesByAddress,
  type PlacePair,
  type Places,
  type Seen,
  towardsDomains,
} from './places.ts';
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

/**
 * Holds each session of a log against the endpoints as they would be.
 *
 * @param counts of a reader that was asked for details
 */
export function impactOf(counts: Pick<WholeCounts, 'rows' | 'peers'>, places: Places): Impact {
  return new LogParties(counts, places).impact(places);
}

/** Sessions by row. */
type RowCounts = Map<Row, number>;

/** A judgement, and whether the files permit the session at all. */
interface Outcome {
  readonly judgement: Judgement;
  readonly foreign: boolean;
}

interface Gathered {
  readonly name: string | null;
  readonly domains: SomeNames;
  /** By address: what a user did from one is no proof of what another machine can do. */
  readonly sightings: Map<string, RowCounts>;
}

/** Those whom a log tells of, sorted once; several changes can be held against them. */
export class LogParties {
  readonly #rows: readonly Row[];
  /** Services of which some session tells of TLS: the silence of others tells that they had none. */
  readonly #telling: ReadonlySet<string>;
  readonly #parties = new Map<PartyKind, Map<string, Gathered>>(
    PARTY_KINDS.map((kind) => [kind, new Map<string, Gathered>()]),
  );
  #refused = 0;

  /** @param places tell which ports are for users, as they are before a change */
  constructor({ rows, peers }: Pick<WholeCounts, 'rows' | 'peers'>, places: Places) {
    this.#rows = rows;
    this.#telling = new Set(rows.filter(({ state }) => state !== 'untold').map(serviceKey));
    const kinds = rows.map((row) => kindOf(row, places));
    for (const peer of peers) this.#gather(peer, kinds);
  }

  /** What a change comes to for them. */
  impact(places: Places): Impact {
    const judging = new Judge(places, this.#telling);
    const kinds = PARTY_KINDS.map((kind) => judging.all(kind, this.#parties.get(kind)?.values() ?? []));
    return {
      kinds,
      foreign: judging.foreign,
      unknownServices: [...judging.unknown].sort(),
      refused: this.#refused,
    };
  }

  /** Sorts the sessions of a peer by whom they are of. */
  #gather(peer: Peer, kinds: readonly PartyKind[]): void {
    const left = new Map<Row, number>();
    peer.rows.forEach((index, at) => {
      const row = this.#rows[index];
      const sessions = peer.sessions[at] ?? 0;
      if (row === undefined || sessions <= 0) return;
      if (row.state === 'refused') this.#refused += sessions;
      else left.set(row, (left.get(row) ?? 0) + sessions);
    });
    for (const [name, rows] of peer.details?.users ?? []) {
      for (const [index, sessions] of rows) {
        const row = this.#rows[index];
        const there = row === undefined ? 0 : Math.min(sessions, left.get(row) ?? 0);
        if (row === undefined || there === 0) continue;
        this.#add('users', name, name, peer, row, there);
        left.set(row, (left.get(row) ?? 0) - there);
      }
    }
    for (const [row, sessions] of left) {
      if (sessions === 0) continue;
      const kind = kinds[row.index] ?? 'senders';
      // No login begins with a blank.
      this.#add(kind, ` ${peer.address}`, kind === 'users' ? null : peer.name, peer, row, sessions);
    }
  }

  #add(kind: PartyKind, key: string, name: string | null, peer: Peer, row: Row, sessions: number): void {
    const parties = this.#parties.get(kind);
    let party = parties?.get(key);
    if (party === undefined) {
      const domains =
        kind === 'servers' ? peer.details?.recipients : kind === 'senders' ? peer.details?.senders : NONE;
      party = { name, domains: domains ?? NONE, sightings: new Map() };
      parties?.set(key, party);
    }
    let rows = party.sightings.get(peer.address);
    if (rows === undefined) {
      rows = new Map();
      party.sightings.set(peer.address, rows);
    }
    rows.set(row, (rows.get(row) ?? 0) + sessions);
  }
}

const NONE: SomeNames = { names: [], more: false };

function kindOf(row: Row, places: Places): PartyKind {
  if (row.direction === 'out') return 'servers';
  if (row.login !== null) return 'users';
  const pairs = places.get(serviceKey(row)) ?? [];
  const forUsers =
    pairs.length === 0
      ? /submission|smtps|-login$/.test(row.service)
      : pairs.every(({ before, after }) => USER_ROLES.has((before ?? after)?.role ?? 'mx'));
  return forUsers ? 'visitors' : 'senders';
}

class Judge {
  /** Names in the log of which the files have no service, and sessions that the files do not permit. */
  readonly unknown = new Set<string>();
  foreign = 0;
  readonly #places: Places;
  readonly #telling: ReadonlySet<string>;
  /** What became of sessions of a row, by what else the peer was seen with; most peers are like others. */
  readonly #known = new Map<string, Outcome>();

  constructor(places: Places, telling: ReadonlySet<string>) {
    this.#places = places;
    this.#telling = telling;
  }

  all(kind: PartyKind, gathered: Iterable<Gathered>): Parties {
    const verdicts = Object.fromEntries(
      VERDICTS.map((name) => [name, { parties: 0, sessions: 0 }]),
    ) as Record<Verdict, { parties: number; sessions: number }>;
    const concerned: Party[] = [];
    const secure = { parties: 0, sessions: 0 };
    let parties = 0;
    let sessions = 0;
    for (const one of gathered) {
      const shares = this.#shares(one);
      const verdict = shares[0]?.verdict ?? 'unaffected';
      const withTls = sum(shares, ({ state }) => state === 'tls');
      parties++;
      verdicts[verdict].parties++;
      secure.sessions += withTls;
      if (withTls > 0) secure.parties++;
      for (const share of shares) {
        sessions += share.sessions;
        verdicts[share.verdict].sessions += share.sessions;
      }
      if (verdict !== 'unaffected') concerned.push(partyOf(one, verdict, shares));
    }
    concerned.sort(
      (a, b) =>
        rank(a.verdict) - rank(b.verdict) ||
        b.affected - a.affected ||
        compareTexts(a.name ?? '', b.name ?? '') ||
        compareTexts(a.addresses[0] ?? '', b.addresses[0] ?? ''),
    );
    return { kind, parties, sessions, secure, verdicts, concerned };
  }

  /** The sessions of a party, worst first. */
  #shares({ sightings, domains }: Gathered): readonly Share[] {
    const all: Share[] = [];
    for (const [address, counted] of sightings) {
      const rows = [...counted.keys()];
      const proofs = rows.flatMap((row) => cipherOf(row) ?? []);
      const proofKey = rows.length === 1 ? '' : rows.map(({ index }) => index).join();
      for (const [row, number] of counted)
        all.push(this.#share(address, row, number, { domains, proofs, proofKey }));
    }
    if (all.length === 1) return all;
    return merged(all).sort((a, b) => rank(a.verdict) - rank(b.verdict) || b.sessions - a.sessions);
  }

  #share(address: string, row: Row, sessions: number, { domains, proofs, proofKey }: Company): Share {
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
    const own: readonly PlacePair[] = this.#places.get(key) ?? [];
    if (own.length === 0) this.unknown.add(service);
    const pairs = row.direction === 'out' ? towardsDomains(own, domains) : own;
    const outcomeKey = pairs !== own || goesByAddress(pairs, address) ? null : `${row.index} ${proofKey}`;
    const known = outcomeKey === null ? undefined : this.#known.get(outcomeKey);
    const { judgement, foreign } = known ?? outcomeOf(pairs, seen, proofs);
    if (outcomeKey !== null && known === undefined) this.#known.set(outcomeKey, { judgement, foreign });
    if (foreign) this.foreign += sessions;
    return { service, state: seen.state, protocol, cipher, login, sessions, ...judgement };
  }
}

/** What else is known of the peer of a session. */
interface Company {
  readonly domains: SomeNames;
  /** Suites that it was seen with, and what tells them from those of others. */
  readonly proofs: readonly OfferedCipher[];
  readonly proofKey: string;
}

function outcomeOf(pairs: readonly PlacePair[], seen: Seen, proofs: readonly OfferedCipher[]): Outcome {
  const at = candidates(pairs, seen);
  return { judgement: judge(at, seen, proofs), foreign: !at.fits && pairs.length > 0 };
}

/** Shares that are alike but for the address as one. */
function merged(shares: readonly Share[]): Share[] {
  const known = new Map<string, Share>();
  for (const share of shares) {
    const { service, state, protocol, cipher, login, verdict, why, mayClear } = share;
    const key = [service, state, protocol, cipher, login, verdict, why, mayClear].join('\0');
    const before = known.get(key);
    known.set(key, before === undefined ? share : { ...share, sessions: before.sessions + share.sessions });
  }
  return [...known.values()];
}

function partyOf({ name, domains, sightings }: Gathered, verdict: Verdict, shares: readonly Share[]): Party {
  const worst = shares.filter((share) => share.verdict === verdict);
  return {
    name,
    addresses: [...sightings.keys()],
    domains,
    verdict,
    mayClear: worst.every(({ mayClear }) => mayClear),
    sessions: sum(shares, () => true),
    affected: sum(worst, () => true),
    shares,
  };
}

function sum(shares: readonly Share[], counts: (share: Share) => boolean): number {
  return shares.reduce((total, share) => total + (counts(share) ? share.sessions : 0), 0);
}

function serviceKey({ direction, service }: Pick<Row, 'direction' | 'service'>): string {
  return `${direction} ${service}`;
}

function rank(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}
