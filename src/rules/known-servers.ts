import {
  buildHost,
  type DovecotHost,
  type DovecotInput,
  type Host,
  type HostInput,
  type PostfixHost,
} from '../hosts/host.ts';
import { type Digest, firstOf, Looks, textsOf } from '../hosts/looks.ts';
import type { Finding } from '../model/finding.ts';
import type { Location, SourceFile } from '../text/source.ts';
import { secretsOf } from './redact.ts';
import type { Rule } from './rule.ts';

/** What rules have found, by their ids. */
type FoundByRule = Map<string, readonly Finding[]>;

/**
 * A server with what was found in it. It is read when somebody asks for what it holds: of one that is known from
 * another host mostly nobody does.
 */
class KnownServer<S extends PostfixHost | DovecotHost> {
  readonly looks: Looks;
  /** Stands for the server in all hosts that have it. */
  readonly server: S;
  /** By the secrets of the other server of the host, which are hidden in what is said of this one. */
  readonly found = new Map<string, FoundByRule>();
  readonly #read: (input: HostInput) => S;
  readonly #isRead: (known: Held) => void;
  #input: HostInput;
  #whole: S | null = null;

  /**
   * @param input a host with this one server
   * @param read reads it
   * @param standIn gives what stands for it, made of what it asks for the server
   * @param isRead is told when it is read
   */
  constructor(
    input: HostInput,
    looks: Looks,
    read: (input: HostInput) => S,
    standIn: (known: KnownServer<S>) => S,
    isRead: (known: Held) => void,
  ) {
    this.looks = looks;
    this.#input = onlyRead(looks.through(input));
    this.#read = read;
    this.#isRead = isRead;
    this.server = standIn(this);
  }

  /** The host with this one server from which it is read. */
  get input(): HostInput {
    return this.#input;
  }

  get whole(): S {
    if (this.#whole !== null) return this.#whole;
    const whole = this.#read(this.#input);
    this.#whole = whole;
    this.#isRead(this);
    return whole;
  }

  /** Forgets what was read; what was found stays. */
  letGo(): void {
    const bare = withoutTrees();
    const { postfix, dovecot } = this.#input;
    this.#whole = null;
    this.#input = {
      ...this.#input,
      postfix: postfix && {
        ...postfix,
        main: postfix.main?.copy() ?? null,
        master: postfix.master?.copy() ?? null,
      },
      dovecot: dovecot && { ...dovecot, main: dovecot.main.copy() },
    };
    for (const rules of this.found.values())
      for (const [id, findings] of rules) rules.set(id, findings.map(bare));
  }
}

/** What can be told that it is in nobody's hands any more. */
type Held = Pick<KnownServer<PostfixHost>, 'letGo'>;

/** Of a host what its servers are read from. */
function onlyRead({ root, postfix, dovecot, releases, open }: HostInput): HostInput {
  return { root, postfix, dovecot, releases, open };
}

function standInPostfix(known: KnownServer<PostfixHost>): PostfixHost {
  return {
    get configuration() {
      return known.whole.configuration;
    },
    get endpoints() {
      return known.whole.endpoints;
    },
  };
}

function standInDovecot(known: KnownServer<DovecotHost>): DovecotHost {
  return {
    get input() {
      return inputOf(known);
    },
    get configuration() {
      return known.whole.configuration;
    },
    get endpoints() {
      return known.whole.endpoints;
    },
  };
}

function inputOf({ input: { dovecot } }: KnownServer<DovecotHost>): DovecotInput {
  if (dovecot === null) throw new Error('a Dovecot without its texts');
  return dovecot;
}

/**
 * Servers by their texts and all else that they are made of, those first that were not met for the longest time; of
 * one text there are several where other files differ.
 */
type KnownByTexts<S extends PostfixHost | DovecotHost> = Map<string, KnownServer<S>[]>;

/** Servers of a kind of which is kept what was found in them, some 60 kB each. */
const MOST_SERVERS = 300;

/** Servers that are kept with all that was read of them, some 2 MB each: of many hosts hardly any is asked for it again. */
const MOST_WHOLE = 6;

/** The same of a single host: what a fix makes of it is held against what it was, over and over. */
const MOST_WHOLE_OF_ONE = 24;

/** Of those with the same texts, so many that differ in the files around them. */
const MOST_ALIKE = 3;

/** Templates and parts of which is kept what was found in them. */
const MOST_JUDGED = 400;

