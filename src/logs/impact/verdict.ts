import type { OfferedCipher } from '../../model/endpoint.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../../model/protocol.ts';
import type { Place, PlacePair, Seen } from './places.ts';

/**
 * What becomes of a session of a log when an endpoint changes. Nothing is guessed of the other side: what it can
 * do beside what it did follows from what was on offer and was not taken (ssl_choose_server_version() and
 * ssl3_choose_cipher() of OpenSSL: a server takes the newest protocol of both sides, and by its own order, or the
 * client's, the first suite of both), or it was seen.
 */

/**
 * - `lost`: it cannot have TLS, or cannot log in, any more;
 * - `risk`: what it used goes away, and nothing proves that the peer can do anything else, or that it cannot;
 * - `untold`: the log does not say what it used, or no endpoint of the files has that name;
 * - `another`: it keeps TLS, with another protocol or suite, or perhaps with another one;
 * - `unaffected`: it stays as it is.
 */
export type Verdict = 'lost' | 'risk' | 'untold' | 'another' | 'unaffected';

/** The worst first. */
export const VERDICTS: readonly Verdict[] = ['lost', 'risk', 'untold', 'another', 'unaffected'];

/** Why a verdict is what it is. */
export type Why =
  /** What it used stays, and nothing that comes first for both sides is new. */
  | 'stays'
  /** What it used stays, and something is new on offer, or the order is. */
  | 'may-change'
  /** The peer was seen with something that stays. */
  | 'seen'
  /** All that stays was on offer and was not taken. */
  | 'on-offer'
  /** What it used goes away. */
  | 'goes'
  /** A newer protocol comes up, which the peer may speak without a suite that fits. */
  | 'new-protocol'
  /** The endpoint has no TLS any more, or is gone. */
  | 'no-tls'
  /** TLS begins in another way. */
  | 'mode'
  /** The parameters for the exchange of keys change. */
  | 'key-exchange'
  /** It was in the clear, TLS was on offer, and is demanded now. */
  | 'clear-on-offer'
  /** It was in the clear, TLS was not on offer, and is demanded now. */
  | 'clear'
  /** Nobody can log in there any more. */
  | 'no-login'
  /** The mechanism of the login goes away, another one stays. */
  | 'mechanism'
  /** It logged in in the clear. */
  | 'clear-login'
  /** The log tells of TLS and not which, or not even whether there was any. */
  | 'not-told'
  /** No service of the files writes under that name. */
  | 'no-service'
  /** Several endpoints write under the name, and the verdict differs. */
  | 'several';

/** A verdict, and why. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly why: Why;
  /** What is at stake is TLS alone: where it cannot be had, mail may go in the clear. */
  readonly mayClear: boolean;
}

/**
 * Judges a session of a log by the endpoints that it can have been at.
 *
 * @param fits whether the files permit the session as it was: if not, they are not those that the log was
 *   written with, and nothing follows from what was on offer
 * @param proofs what else the same peer was seen with
 */
export function judge(
  { pairs, fits }: { readonly pairs: readonly PlacePair[]; readonly fits: boolean },
  seen: Seen,
  proofs: readonly OfferedCipher[],
): Judgement {
  const all = pairs.map((pair) => judgeAt(fits ? pair : { ...pair, before: null }, seen, { proofs, fits }));
  const [first] = all;
  if (first === undefined) return { verdict: 'untold', why: 'no-service', mayClear: false };
  const mayClear = all.every((judgement) => judgement.mayClear);
  if (all.every(({ verdict }) => verdict === first.verdict)) return { ...first, mayClear };
  const kept = all.every(({ verdict }) => verdict === 'unaffected' || verdict === 'another');
  return { verdict: kept ? 'another' : 'risk', why: 'several', mayClear };
}

/** What is known beside the session itself. */
interface Evidence {
  readonly proofs: readonly OfferedCipher[];
  readonly fits: boolean;
}

function judgeAt({ before, after }: PlacePair, seen: Seen, evidence: Evidence): Judgement {
  if (after === null) return { verdict: 'lost', why: 'no-tls', mayClear: false };
  const login = loginJudgement(before, after, seen);
  const judged =
    seen.state === 'plaintext' ? ofClear(before, after, seen) : ofTls(before, after, seen, evidence);
  const mayClear = after.tls.mode === 'opportunistic' || after.tls.mode === 'none';
  const transport = { ...judged, mayClear };
  if (login === null) return transport;
  return VERDICTS.indexOf(login.verdict) <= VERDICTS.indexOf(transport.verdict)
    ? { ...login, mayClear: false }
    : transport;
}

