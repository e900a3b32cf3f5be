/** How the answers of running servers are kept: lists of suites, which come over and over, once each. */
import type { SeenPort, SeenServer } from './dovecot-ports.ts';

/** A file of test/recorded/dovecot-ports. */
interface Recorded {
  /** Names of suites, with blanks between. */
  readonly lists: readonly string[];
  readonly cases: Readonly<Record<string, Stored>>;
}

interface Stored extends Omit<SeenServer, 'ports'> {
  readonly ports: Readonly<Record<string, StoredPort>>;
}

interface StoredPort extends Omit<SeenPort, 'suites'> {
  /** Number of the list by protocol. */
  readonly suites: Readonly<Record<string, number>> | null;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));
}

/** The text of a file, one line a case. */
export function writeRecorded(cases: Readonly<Record<string, SeenServer>>): string {
  const lists: string[] = [];
  const numberOf = (names: readonly string[]): number => {
    const list = names.join(' ');
    const at = lists.indexOf(list);
    return at < 0 ? lists.push(list) - 1 : at;
  };
  const stored = mapValues(cases, (seen) => ({
    ...seen,
    ports: mapValues(seen.ports, (port) => ({
      ...port,
      suites: port.suites === null ? null : mapValues(port.suites, numberOf),
    })),
  }));
  const lines = Object.entries(stored).map(
    ([name, seen]) => `  ${JSON.stringify(name)}: ${JSON.stringify(seen)}`,
  );
  const texts = lists.map((list) => `  ${JSON.stringify(list)}`);
  return `{ "lists": [\n${texts.join(',\n')}\n], "cases": {\n${lines.join(',\n')}\n} }\n`;
}

/** What a file holds, by name of the case. */
export function readRecorded(text: string): Record<string, SeenServer> {
  const { lists, cases } = JSON.parse(text) as Recorded;
  const namesOf = (at: number): readonly string[] => lists[at]?.split(' ') ?? [];
  return mapValues(cases, (seen) => ({
    ...seen,
    ports: mapValues(seen.ports, (port) => ({
      ...port,
      suites: port.suites === null ? null : mapValues(port.suites, namesOf),
    })),
  }));
}