/** What is found in a host, its fingerprints left out of account. */
export interface HostFindings {
  readonly certain: readonly Finding[];
  /** Of a template, with it what holds in some of what it may come to; the same where that is not asked for. */
  readonly possible: readonly Finding[];
}

/** What is known of the servers of one host. */
interface KnownHost {
  readonly postfix: FoundByRule | null;
  readonly dovecot: FoundByRule | null;
  /** How many findings have fingerprints that no other host of the same texts has. */
  own: number;
}

/**
 * Servers that were judged before. Many renderings of a template differ in the files of one server only, and many
 * hosts in nothing but their names: what has the same texts is read once, and each rule looks at it once.
 */
export class KnownServers {
  readonly #postfix: KnownByTexts<PostfixHost> = new Map();
  readonly #dovecot: KnownByTexts<DovecotHost> = new Map();
  readonly #hosts = new WeakMap<Host, KnownHost>();
  readonly #judged = new Map<string, { readonly looks: Looks; readonly findings: HostFindings }[]>();
  #first: HostInput | null = null;
  readonly #inUse = new Set<Looks>();
  /** Those that were read, the one first that was not met for the longest time. */
  readonly #whole = new Set<Held>();
  readonly #digest: Digest;
  readonly #most: number;
  readonly #mostWhole: number;
  /** No closure of a method: that would keep the host which the method was called for. */
  readonly #hold = (known: Held): void => {
    this.#whole.add(known);
    if (this.#whole.size <= this.#mostWhole) return;
    const [oldest] = this.#whole;
    if (oldest === undefined) return;
    this.#whole.delete(oldest);
    oldest.letGo();
  };

  /**
   * @param digest stands for texts that are kept to be compared; without it they are kept themselves, and so of no
   *   more servers than those with all that was read of them
   * @param mostWhole so many servers are kept with all that was read of them
   * @param states of each server so many come by turns
   */
  constructor(
    digest?: Digest,
    mostWhole = digest === undefined ? MOST_WHOLE_OF_ONE : MOST_WHOLE,
    states = 1,
  ) {
    this.#digest = digest ?? ((text) => text);
    this.#most = digest === undefined ? mostWhole : MOST_SERVERS * states;
    this.#mostWhole = mostWhole;
  }