type Cause = Omit<Judgement, 'mayClear'>;

/** What becomes of a login where it does not stay possible as it was; else null. */
function loginJudgement(before: Place | null, after: Place, { login, state, secured }: Seen): Cause | null {
  if (login === null || after.side === 'client' || secured) return null;
  const when = state === 'plaintext' ? 'beforeTls' : 'afterTls';
  const offered = after.auth[when];
  // Of Postfix only the authentication server knows the mechanisms.
  if (offered === null || offered.includes(login)) return null;
  if (offered.length > 0) return { verdict: 'risk', why: 'mechanism' };
  if (when === 'afterTls') return { verdict: 'lost', why: 'no-login' };
  // Whoever was offered TLS and did not ask for it will not ask for it now.
  return {
    verdict: before !== null && offers(before) && !after.trusts ? 'lost' : 'risk',
    why: 'clear-login',
  };
}

/** A session without TLS loses only where TLS is demanded. */
function ofClear(before: Place | null, after: Place, { secured }: Seen): Cause {
  const demanded = after.tls.mode === 'required' || after.tls.mode === 'implicit';
  if (!demanded || secured) return { verdict: 'unaffected', why: 'stays' };
  return before !== null && offers(before)
    ? { verdict: 'lost', why: 'clear-on-offer' }
    : { verdict: 'risk', why: 'clear' };
}

/** Whether TLS can be had where it is not demanded; a client asks for it. */
function offers({ tls }: Place): boolean {
  return tls.mode === 'opportunistic' && tls.protocols.length > 0;
}

function ofTls(before: Place | null, after: Place, seen: Seen, { proofs, fits }: Evidence): Cause {
  const same = before !== null && tlsText(before) === tlsText(after);
  // It may have been in the clear.
  if (seen.state === 'untold' && !(same && ofClear(before, after, seen).verdict === 'unaffected'))
    return { verdict: 'untold', why: 'not-told' };
  if (same) return { verdict: 'unaffected', why: 'stays' };
  if (after.tls.protocols.length === 0) return { verdict: 'lost', why: 'no-tls' };
  if (before !== null && (before.tls.mode === 'implicit') !== (after.tls.mode === 'implicit'))
    return { verdict: 'lost', why: 'mode' };
  const used = cipherOf(seen);
  if (used === null) return { verdict: 'untold', why: 'not-told' };
  const rest = reachable(before, after, used);
  const newest = (than: Protocol): readonly Protocol[] =>
    spoken(before, after, used).filter((protocol) => compareProtocols(protocol, than) > 0);
  if (ciphersOf(after).some((one) => isSame(one, used))) {
    if (before === null && fits) return { verdict: 'unaffected', why: 'stays' };
    if (!succeeds(after, newest(used.protocol))) return { verdict: 'risk', why: 'new-protocol' };
    if (before === null) return { verdict: 'another', why: 'may-change' };
    if (!exchangesAlike(before, after, used)) return { verdict: 'risk', why: 'key-exchange' };
    return mayWin(before, after, used, rest)
      ? { verdict: 'another', why: 'may-change' }
      : { verdict: 'unaffected', why: 'stays' };
  }
  if (rest.length === 0) return { verdict: 'lost', why: 'on-offer' };
  return proofs.some(
    (proof) => rest.some((one) => isSame(one, proof)) && succeeds(after, newest(proof.protocol)),
  )
    ? { verdict: 'another', why: 'seen' }
    : { verdict: 'risk', why: 'goes' };
}

/** The protocol and suite of a session as endpoints have them; null where the log does not tell. */
export function cipherOf({ protocol, cipher }: Pick<Seen, 'protocol' | 'cipher'>): OfferedCipher | null {
  const known = PROTOCOLS.find((name) => name === protocol);
  return known === undefined || cipher === null ? null : { protocol: known, name: cipher };
}

/**
 * What of the changed endpoint beside `used` the peer may be able to have. Proved not to be are newer protocols
 * that were on offer, for the newest of both sides is taken, and suites of the same protocol that come first
 * for a server that goes by its own order.
 */
