/**
 * Which suites of one protocol a server takes: all are offered, the one that it picks is taken away, and so on
 * until it refuses. Pure but for the question that is asked.
 */
import type { Answer } from './question.ts';
import { type Family, suiteOf } from './suites.ts';

/** What came out for one protocol. */
export interface Eliminated {
  /** Numbers of the suites taken, in the order in which the server picked them. */
  readonly taken: readonly number[];
  /** Numbers of suites that the server picked and could then not use. */
  readonly broken: readonly number[];
  /** The server has no use for this protocol, whatever the suites. */
  readonly unsupported: boolean;
  /** The suites were not asked for in one line, so what stands behind what is not known. */
  readonly scattered: boolean;
  /** The server left a hello unanswered, or answered with something that is no TLS: why there may be more. */
  readonly doubt: string | null;
}

/** Asks with these suites in this order. */
export type Asker = (suites: readonly number[]) => Promise<Answer>;

/** Alerts that say that nothing offered is wanted (RFC 8446 §6.2, RFC 5246 §7.2.2). */
const ALERT = {
  handshakeFailure: 40,
  illegalParameter: 47,
  protocolVersion: 70,
  insufficientSecurity: 71,
  internalError: 80,
  unrecognizedName: 112,
} as const;

const REFUSALS: ReadonlySet<number> = new Set([
  ALERT.handshakeFailure,
  ALERT.illegalParameter,
  ALERT.protocolVersion,
  ALERT.insufficientSecurity,
  ALERT.unrecognizedName,
]);

/** After so many failures that are no refusal nothing more is learnt from another one. */
const MOST_FAILURES = 100;

/**
 * Finds what a server takes of one set of suites.
 *
 * A server whose choice breaks hides what stands behind it (Dovecot 2.3 without Diffie-Hellman parameters
 * hangs up whenever a DHE suite comes first): after an end that is no refusal the families of suites are
 * asked one by one, and after an internal error the suites of a family too.
 *
 * @param patient whether a server that hangs up without a word is asked for families at all
 * @param version the number of the protocol asked for: an answer in another one is none
 */
export async function eliminate(
  suites: readonly number[],
  version: number,
  ask: Asker,
  patient = true,
): Promise<Eliminated> {
  const taken: number[] = [];
  const broken: number[] = [];
  let unsupported = false;
  let doubt: string | null = null;
  let failures = 0;
  let scattered = false;

  const run = async (set: readonly number[]): Promise<void> => {
    let left = set;
    while (left.length > 0 && !unsupported && doubt === null) {
      const answer = await ask(left);
      if (answer.kind === 'hello' || answer.kind === 'broken') {
        const { suite, version: answered } = answer.flight;
        if (answered !== version) {
          unsupported = true;
          return;
        }
        if (suite === null || !left.includes(suite)) {
          doubt = `it picked ${suite === null ? 'no suite' : suiteOf(suite).name}, which was not offered`;
          return;
        }
        (answer.kind === 'hello' ? taken : broken).push(suite);
        left = left.filter((id) => id !== suite);
        continue;
      }
      if (answer.kind === 'timeout') doubt = 'a hello was left unanswered';
      else if (answer.kind === 'garbage') doubt = answer.text;
      else if (answer.kind === 'alert' && REFUSALS.has(answer.alert)) {
        unsupported = answer.alert === ALERT.protocolVersion;
      } else if (++failures <= MOST_FAILURES) {
        const parts = answer.kind === 'alert' || patient ? partsOf(left, answer.kind === 'alert') : [];
        if (parts.length > 1) {
          scattered = true;
          for (const part of parts) await run(part);
        } else if (left.length === 1 && answer.kind === 'alert' && answer.alert === ALERT.internalError)
          broken.push(...left);
      }
      return;
    }
  };
  await run(suites);
  return { taken, broken, unsupported: unsupported && taken.length === 0, scattered, doubt };
}

/** Families; within one family halves where `further` says that it is worth while. */
function partsOf(suites: readonly number[], further: boolean): readonly (readonly number[])[] {
  const families = new Map<Family, number[]>();
  for (const id of suites) {
    const { family } = suiteOf(id);
    families.set(family, [...(families.get(family) ?? []), id]);
  }
  if (families.size > 1 || !further) return [...families.values()];
  if (suites.length === 1) return [suites];
  const middle = Math.ceil(suites.length / 2);
  return [suites.slice(0, middle), suites.slice(middle)];
}

/** Who decides which suite is used. */
export type Preference = 'server' | 'client';

/**
 * Who decides between two suites that a server takes: they are offered in both orders.
 *
 * @returns null where the answers say nothing
 */
export async function decider(first: number, second: number, ask: Asker): Promise<Preference | null> {
  const [one, other] = await Promise.all([ask([first, second]), ask([second, first])]);
  if (one.kind !== 'hello' || other.kind !== 'hello') return null;
  if (one.flight.suite === other.flight.suite) return 'server';
  return one.flight.suite === first && other.flight.suite === second ? 'client' : null;
}
