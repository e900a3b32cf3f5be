import type { Endpoint } from '../model/endpoint.ts';
import { belowFloor } from '../model/protocol.ts';
import { inRange, type Release } from '../model/release.ts';
import type { EffectiveValue } from '../model/setting.ts';
import type { Thresholds } from '../model/thresholds.ts';
import { classesOf } from '../tls/cipher-classes.ts';
import { type CipherSuite, suitesOf } from '../tls/suites.ts';
import { forbiddenClasses } from './cipher-judgement.ts';
import type { Condition, EndpointCondition, SettingCondition } from './rule.ts';

/** What a condition can ask of an endpoint besides what every report shows. */
export interface ConditionEndpoint extends Pick<Endpoint, 'side' | 'role' | 'port' | 'tls' | 'auth'> {
  /** Reachable from other machines. */
  readonly public: boolean;
  /** Takes passwords, or would if TLS were there. */
  readonly sasl: boolean;
}

/** What of an endpoint a setting decides on. */
export type Decided = 'mode' | 'protocols' | 'ciphers' | 'auth';

/** What conditions have to know of a server. */
export interface ConditionServer<E extends ConditionEndpoint, V extends EffectiveValue> {
  readonly release: Release;
  readonly openssl: Release;
  readonly thresholds: Thresholds;
  readonly endpoints: readonly E[];
  /**
   * The value of a setting at an endpoint, or for the server as a whole.
   *
   * @param within the service or section that it is asked for instead
   * @returns null where `within` names nothing that is there
   */
  readonly get: (name: string, endpoint: E | null, within?: string) => V | null;
  /** Whether the release has the setting, and the files say whether a line sets it. */
  readonly isSettled: (value: V) => boolean;
  /** Whether they also say what it is worth: no template engine will fill it, and no machine works it out. */
  readonly isKnown: (value: V) => boolean;
  /** The words of a list. */
  readonly words: (value: V) => readonly string[];
  /** A text in the form in which all ways to write the same value are equal: `300s` and `5m`, `YES` and `yes`. */
  readonly sameForm: (value: V, text: string) => string;
  /** The number, the seconds or the bytes that a text stands for as a value of the setting; null: for none. */
  readonly quantity: (value: V, text: string) => number | null;
  /** The setting that decides on something of an endpoint; null where none does alone. */
  readonly decides: (endpoint: E, what: Decided) => V | null;
  /** Whether the files say what the setting is worth that decides on something of an endpoint. */
  readonly isCertain: (endpoint: E, what: Decided) => boolean;
}

/** What made a condition hold, or kept it from holding: a setting, an endpoint, or a setting at an endpoint. */
export interface Cause<E, V> {
  readonly value: V | null;
  readonly endpoint: E | null;
  readonly within: string | undefined;
}

/** What a condition met, for the words of the message. */
export interface Met {
  readonly words: readonly string[];
  readonly protocols: readonly string[];
  readonly ciphers: readonly string[];
  readonly mechanisms: readonly string[];
}

/** Outcome of a condition. */
export interface Verdict<E, V> {
  /** Null: the files do not tell, and nothing may rest on it. */
  readonly holds: boolean | null;
  /** The first named first. */
  readonly causes: readonly Cause<E, V>[];
  readonly met: Met;
  /** The endpoints that `some` found. */
  readonly endpoints: readonly E[];
}

const NOTHING: Met = { words: [], protocols: [], ciphers: [], mechanisms: [] };

/** Longer values are no list that somebody has written: an expression is not tried on them. */
const LONGEST_MATCHED = 20_000;

/**
 * Judges a condition of a rule.
 *
 * @param endpoint the endpoint where it is judged; null: the server as a whole
 */
export function judge<E extends ConditionEndpoint, V extends EffectiveValue>(
  condition: Condition,
  server: ConditionServer<E, V>,
  endpoint: E | null,
): Verdict<E, V> {
  if ('all' in condition)
    return joined(
      condition.all.map((part) => judge(part, server, endpoint)),
      false,
    );
  if ('any' in condition)
    return joined(
      condition.any.map((part) => judge(part, server, endpoint)),
      true,
    );
  if ('not' in condition) {
    const verdict = judge(condition.not, server, endpoint);
    return { ...verdict, holds: verdict.holds === null ? null : !verdict.holds, endpoints: [] };
  }
  if ('release' in condition) return plain(inRange(server.release, condition.release));
  if ('some' in condition) return judgeSome(condition.some, server);
  if ('none' in condition) {
    const { holds } = judgeSome(condition.none, server);
    return plain(holds === null ? null : !holds);
  }
  if ('endpoint' in condition)
    return endpoint === null ? plain(false) : judgeEndpoint(condition.endpoint, server, endpoint);
  return judgeSetting(condition, server, endpoint);
}

function plain<E, V>(holds: boolean | null): Verdict<E, V> {
  return { holds, causes: [], met: NOTHING, endpoints: [] };
}

