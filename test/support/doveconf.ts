/**
 * What pfharden says of a Dovecot configuration against what doveconf printed for it: refused or accepted,
 * at which line and with which words, warnings, and the whole listing.
 */
import { type DoveconfAnswer, doveconf } from '../../src/dovecot/doveconf.ts';
import { type DovecotFiles, loadDovecot } from '../../src/dovecot/load.ts';
import type { DovecotFault } from '../../src/dovecot/outcome.ts';
import { defaultServices } from '../../src/dovecot/services.ts';
import { settingsTable } from '../../src/dovecot/settings.ts';
import type { Release } from '../../src/model/release.ts';
import type { SourceFile } from '../../src/text/source.ts';

/** `-n`, and `-n` with references and files in their place. */
export const MODES = ['n', 'x'] as const;
export type Mode = (typeof MODES)[number];

/** How one run ended, and what it wrote. */
export interface Printed {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Answers of one release, as they are kept. */
export interface Recording {
  readonly release: Release;
  /** Defaults that the distribution has chosen. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly answers: readonly {
    readonly files: Readonly<Record<string, string>>;
    readonly runs: Readonly<Record<string, unknown>>;
  }[];
}

/** What doveconf finds in its environment. */
export const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', HOME: '/root' };

/** A listing without the lines that tell of the machine. */
export function withoutBanner(out: string): string {
  return out.replace(/^#.*\n/gm, '');
}

/** One configuration for one release. */
export interface Case {
  readonly main: SourceFile;
  readonly files: DovecotFiles;
  readonly release: Release;
  readonly environment: Readonly<Record<string, string>>;
  readonly secretsShown: boolean;
  /** Defaults that the distribution has changed. */
  readonly defaults?: ReadonlyMap<string, string>;
  /** Settings that another package has changed. */
  readonly left?: RegExp;
}

/** The one line that doveconf dies with, and what else it says. */
interface Said {
  readonly fatal: string | null;
  readonly warnings: readonly string[];
}

/** Ways of doveconf, or of the roots, that are not ours, and why. */
export const QUIRKS = {
  'not-installed':
    'a setting, section, service or protocol of a package that the root does not have: doveconf there refuses it, or does not print it',
  'parser-words': 'what doveconf says behind "syntax error" of a program: the words of its parser generator',
  crash:
    'doveconf 2.4.1 dies of a segmentation fault where a setting refers to itself before anything is set',
} as const;
export type Quirk = keyof typeof QUIRKS;

/** What was compared, and how often each listed way was met. */
export class Tally {
  cases = 0;
  refused = 0;
  lines = 0;
  values = 0;
  readonly quirks = new Map<Quirk, number>();

  met(quirk: Quirk): void {
    this.quirks.set(quirk, (this.quirks.get(quirk) ?? 0) + 1);
  }
}

/** What differs, one line each; empty where nothing does. */
export function compare(given: Case, mode: Mode, printed: Printed, tally: Tally): string[] {
  const tree = loadDovecot(given.main, given.files, given.release);
  const answer = doveconf(tree, given.release, {
    expand: mode === 'x',
    readFile: (path) => contentOf(given, path),
    environment: given.environment,
    defaults: given.defaults,
  });
  const said = saidIn(printed);
  const mine = fatalOf(answer, given.main.path);
  tally.cases++;
  if (printed.status >= SIGNALS) {
    tally.met('crash');
    return [];
  }
  if (
    said.fatal !== mine &&
    mine?.endsWith(': syntax error') === true &&
    said.fatal?.startsWith(`${mine}, `) === true
  ) {
    tally.met('parser-words');
    return [];
  }
  if (said.fatal !== mine && isNotInstalled(said.fatal, given.release)) {
    tally.met('not-installed');
    return [];
  }
  if (said.fatal !== null) tally.refused++;
  const differences: string[] = [];
  if (said.fatal !== mine)
    differences.push(`-${mode} dies of ${JSON.stringify(said.fatal)}, not of ${JSON.stringify(mine)}`);
  else if (said.fatal === null) {
    differences.push(
      ...differingLines(given, printed.out, answer.lines, tally).map((line) => `-${mode} ${line}`),
    );
  }
  // What it has said by the time it dies depends on when it dies.
  if (said.fatal === null && mine === null) {
    const warnings = [...new Set(answer.warnings.map(({ says }) => says))].sort();
    if (JSON.stringify(warnings) !== JSON.stringify(said.warnings))
      differences.push(
        `-${mode} warns of ${JSON.stringify(said.warnings)}, not of ${JSON.stringify(warnings)}`,
      );
  }
  return differences;
}

const UNKNOWN =
  /(?:Unknown setting: |Unknown section name: )(?:\w+ \{ )*([^ ]+)|protocols: Unknown protocol: (\S+)/;

/** Whether doveconf refuses what the tables know, because the package that has it is not there. */
function isNotInstalled(fatal: string | null, release: Release): boolean {
  const [, name, protocol] = UNKNOWN.exec(fatal ?? '') ?? [];
  if (protocol !== undefined) {
    return [...defaultServices(release).values()].some(({ keys }) => keys.get('protocol') === protocol);
  }
  if (name === undefined) return false;
  const table = settingsTable(release);
  return ['', 'passdb_', 'userdb_', 'passdb_ldap_', 'service/'].some(
    (before) => table.get(before + name) !== null,
  );
}

/** 2.3 drops the newline at the end of a file, where it prints its content. */
function contentOf({ files }: Case, path: string): string | null {
  return files.open(path)?.text ?? null;
}

function fatalOf({ faults: [first] }: DoveconfAnswer, main: string): string | null {
  return first === undefined ? null : wordsOf(first, main);
}

function wordsOf({ code, says, blamed }: DovecotFault, main: string): string {
  if (code === 'storage-version-missing' || (code === 'bad-reference' && blamed === null)) return says;
  const where = blamed === null ? main : `${blamed.path} line ${blamed.line}`;
  return `Error in configuration file ${where}: ${says}`;
}

/** Exit status of a program that a signal ended. */
const SIGNALS = 128;
/** The root has no list of what is mounted. */
const MOUNTS = /^setmntent\(/;
const NOTE = /^NOTE: You can get a new clean config file/;
/** ManageSieve is asked for its capabilities, and fails as doveconf does. */
const CAPABILITIES = /dump-capability process returned/;

function saidIn({ err, status }: Printed): Said {
  const lines = err.split(/^doveconf: /m).map((line) => line.replace(/\n$/, ''));
  const of = (kind: string): string[] =>
    lines.filter((line) => line.startsWith(`${kind}: `)).map((line) => line.slice(kind.length + 2));
  // Another program that is asked may die where doveconf does not.
  const fatal = status === 0 ? null : (of('Fatal')[0] ?? null);
  const warnings = [...of('Warning'), ...of('Error')].filter(
    (line) => !NOTE.test(line) && !CAPABILITIES.test(line) && !MOUNTS.test(line),
  );
  return { fatal, warnings: [...new Set(warnings)].sort() };
}

/** Lines that only one of the listings has. */
function differingLines(
  { left, secretsShown }: Case,
  out: string,
  lines: readonly string[],
  tally: Tally,
): string[] {
  const wanted = (line: string): boolean => {
    const [, key = ''] = /^ *([^ ]+) =/.exec(line) ?? [];
    return line !== '' && !line.startsWith('#') && left?.test(key) !== true;
  };
  const shown = (line: string): string =>
    secretsShown ? line : line.replace(SECRET, '$1# hidden, use -P to show it');
  const theirs = out.split('\n').filter(wanted);
  const all = lines.map(shown).filter(wanted);
  tally.lines += theirs.length;
  const ours = withoutMissing(all, theirs);
  if (ours.length < all.length) tally.met('not-installed');
  if (JSON.stringify(theirs) === JSON.stringify(ours)) return [];
  const at = theirs.findIndex((line, index) => line !== ours[index]);
  const from = at < 0 ? theirs.length : at;
  const around = (listing: readonly string[]): string =>
    JSON.stringify(listing.slice(Math.max(0, from - 1), from + 3));
  return [`prints ${around(theirs)}, not ${around(ours)}`];
}

const SECRET = /^( *(?:ssl_key|[^ ]*_(?:password|nonce|secret|key)|ssl_dh[^ ]*) = ).+/;

/** A listing without the services that the other does not know: ManageSieve is a package of its own. */
function withoutMissing(ours: readonly string[], theirs: readonly string[]): string[] {
  const kept: string[] = [];
  let skipping = false;
  for (const line of ours) {
    if (/^service managesieve(?:-login)? \{$/.test(line) && !theirs.includes(line)) skipping = true;
    if (!skipping) kept.push(line);
    if (line === '}') skipping = false;
  }
  return kept;
}
