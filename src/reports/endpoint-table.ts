import type { Endpoint, OfferedCipher } from '../model/endpoint.ts';
import { compareProtocols, PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { objectionsAt } from '../rules/cipher-judgement.ts';
import type { Profile } from '../rules/profile.ts';
import { CIPHER_CLASSES, type CipherClass } from '../tls/cipher-classes.ts';
import { type CipherSuite, cipherReleases, suitesOf } from '../tls/suites.ts';
import type { Palette } from './palette.ts';
import { count, widthOf, wrap } from './words.ts';

/** What the table needs to know of an endpoint, whether files tell it or a probe. */
export type TabledEndpoint = Pick<Endpoint, 'side' | 'tls'> & {
  /** Null where nobody knows what it is for: then it is judged as a port for other mail servers. */
  readonly role: Endpoint['role'] | null;
};

/** How the table is written. */
export interface TableFormat {
  readonly profile: Profile;
  readonly palette: Palette;
  readonly width: number;
  /** Names every suite. */
  readonly verbose: boolean;
}

/** Marks what is below the profile. */
const MARK = '!';

/**
 * The protocols and suites of one endpoint, a line a protocol, with a mark for those below the profile:
 * suites by class and number, and by name only where that is asked for. No lines where TLS is not spoken.
 */
export function protocolTable(endpoint: TabledEndpoint, format: TableFormat): string[] {
  const { protocols, ciphers } = endpoint.tls;
  if (protocols.length === 0) return [];
  const rows = protocols.map((protocol) => protocolRow(endpoint, protocol, ciphers, format));
  const headings = ['', 'protocol', 'suites', `below ${format.profile.title}`];
  const widths = headings.map((heading, column) =>
    Math.max(widthOf(heading), ...rows.map(({ cells }) => widthOf(cells[column] ?? ''))),
  );
  const written = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    format.palette.dim(written(headings)),
    ...rows.flatMap(({ cells, marked, names }, index) => [
      marked ? format.palette.severity.warning(written(cells)) : written(cells),
      ...(format.verbose
        ? namesOnce(names, index, rows)
            .flatMap((name) => wrap(name, format.width - 8))
            .map((name) => `        ${name}`)
        : []),
    ]),
  ].map((line) => `  ${line}`);
}

/** The names of a row; those of the protocol before are not told again. */
function namesOnce(names: readonly string[], index: number, rows: readonly Row[]): readonly string[] {
  const before = rows[index - 1];
  const same = before !== undefined && names.length > 0 && before.names.join() === names.join();
  return same ? [`  as in ${before.cells[1]}`] : names;
}

interface Row {
  readonly cells: readonly string[];
  readonly marked: boolean;
  readonly names: readonly string[];
}

function protocolRow(
  endpoint: TabledEndpoint,
  protocol: Protocol,
  ciphers: readonly OfferedCipher[] | undefined,
  { profile }: TableFormat,
): Row {
  const old = isBelowProfile(endpoint, protocol, profile);
  const own = ciphers?.filter((cipher) => cipher.protocol === protocol);
  const judged = own?.map(({ name }) => ({ name, classes: forbiddenClassesOf(endpoint, name, profile) }));
  const numbers = new Map<CipherClass, number>();
  for (const { classes } of judged ?? [])
    for (const name of classes) numbers.set(name, (numbers.get(name) ?? 0) + 1);
  const classes = CIPHER_CLASSES.filter(({ name }) => numbers.has(name)).map(
    ({ name }) => `${numbers.get(name)} ${name}`,
  );
  const below = [...(old ? ['the protocol'] : []), ...classes];
  return {
    cells: [
      below.length > 0 ? MARK : '',
      protocol,
      own === undefined ? '' : String(own.length),
      below.join(', ') || '-',
    ],
    marked: below.length > 0,
    names: (judged ?? []).map(({ name, classes: of }) =>
      of.length > 0 ? `${MARK} ${name} (${of.join(', ')})` : `  ${name}`,
    ),
  };
}

/** Whether a profile asks for a newer protocol there. */
export function isBelowProfile({ role }: TabledEndpoint, protocol: Protocol, profile: Profile): boolean {
  const floor = profile.thresholds.lowestProtocol[role ?? 'mx'];
  return compareProtocols(protocol, floor) < 0;
}

/** The classes for which a profile forbids a suite there; none for one that no OpenSSL has ever had. */
export function forbiddenClassesOf(
  { side, tls }: TabledEndpoint,
  name: string,
  profile: Profile,
): readonly CipherClass[] {
  const suite = suiteNamed(name);
  if (suite === undefined) return [];
  const place = { side, tlsRequired: tls.mode === 'required' || tls.mode === 'implicit' };
  return [...new Set(objectionsAt(suite, profile.thresholds, place).map((objection) => objection.class))];
}

let byName: ReadonlyMap<string, CipherSuite> | null = null;

/** The suite of a name in any release of OpenSSL, as the newest one has it. */
export function suiteNamed(name: string): CipherSuite | undefined {
  byName ??= new Map(
    cipherReleases().flatMap((release) =>
      suitesOf(release).flatMap((suite) => [
        [suite.name, suite] as const,
        // A port of another library may take suites that go by their names at IANA.
        [suite.iana, suite] as const,
      ]),
    ),
  );
  return byName.get(name);
}

/** Protocols in a few words: `TLSv1 to TLSv1.3`, `TLSv1 TLSv1.2`, `-`. */
export function protocolsText(protocols: readonly Protocol[]): string {
  const [first, last] = [protocols[0], protocols.at(-1)];
  if (first === undefined || last === undefined) return '-';
  const whole = PROTOCOLS.indexOf(last) - PROTOCOLS.indexOf(first) + 1 === protocols.length;
  return protocols.length > 2 && whole ? `${first} to ${last}` : protocols.join(' ');
}

/** Suites in a few words: `3 suites: A, B and C`, `12 suites: A, B, C and others`. */
export function someSuites(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return `${count(names.length, 'suite')}: ${shown}${names.length > most ? ' and others' : ''}`;
}