function reachable(before: Place | null, after: Place, used: OfferedCipher): readonly OfferedCipher[] {
  const offered = before === null ? [] : ciphersOf(before);
  const rank = offered.findIndex((one) => isSame(one, used));
  return ciphersOf(after).filter((one) => {
    if (isSame(one, used)) return false;
    const order = compareProtocols(one.protocol, used.protocol);
    if (order > 0) return before === null || !before.tls.protocols.includes(one.protocol);
    if (order < 0 || before?.tls.preference !== 'server') return true;
    const at = offered.findIndex((other) => isSame(other, one));
    return at < 0 || at > rank;
  });
}

/** The protocols of the changed endpoint that the peer may speak: not those that it did not take before. */
function spoken(before: Place | null, after: Place, used: OfferedCipher): readonly Protocol[] {
  return after.tls.protocols.filter(
    (protocol) => compareProtocols(protocol, used.protocol) <= 0 || !before?.tls.protocols.includes(protocol),
  );
}

/** The suite that everybody has who speaks TLSv1.3 (RFC 8446 section 9.1). */
const MANDATORY: OfferedCipher = { protocol: 'TLSv1.3', name: 'TLS_AES_128_GCM_SHA256' };

/**
 * Whether a handshake succeeds if one of these protocols is what both sides take: they look for a suite only
 * then, and do not go back to an older one.
 */
function succeeds(after: Place, protocols: readonly Protocol[]): boolean {
  return protocols.every(
    (protocol) => protocol === MANDATORY.protocol && ciphersOf(after).some((one) => isSame(one, MANDATORY)),
  );
}

/** Whether one of `others` may be taken in the place of `used`, which both endpoints have. */
function mayWin(before: Place, after: Place, used: OfferedCipher, others: readonly OfferedCipher[]): boolean {
  if (others.some(({ protocol }) => compareProtocols(protocol, used.protocol) > 0)) return true;
  const rivals = others.filter(({ protocol }) => protocol === used.protocol);
  const isNew = (one: OfferedCipher): boolean => !ciphersOf(before).some((other) => isSame(one, other));
  if (after.side === 'client') {
    // Whose order counts is for the other server to say.
    const names = (place: Place, other: Place): string =>
      ciphersOf(place)
        .filter((one) => one.protocol === used.protocol && ciphersOf(other).some((two) => isSame(one, two)))
        .map(({ name }) => name)
        .join();
    return rivals.some(isNew) || names(before, after) !== names(after, before);
  }
  if (after.tls.preference === 'server') {
    const mine = ciphersOf(after).findIndex((one) => isSame(one, used));
    return rivals.some((one) => ciphersOf(after).findIndex((other) => isSame(one, other)) < mine);
  }
  return before.tls.preference === 'client' ? rivals.some(isNew) : rivals.length > 0;
}

/** Whether the keys of a session are agreed on as before: with the same groups, parameters and kinds of certificates. */
function exchangesAlike(before: Place, after: Place, { protocol, name }: OfferedCipher): boolean {
  if (after.side === 'client') return true;
  if (/^(?:DHE|EDH|ADH|EXP-EDH|EXP-ADH)-/.test(name)) return before.keyExchange.dh === after.keyExchange.dh;
  const curves = protocol === 'TLSv1.3' || /^(?:ECDHE|AECDH)-/.test(name);
  if (curves && before.keyExchange.groups !== after.keyExchange.groups) return false;
  const keys = ({ tls }: Place): string => String(tls.keyTypes?.toSorted());
  return protocol !== 'TLSv1.3' || keys(before) === keys(after);
}

const texts = new WeakMap<Place, string>();

/** All of the TLS of an endpoint that a peer can notice, but for how it begins. */
function tlsText(place: Place): string {
  const known = texts.get(place);
  if (known !== undefined) return known;
  const { tls, keyExchange } = place;
  const implicit = tls.mode === 'implicit';
  const text = JSON.stringify([implicit, ciphersOf(place), tls.preference, tls.keyTypes, keyExchange]);
  texts.set(place, text);
  return text;
}

function ciphersOf({ tls }: Place): readonly OfferedCipher[] {
  return tls.ciphers ?? [];
}

function isSame(one: OfferedCipher, other: OfferedCipher): boolean {
  return one.name === other.name && one.protocol === other.protocol;
}
