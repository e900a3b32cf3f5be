import type { OfferedCipher, TlsMode } from '../model/endpoint.ts';
import { PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { shownCertificate } from './certificates.ts';
import { Connection } from './connection.ts';
import { asksForTls, mechanisms, offersLogin } from './dialogue.ts';
import { decider, type Eliminated, eliminate, type Preference } from './elimination.ts';
import {
  byProtocol,
  type DhField,
  type OfferedGroup,
  type ProbedEndpoint,
  roleOf,
  serverOf,
} from './endpoint.ts';
import type { Flight } from './flight.ts';
import { fieldName, GROUPS, groupName } from './groups.ts';
import { clientHello, clientHelloV2, type Hello, type HelloProtocol, VERSIONS } from './hello.ts';
import { type Look, look } from './look.ts';
import { type Answer, ask } from './question.ts';
import { type ProbeTarget, Session } from './session.ts';
import { type Family, SSLV2_SUITES, SUITES, suiteOf } from './suites.ts';

/**
 * Suites that are offered together. No hello offers more than 128, because some servers take no more, and
 * none of SSLv3, which has no padding, is longer than 255 bytes. The rare families come apart and last.
 */
const MAIN: readonly Family[] = ['ECDHE-ECDSA', 'ECDHE-RSA', 'DHE', 'RSA', 'ANON'];
const MAIN_SSLV3: readonly (readonly Family[])[] = [
  ['ECDHE-ECDSA', 'ECDHE-RSA', 'DHE'],
  ['RSA', 'ANON'],
];
const RARE: readonly (readonly Family[])[] = [['DSS', 'EXPORT', 'OTHER', 'SRP'], ['ECDH', 'DH'], ['PSK']];

/** The sets in which the suites of a protocol are offered, the usual ones first. */
function setsOf(protocol: HelloProtocol): {
  readonly usual: readonly (readonly number[])[];
  readonly rare: readonly (readonly number[])[];
} {
  const ids = (families: readonly Family[]): readonly number[] =>
    SUITES.filter(({ family }) => families.includes(family)).map(({ id }) => id);
  if (protocol === 'TLSv1.3') return { usual: [ids(['TLS13'])], rare: [] };
  return { usual: (protocol === 'SSLv3' ? MAIN_SSLV3 : [MAIN]).map(ids), rare: RARE.map(ids) };
}

/**
 * Looks at a port from outside: protocols, suites, groups, certificates, and what it says before and after TLS.
 *
 * Never rejects for what a server does or leaves undone: that is in `faults`. It ends in time.
 */
export async function probe(target: ProbeTarget): Promise<ProbedEndpoint> {
  return new Probe(target).run();
}

class Probe {
  readonly #target: ProbeTarget;
  readonly #session: Session;
  readonly #serverName: string | null;
  /** Some hello was answered, in whatever way. */
  #answered = false;
  readonly #chains = new Map<string, readonly Buffer[]>();
  readonly #fields = new Map<string, DhField>();
  readonly #ciphers: OfferedCipher[] = [];
  readonly #broken: OfferedCipher[] = [];
  readonly #groups: OfferedGroup[] = [];
  readonly #preference: Partial<Record<Protocol, Preference>> = {};

  constructor(target: ProbeTarget) {
    this.#target = target;
    this.#session = new Session(target);
    this.#serverName = target.serverName ?? null;
  }

  async run(): Promise<ProbedEndpoint> {
    const seen = await this.#firstLook();
    let required = false;
    if (seen !== null && seen.fault === null) {
      const [demand] = await Promise.all([
        this.#demandsTls(),
        this.#askV2(),
        ...PROTOCOLS.filter((protocol) => protocol !== 'SSLv2').map((protocol) =>
          this.#askProtocol(protocol),
        ),
      ]);
      required = demand;
      await this.#askGroups();
      await this.#askAgain();
      if (this.#ciphers.length === 0 && !this.#session.stopped)
        this.#session.faults.add('no-handshake', 'no protocol and suite was agreed on');
    }
    return this.#result(seen, required);
  }

  /** The first connection is made alone: postscreen remembers a client that has waited once. */
  async #firstLook(): Promise<Look | null> {
    const { starttls, spoken } = this.#target;
    try {
      const seen = await this.#session.through((time) =>
        look(this.#session.place, starttls ?? spoken, this.#serverName, time),
      );
      if (seen.fault !== null) this.#session.faults.add(seen.fault.kind, seen.fault.message);
      if (seen.certificate !== null) this.#keepChain([seen.certificate]);
      return seen;
    } catch (error) {
      this.#session.stop(error);
      return null;
    }
  }

  /**
   * Asks one question. A server that has answered others is asked again where it leaves one unanswered: a
   * busy Dovecot lets a connection wait until the next one comes.
   */
  async #ask(hello: Hello): Promise<Answer> {
    let answer = await this.#askOnce(hello);
    if (answer.kind === 'timeout' && this.#answered) {
      this.#session.faults.add('timeout', 'a hello was left unanswered and sent again');
      answer = await this.#askOnce(hello);
    }
    if (answer.kind !== 'timeout') this.#answered = true;
    if (answer.kind === 'hello' || answer.kind === 'broken') this.#keep(answer.flight);
    return answer;
  }

  #askOnce(hello: Hello): Promise<Answer> {
    return this.#session.through((time) => ask(this.#session.place, clientHello(hello), time));
  }

  #keep({ certificates, keyExchange }: Flight): void {
    this.#keepChain(certificates);
    if (keyExchange?.kind !== 'field') return;
    const { prime } = keyExchange;
    const bits = prime.length * 8 - Math.clz32(prime[0] ?? 0) + 24;
    this.#fields.set(prime.toString('hex'), { bits, name: fieldName(prime) });
  }

  #keepChain(chain: readonly Buffer[]): void {
    const own = chain[0]?.toString('base64');
    if (own !== undefined && (this.#chains.get(own)?.length ?? 0) < chain.length)
      this.#chains.set(own, chain);
  }

  async #askV2(): Promise<void> {
    try {
      const answer = await this.#session.through((time) =>
        ask(this.#session.place, clientHelloV2(), time, true),
      );
      if (answer.kind !== 'hello') return;
      this.#keep(answer.flight);
      for (const { id, name } of SSLV2_SUITES)
        if (answer.flight.kinds.includes(id)) this.#ciphers.push({ protocol: 'SSLv2', name });
    } catch (error) {
      this.#session.stop(error);
    }
  }

  async #askProtocol(protocol: HelloProtocol): Promise<void> {
    const serverName = this.#serverName;
    const asker = (suites: readonly number[]): Promise<Answer> => this.#ask({ protocol, suites, serverName });
    const version = VERSIONS[protocol];
    const { usual, rare } = setsOf(protocol);
    try {
      const found: Eliminated[] = [];
      for (const set of usual) {
        found.push(await eliminate(set, version, asker));
        if (found.some(({ unsupported, doubt }) => unsupported || doubt !== null)) break;
      }
      if (!found.some(({ unsupported, doubt }) => unsupported || doubt !== null)) {
        const known = found.some(({ taken, broken }) => taken.length + broken.length > 0);
        found.push(...(await Promise.all(rare.map((set) => eliminate(set, version, asker, known)))));
      }
      for (const { doubt } of found)
        if (doubt !== null) this.#session.faults.add('incomplete', `${protocol}: ${doubt}`);
      this.#broken.push(...found.flatMap(({ broken }) => broken).map((id) => offered(protocol, id)));
      const lists = found.map(({ taken }) => taken).filter((taken) => taken.length > 0);
      const ordered = lists.length < 2 && !found.some(({ scattered }) => scattered);
      const taken = await this.#inOrder(protocol, lists.flat(), ordered, asker);
      this.#ciphers.push(...taken.map((id) => offered(protocol, id)));
    } catch (error) {
      this.#session.stop(error);
    }
  }

  /** Finds out who decides and puts the suites in the server's order where it does. */
  async #inOrder(
    protocol: HelloProtocol,
    taken: readonly number[],
    ordered: boolean,
    asker: (suites: readonly number[]) => Promise<Answer>,
  ): Promise<readonly number[]> {
    const [first, last] = [taken[0], taken.at(-1)];
    if (first === undefined || last === undefined || first === last) return taken;
    const preference = await decider(first, last, asker);
    if (preference !== null) this.#preference[protocol] = preference;
    if (ordered || preference !== 'server') return taken;
    const again = await eliminate(taken, VERSIONS[protocol], asker);
    return [...again.taken, ...taken.filter((id) => !again.taken.includes(id))];
  }

  /**
   * Asks once more what was answered before: a server that shuts out whoever comes too often looks like one
   * that refuses everything, where TLS begins with the first byte.
   */
  async #askAgain(): Promise<void> {
    const [known] = this.#ciphers.filter(({ protocol }) => protocol !== 'SSLv2');
    const suite = SUITES.find(({ name }) => name === known?.name);
    if (known === undefined || suite === undefined) return;
    try {
      const { kind } = await this.#ask({
        protocol: known.protocol as HelloProtocol,
        suites: [suite.id],
        serverName: this.#serverName,
      });
      if (kind !== 'hello')
        this.#session.faults.add('incomplete', 'it no longer answers what it answered before');
    } catch (error) {
      this.#session.stop(error);
    }
  }

  /** Groups of TLSv1.3 and of TLSv1.2, each where it is spoken. */
  async #askGroups(): Promise<void> {
    const suites = (protocol: HelloProtocol, families: readonly Family[]): readonly number[] =>
      SUITES.filter(
        ({ name, family }) =>
          families.includes(family) &&
          this.#ciphers.some((cipher) => cipher.protocol === protocol && cipher.name === name),
      ).map(({ id }) => id);
    const rsa = suites('TLSv1.2', ['ECDHE-RSA']);
    // With a certificate for ECDSA the curve of its key has to be among the groups, so less is seen.
    const curves = rsa.length > 0 ? rsa : suites('TLSv1.2', ['ECDHE-ECDSA']);
    try {
      await Promise.all([
        this.#eliminateGroups('TLSv1.3', suites('TLSv1.3', ['TLS13'])),
        this.#eliminateGroups('TLSv1.2', curves),
      ]);
    } catch (error) {
      this.#session.stop(error);
    }
  }

  async #eliminateGroups(protocol: HelloProtocol, suites: readonly number[]): Promise<void> {
    if (suites.length === 0) return;
    let left = GROUPS.map(({ id }) => id);
    while (left.length > 0) {
      const answer = await this.#ask({ protocol, suites, groups: left, serverName: this.#serverName });
      if (answer.kind !== 'hello') return;
      const { group, keyExchange } = answer.flight;
      const picked = keyExchange?.kind === 'curve' ? keyExchange.group : group;
      if (picked === null || !left.includes(picked)) return;
      this.#groups.push({ protocol, name: groupName(picked) });
      left = left.filter((id) => id !== picked);
    }
  }

  /** Whether a server of SMTP or LMTP refuses mail before TLS. */
  async #demandsTls(): Promise<boolean> {
    const { startTls } = this.#session.place;
    if (startTls !== 'smtp' && startTls !== 'lmtp') return false;
    try {
      return await this.#session.through(async (time) => {
        const connection = await Connection.open(this.#session.place.host, this.#session.place.port, time);
        try {
          return await asksForTls(connection, startTls);
        } finally {
          connection.close();
        }
      });
    } catch (error) {
      this.#session.stop(error);
      return false;
    }
  }

  #result(seen: Look | null, required: boolean): ProbedEndpoint {
    const { host, port, starttls } = this.#target;
    const spoken = seen?.spoken ?? starttls ?? this.#target.spoken ?? null;
    const capabilities = { beforeTls: seen?.beforeTls ?? null, afterTls: seen?.afterTls ?? null };
    const implicit = starttls === null;
    const offersTls = seen !== null && seen.fault?.kind !== 'no-starttls';
    const mode: TlsMode = implicit
      ? 'implicit'
      : !offersTls
        ? 'none'
        : required
          ? 'required'
          : 'opportunistic';
    const offeredBy = (list: readonly string[] | null): readonly string[] | null =>
      list === null || spoken === null ? null : mechanisms(spoken, list);
    const loginOf = (list: readonly string[] | null): boolean | null =>
      list === null || spoken === null ? null : offersLogin(spoken, list);
    return {
      id: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      server: serverOf(seen?.greeting ?? null),
      side: 'server',
      role: roleOf(port, spoken, implicit),
      address: host,
      remoteAddress: seen?.remoteAddress ?? null,
      localAddress: seen?.localAddress ?? null,
      port,
      tls: {
        mode,
        protocols: PROTOCOLS.filter((name) => this.#ciphers.some(({ protocol }) => protocol === name)),
        ciphers: byProtocol(this.#ciphers),
      },
      auth: {
        beforeTls: implicit ? [] : offeredBy(capabilities.beforeTls),
        afterTls: offeredBy(capabilities.afterTls),
      },
      speaks: spoken,
      greeting: seen?.greeting ?? null,
      capabilities,
      login: { beforeTls: loginOf(capabilities.beforeTls), afterTls: loginOf(capabilities.afterTls) },
      preference: this.#preference,
      broken: byProtocol(this.#broken),
      groups: byProtocol(this.#groups),
      fields: [...this.#fields.values()],
      certificates: [...this.#chains.values()].map(shownCertificate),
      faults: this.#session.faults.list(),
      complete: seen !== null && !this.#session.stopped && !this.#session.faults.has('incomplete'),
      connections: this.#session.connections,
      milliseconds: this.#session.elapsed,
    };
  }
}

function offered(protocol: Protocol, id: number): OfferedCipher {
  return { protocol, name: suiteOf(id).name };
}