/**
 * Several verdicts as one.
 *
 * @param decisive the outcome of a part that decides for all: false of `all`, true of `any`
 */
function joined<E, V>(parts: readonly Verdict<E, V>[], decisive: boolean): Verdict<E, V> {
  const decided = parts.find(({ holds }) => holds === decisive);
  if (decided !== undefined) return decided;
  return {
    holds: parts.some(({ holds }) => holds === null) ? null : !decisive,
    causes: parts.flatMap(({ causes }) => causes),
    met: {
      words: parts.flatMap(({ met }) => met.words),
      protocols: parts.flatMap(({ met }) => met.protocols),
      ciphers: parts.flatMap(({ met }) => met.ciphers),
      mechanisms: parts.flatMap(({ met }) => met.mechanisms),
    },
    endpoints: [...new Set(parts.flatMap(({ endpoints }) => endpoints))],
  };
}

function judgeSome<E extends ConditionEndpoint, V extends EffectiveValue>(
  condition: Condition,
  server: ConditionServer<E, V>,
): Verdict<E, V> {
  const verdicts = server.endpoints.map((endpoint) => ({
    endpoint,
    verdict: judge(condition, server, endpoint),
  }));
  const holding = verdicts.filter(({ verdict }) => verdict.holds === true);
  const [first] = holding;
  if (first === undefined)
    return plain(verdicts.some(({ verdict }) => verdict.holds === null) ? null : false);
  const { verdict, endpoint } = first;
  return {
    holds: true,
    causes: verdict.causes.length > 0 ? verdict.causes : [{ value: null, endpoint, within: undefined }],
    met: verdict.met,
    endpoints: holding.map((one) => one.endpoint),
  };
}

function judgeEndpoint<E extends ConditionEndpoint, V extends EffectiveValue>(
  asked: EndpointCondition,
  server: ConditionServer<E, V>,
  endpoint: E,
): Verdict<E, V> {
  const { side, role, port, tls, auth } = endpoint;
  const { sides, roles, modes, sasl, mechanisms, authBeforeTls } = asked;
  const ports = asked.port === undefined || typeof asked.port === 'object' ? asked.port : [asked.port];
  const tests: Verdict<E, V>[] = [];
  const test = (what: Decided | null, holds: boolean | null, met: Partial<Met> = {}): void => {
    const value = what === null ? null : server.decides(endpoint, what);
    tests.push({
      holds: what === null || server.isCertain(endpoint, what) ? holds : null,
      causes: [{ value, endpoint, within: undefined }],
      met: { ...NOTHING, ...met },
      endpoints: [],
    });
  };
  if (sides !== undefined) test(null, sides.includes(side));
  if (roles !== undefined) test(null, roles.includes(role));
  if (asked.public !== undefined) test(null, asked.public === endpoint.public);
  if (ports !== undefined) test(null, port !== null && ports.includes(port));
  if (sasl !== undefined) test(null, sasl === endpoint.sasl);
  if (modes !== undefined) test('mode', modes.includes(tls.mode));
  if (asked.protocol !== undefined) test('protocols', tls.protocols.includes(asked.protocol));
  if (asked.protocolBelow !== undefined) {
    const floor =
      asked.protocolBelow === '$lowestProtocol'
        ? server.thresholds.lowestProtocol[role]
        : asked.protocolBelow;
    const below = belowFloor(tls.protocols, floor);
    test('protocols', below.length > 0, { protocols: below });
  }
  if (asked.cipherClasses !== undefined) {
    const tlsRequired = tls.mode === 'required' || tls.mode === 'implicit';
    const classes: readonly string[] =
      asked.cipherClasses === '$forbiddenCiphers'
        ? forbiddenClasses(server.thresholds, { side, tlsRequired })
        : asked.cipherClasses;
    const known = suitesByName(server.openssl);
    const ciphers = (tls.ciphers ?? []).flatMap(({ name }) => {
      const suite = known.get(name);
      return suite !== undefined && classesOf(suite).some((one) => classes.includes(one)) ? [name] : [];
    });
    const unknown = tls.ciphers === undefined && tls.protocols.length > 0;
    test('ciphers', unknown ? null : ciphers.length > 0, { ciphers: [...new Set(ciphers)] });
  }
  if (mechanisms !== undefined) {
    const offered = auth.beforeTls === null || auth.afterTls === null;
    const found = among([...(auth.beforeTls ?? []), ...(auth.afterTls ?? [])], mechanisms);
    test('auth', found.length > 0 ? true : offered ? null : false, { mechanisms: found });
  }
  if (typeof authBeforeTls === 'boolean') {
    const isOffered = auth.beforeTls === null || auth.beforeTls.length > 0;
    test('auth', authBeforeTls === isOffered, { mechanisms: auth.beforeTls ?? [] });
  } else if (authBeforeTls !== undefined) {
    const found = among(auth.beforeTls ?? [], authBeforeTls);
    test('auth', auth.beforeTls === null ? null : found.length > 0, { mechanisms: found });
  }
  return joined(tests, false);
}