  /**
   * Reads a host; of servers that are known nothing is read again. The one before is no more asked for its files,
   * unless it was made of the same host.
   */
  hostOf(input: HostInput): Host {
    const { postfix: onPostfix, dovecot: onDovecot } = input;
    const first = firstOf(input);
    if (first !== this.#first) {
      for (const looks of this.#inUse) looks.letGo();
      this.#inUse.clear();
      this.#first = first;
    }
    const postfix =
      onPostfix === null
        ? null
        : this.#known(this.#postfix, { ...input, first, dovecot: null }, postfixIn, standInPostfix);
    const dovecot =
      onDovecot === null
        ? null
        : this.#known(this.#dovecot, { ...input, first, postfix: null }, dovecotIn, standInDovecot);
    const { inOwnNames } = input;
    const known: KnownHost = {
      postfix: foundIn(postfix, dovecot?.server ?? null),
      dovecot: foundIn(dovecot, postfix?.server ?? null),
      own: 0,
    };
    const looks = [postfix?.looks, dovecot?.looks].filter((one) => one !== undefined);
    for (const one of looks) this.#inUse.add(one);
    const host = buildHost(
      {
        ...input,
        first,
        postfix: postfix?.input.postfix ?? null,
        dovecot: dovecot?.input.dovecot ?? null,
        // Whoever asks: what comes of it may be kept with either server.
        open: (path) => looks.map((one) => one.named(path))[0] ?? null,
        ...(inOwnNames === undefined
          ? {}
          : {
              inOwnNames: (text) => {
                const own = inOwnNames(text);
                if (own !== text) known.own++;
                return own;
              },
            }),
      },
      { postfix: postfix?.server ?? null, dovecot: dovecot?.server ?? null },
    );
    this.#hosts.set(host, known);
    return host;
  }

  /**
   * What is found in a server by itself whose files are templates, or parts of a configuration, where that is known;
   * else it is judged and kept.
   *
   * @param input the host with this one server
   * @param asked what is asked of it beside
   */
  findingsIn(input: HostInput, asked: string, judge: (input: HostInput) => HostFindings): HostFindings {
    const key = this.#digest([asked, ...keyOf(input)].join('\0'));
    const alike = this.#judged.get(key) ?? [];
    const before = alike.find(({ looks }) => looks.agreesWith(input));
    if (before !== undefined) {
      before.looks.letGo();
      this.#judged.delete(key);
      this.#judged.set(key, alike);
      return before.findings;
    }
    const looks = new Looks(input, this.#digest);
    const { inOwnNames: _, ...nameless } = looks.through(input);
    const { certain, possible } = judge(nameless);
    const bare = withoutTrees();
    const proved = certain.map(bare);
    const findings = { certain: proved, possible: possible === certain ? proved : possible.map(bare) };
    looks.letGo();
    this.#judged.delete(key);
    this.#judged.set(key, [...alike, { looks, findings }].slice(-MOST_ALIKE));
    if (this.#judged.size > MOST_JUDGED) this.#judged.delete(this.#judged.keys().next().value ?? '');
    return findings;
  }

  /** What a rule finds in a host, where that is known; else it is looked for and kept. */
  foundBy({ id, applies: { server } }: Rule, host: Host, look: () => readonly Finding[]): readonly Finding[] {
    const known = this.#hosts.get(host);
    const found = server === 'any' || server === 'both' ? null : (known?.[server] ?? null);
    if (known === undefined || found === null) return look();
    const before = found.get(id);
    if (before !== undefined) return before;
    const { own } = known;
    const findings = look();
    if (known.own === own) found.set(id, findings);
    return findings;
  }

  /** What a rule was found to find in a host; undefined where it has not looked. */
  knownOf({ id, applies: { server } }: Rule, host: Host): readonly Finding[] | undefined {
    return server === 'any' || server === 'both' ? undefined : this.#hosts.get(host)?.[server]?.get(id);
  }

  #known<S extends PostfixHost | DovecotHost>(
    all: KnownByTexts<S>,
    input: HostInput,
    read: (input: HostInput) => S,
    standIn: (known: KnownServer<S>) => S,
  ): KnownServer<S> {
    const key = this.#digest(keyOf(input).join('\0'));
    const alike = all.get(key) ?? [];
    const before = alike.find(({ looks }) => looks.agreesWith(input));
    all.delete(key);
    if (before !== undefined) {
      all.set(key, alike);
      if (this.#whole.delete(before)) this.#whole.add(before);
      return before;
    }
    const looks = new Looks(input, this.#digest);
    const known = new KnownServer(input, looks, read, standIn, this.#hold);
    all.set(key, [...alike, known].slice(-MOST_ALIKE));
    if (all.size > this.#most) all.delete(all.keys().next().value ?? '');
    return known;
  }
}

function postfixIn(input: HostInput): PostfixHost {
  const { postfix } = buildHost(input);
  if (postfix === null) throw new Error('a Postfix without its texts');
  return postfix;
}

function dovecotIn(input: HostInput): DovecotHost {
  const { dovecot } = buildHost(input);
  if (dovecot === null) throw new Error('a Dovecot without its texts');
  return dovecot;
}

/** Makes what gives the same findings at places in files of which nothing is known: else all that was read of them would be kept, too. */
function withoutTrees(): (finding: Finding) => Finding {
  const files = new Map<SourceFile, SourceFile>();
  const place = ({ source, span }: Location): Location => {
    const own = files.get(source) ?? source.copy();
    files.set(source, own);
    return { source: own, span };
  };
  return (finding) => {
    const { valueOrigin: origin } = finding;
    return {
      ...finding,
      at: place(finding.at),
      related: finding.related.map((one) => ({ ...one, at: place(one.at) })),
      ...(origin === undefined || origin.kind === 'default'
        ? {}
        : { valueOrigin: { ...origin, at: place(origin.at) } }),
    };
  };
}

/** All that a server is made of but for the files around it. */
function keyOf(input: HostInput): readonly string[] {
  const { postfix, dovecot, releases, parts, now } = input;
  const ofServers = [postfix === null ? null : releases.postfix, dovecot === null ? null : releases.dovecot];
  return [JSON.stringify([...ofServers, releases.openssl, parts ?? [], now ?? 0]), ...textsOf(input)];
}

function foundIn<S extends PostfixHost | DovecotHost>(
  known: KnownServer<S> | null,
  other: PostfixHost | DovecotHost | null,
): FoundByRule | null {
  if (known === null) return null;
  const secrets = secretsOf(other);
  const found: FoundByRule = known.found.get(secrets) ?? new Map();
  known.found.set(secrets, found);
  return found;
}
