import { buildHost, type DovecotHost, type Host, type HostInput, type PostfixHost } from '../hosts/host.ts';
import { type Digest, firstOf, Looks, textsOf } from '../hosts/looks.ts';
import type { Finding } from '../model/finding.ts';
import { type Location, SourceFile } from '../text/source.ts';
import { secretsOf } from './redact.ts';
import type { Rule } from './rule.ts';

/** What rules have found, by their ids. */
type FoundByRule = Map<string, readonly Finding[]>;

/** A server with what was found in it. */
interface KnownServer<S> {
  readonly looks: Looks;
  readonly server: S;
  /** By the secrets of the other server of the host, which are hidden in what is said of this one. */
  readonly found: Map<string, FoundByRule>;
  /** What rules have found that look at both servers, by the other one. */
  readonly both: WeakMap<object, FoundByRule>;
}

/**
 * Servers by their texts and all else that they are made of, those first that were not met for the longest time; of
 * one text there are several where other files differ.
 */
type KnownByTexts<S> = Map<string, KnownServer<S>[]>;

/** Servers of a kind that are kept with all that is known of them, some 200 kB each. */
const MOST_SERVERS = 20;

/** Of those with the same texts, so many that differ in the files around them. */
const MOST_ALIKE = 3;

/** Templates and parts of which is kept what was found in them. */
const MOST_JUDGED = 300;

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
  readonly both: FoundByRule | null;
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
  readonly #digest: Digest;
  readonly #most: number;

  /**
   * @param digest stands for texts that are kept to be compared; without it they are kept themselves
   * @param most so many servers of a kind are kept
   */
  constructor(digest: Digest = (text) => text, most = MOST_SERVERS) {
    this.#digest = digest;
    this.#most = most;
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
        : this.#known(this.#postfix, { ...input, first, dovecot: null }, (host) => host.postfix);
    const dovecot =
      onDovecot === null
        ? null
        : this.#known(this.#dovecot, { ...input, first, postfix: null }, (host) => host.dovecot);
    const { inOwnNames } = input;
    const both: FoundByRule = (dovecot === null ? undefined : postfix?.both.get(dovecot)) ?? new Map();
    if (dovecot !== null) postfix?.both.set(dovecot, both);
    const known: KnownHost = {
      postfix: foundIn(postfix, dovecot?.server ?? null),
      dovecot: foundIn(dovecot, postfix?.server ?? null),
      both,
      own: 0,
    };
    const looks = [postfix?.looks, dovecot?.looks].filter((one) => one !== undefined);
    for (const one of looks) this.#inUse.add(one);
    const host = buildHost(
      {
        ...input,
        first,
        postfix:
          onPostfix === null || postfix === null
            ? null
            : {
                directory: onPostfix.directory,
                main: postfix.server.configuration.main?.source ?? null,
                master: postfix.server.configuration.master?.source ?? null,
              },
        dovecot: dovecot?.server.input ?? null,
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
    const findings = withoutTrees(judge(nameless));
    looks.letGo();
    this.#judged.delete(key);
    this.#judged.set(key, [...alike, { looks, findings }].slice(-MOST_ALIKE));
    if (this.#judged.size > MOST_JUDGED) this.#judged.delete(this.#judged.keys().next().value ?? '');
    return findings;
  }

  /** What a rule finds in a host, where that is known; else it is looked for and kept. */
  foundBy({ id, applies: { server } }: Rule, host: Host, look: () => readonly Finding[]): readonly Finding[] {
    const known = this.#hosts.get(host);
    const found = server === 'any' ? null : (known?.[server] ?? null);
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
    return server === 'any' ? undefined : this.#hosts.get(host)?.[server]?.get(id);
  }

  #known<S extends PostfixHost | DovecotHost>(
    all: KnownByTexts<S>,
    input: HostInput,
    serverOf: (host: Host) => S | null,
  ): KnownServer<S> {
    const key = this.#digest(keyOf(input).join('\0'));
    const alike = all.get(key) ?? [];
    const before = alike.find(({ looks }) => looks.agreesWith(input));
    if (before !== undefined) {
      all.delete(key);
      all.set(key, alike);
      return before;
    }
    const looks = new Looks(input, this.#digest);
    const server = serverOf(buildHost(looks.through(input)));
    if (server === null) throw new Error('a server without its texts');
    const known: KnownServer<S> = { looks, server, found: new Map(), both: new WeakMap() };
    all.delete(key);
    all.set(key, [...alike, known].slice(-MOST_ALIKE));
    if (all.size > this.#most) all.delete(all.keys().next().value ?? '');
    return known;
  }
}

/** The same findings, at places in files of which nothing is known: else all that was read of them would be kept, too. */
function withoutTrees({ certain, possible }: HostFindings): HostFindings {
  const files = new Map<SourceFile, SourceFile>();
  const place = ({ source, span }: Location): Location => {
    const own = files.get(source) ?? new SourceFile(source.path, source.text, source.encoding);
    files.set(source, own);
    return { source: own, span };
  };
  const bare = (finding: Finding): Finding => {
    const { valueOrigin: _, ...rest } = finding;
    return {
      ...rest,
      at: place(finding.at),
      related: finding.related.map((one) => ({ ...one, at: place(one.at) })),
    };
  };
  const findings = certain.map(bare);
  return { certain: findings, possible: possible === certain ? findings : possible.map(bare) };
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