/** The words of a list that another one has, whatever their capitals. */
function among(words: readonly string[], wanted: readonly string[]): string[] {
  const known = new Set(wanted.map((word) => word.toUpperCase()));
  return [...new Set(words.filter((word) => known.has(word.toUpperCase())))];
}

const byName = new Map<Release, ReadonlyMap<string, CipherSuite>>();

function suitesByName(openssl: Release): ReadonlyMap<string, CipherSuite> {
  const known =
    byName.get(openssl) ??
    new Map(
      suitesOf(openssl)
        // All suites of TLSv1.3 are good.
        .filter(({ protocol }) => protocol !== 'TLSv1.3')
        .map((suite) => [suite.name, suite]),
    );
  byName.set(openssl, known);
  return known;
}

function judgeSetting<E extends ConditionEndpoint, V extends EffectiveValue>(
  asked: SettingCondition,
  server: ConditionServer<E, V>,
  endpoint: E | null,
): Verdict<E, V> {
  const { setting, in: within } = asked;
  const value = server.get(setting, endpoint, within);
  if (value === null) return plain(null);
  const causes = [{ value, endpoint, within }];
  const { explicit } = asked;
  const set =
    explicit === undefined
      ? []
      : [server.isSettled(value) ? explicit === (value.origin.kind !== 'default') : null];
  const { tests, met } = server.isKnown(value)
    ? valueTests(asked, server, value)
    : { tests: [null], met: NOTHING };
  const onlyExplicit = explicit !== undefined && Object.keys(asked).every((key) => ORIGIN_KEYS.has(key));
  const holds = onlyExplicit ? set : [...set, ...tests];
  const failed = holds.includes(false);
  return { holds: failed ? false : holds.includes(null) ? null : true, causes, met, endpoints: [] };
}

/** Keys of a condition that say nothing of the value. */
const ORIGIN_KEYS: ReadonlySet<string> = new Set(['setting', 'in', 'explicit']);

/** The outcome of each test of a value. */
function valueTests<E extends ConditionEndpoint, V extends EffectiveValue>(
  asked: SettingCondition,
  server: ConditionServer<E, V>,
  value: V,
): { readonly tests: readonly (boolean | null)[]; readonly met: Met } {
  const { is, oneOf, matches, count } = asked;
  const same = (text: string): boolean =>
    server.sameForm(value, text) === server.sameForm(value, value.value);
  const words = server.words(value);
  const tests: (boolean | null)[] = [];
  let met = NOTHING;
  if (is !== undefined) tests.push(same(is));
  if (oneOf !== undefined) tests.push(oneOf.some(same));
  if (matches !== undefined)
    tests.push(value.value.length > LONGEST_MATCHED ? null : new RegExp(matches, 'i').test(value.value));
  if (asked.contains !== undefined) {
    const wanted = typeof asked.contains === 'string' ? [asked.contains] : asked.contains;
    tests.push(wanted.every((phrase) => placeOfPhrase(words, phrase) >= 0));
  }
  if (asked.others !== undefined) {
    const known = new Set(asked.others.map((word) => word.toLowerCase()));
    const others = [...new Set(words.filter((word) => !known.has(word.toLowerCase())))];
    tests.push(others.length > 0);
    met = { ...met, words: others };
  }
  if (asked.order !== undefined) {
    const places = asked.order.map((phrase) => placeOfPhrase(words, phrase));
    tests.push(places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1)));
  }
  if (count !== undefined)
    tests.push(
      (count.is === undefined || words.length === count.is) &&
        (count.below === undefined || words.length < count.below) &&
        (count.above === undefined || words.length > count.above),
    );
  if (asked.below !== undefined || asked.above !== undefined) {
    const number = server.quantity(value, value.value);
    const bound = (text: number | string): number =>
      typeof text === 'number' ? text : (server.quantity(value, text) ?? Number.NaN);
    tests.push(
      number !== null &&
        (asked.below === undefined || number < bound(asked.below)) &&
        (asked.above === undefined || number > bound(asked.above)),
    );
  }
  return { tests, met };
}

/** Index of the word of a list from which on the words of a phrase follow each other; -1 where they do not. */
export function placeOfPhrase(words: readonly string[], phrase: string): number {
  const wanted = listed(phrase.toLowerCase());
  if (wanted.length === 0) return -1;
  const lower = words.map((word) => word.toLowerCase());
  return lower.findIndex((_, at) => wanted.every((word, index) => lower[at + index] === word));
}

/** Words of a list as both servers take them apart: at commas and white space. */
export function listed(text: string): string[] {
  return text.split(/[,\s]+/).filter((word) => word !== '');
}
