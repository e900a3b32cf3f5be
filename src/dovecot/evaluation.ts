import type { Release } from '../model/release.ts';
import type { Location, Span } from '../text/source.ts';
import type { DovecotAssignment, Scope } from './assignment.ts';
import { lastLine, type Read } from './load.ts';
import type { DovecotFault, DovecotWarning } from './outcome.ts';
import { type SettingsTable, settingsTable } from './settings.ts';
import type { DovecotFile, FatalSyntax, SyntaxProblem } from './syntax/tree.ts';

/** How values are read. */
export interface EvaluationOptions {
  /** Replace references, as the server does when it starts and `doveconf -x` does; `doveconf -n` only replaces those of a setting to itself. */
  readonly expand: boolean;
  /** Reads a file that a value names with `<`, where that is wanted: null where it cannot be read. Left out: such values stay `<path`. */
  readonly readFile?: ((path: string) => string | null) | undefined;
  /** Defaults that a build has changed. */
  readonly defaults?: ReadonlyMap<string, string> | undefined;
  /** The environment for `$ENV:`; left out: nothing is set. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** The settings of a release, with the defaults of a build. */
export function tableOf(
  release: Release,
  configVersion: Release,
  { defaults }: EvaluationOptions,
): SettingsTable {
  const table = settingsTable(release, configVersion);
  if (defaults === undefined) return table;
  return {
    release: table.release,
    configVersion: table.configVersion,
    names: (section) => table.names(section),
    get(name, section = null) {
      const setting = table.get(name, section);
      const text = section === null ? defaults.get(name) : undefined;
      return setting === null || text === undefined ? setting : { ...setting, default: text };
    },
  };
}

/** The line that doveconf names for a statement. */
export function blamedLine({ file, statement }: Read): { readonly path: string; readonly line: number } {
  return { path: file.source.path, line: lastLine(file.source, statement.line.span) };
}

/** Where a statement stands, without its line end. */
export function statementLocation({ file, statement }: Read): Location {
  const { pieces } = statement.line;
  const first = pieces[0];
  const last = pieces.at(-1);
  if (first === undefined || last === undefined) return { source: file.source, span: statement.line.span };
  return { source: file.source, span: { start: first.source, end: last.source + last.length } };
}

const SYNTAX_WORDS: Readonly<Record<FatalSyntax, (detail: string) => string>> = {
  'brace-expected': () => "Expecting '{'",
  'text-after-brace': () => "Garbage after '{'",
  'unknown-escape': (detail) => `Unknown escape sequence \\${detail}`,
  'group-name-missing': () => 'Expecting group name',
  'marker-missing': (detail) => `Missing ${detail}`,
};

/** What doveconf says of a line that it cannot take apart. */
export function syntaxWords({ code, detail }: SyntaxProblem & { readonly code: FatalSyntax }): string {
  return SYNTAX_WORDS[code](detail);
}

const INCLUDE_WORDS = {
  'no-matches': () => 'No matches',
  'not-readable': (path: string) => `Couldn't open include file ${path}: Permission denied`,
  recursive: (path: string) => `Recursive include file: ${path}`,
} as const;

/** The fault of an include, or null. */
export function includeFault({ fault }: Read): DovecotFault | null {
  if (fault === null) return null;
  const { code, at, path, blamed } = fault;
  return { code, at, name: null, says: INCLUDE_WORDS[code](path), blamed };
}

/** The warnings of comments on the lines of statements. */
export class CommentWarnings {
  readonly #byFile = new Map<DovecotFile, readonly Span[]>();

  of({ file, statement }: Read): DovecotWarning[] {
    let spans = this.#byFile.get(file);
    if (spans === undefined) {
      spans = file.problems.filter(({ code }) => code === 'ambiguous-comment').map(({ span }) => span);
      this.#byFile.set(file, spans);
    }
    const { start, end } = statement.line.span;
    const found: DovecotWarning[] = [];
    for (let index = firstFrom(spans, start); index < spans.length; index++) {
      const span = spans[index];
      if (span === undefined || span.start >= end) break;
      const { line } = file.source.position(span.start);
      const says = `Configuration file ${file.source.path} line ${line}: Ambiguous '#' character in line, treating it as comment. Add a space before it to remove this warning.`;
      found.push({
        code: 'ambiguous-comment',
        at: { source: file.source, span },
        name: null,
        says,
        other: null,
      });
    }
    return found;
  }
}

/** Index of the first span that begins at `start` or behind it. */
function firstFrom(spans: readonly Span[], start: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.start ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The warning that a global setting does not count in an earlier filter. */
export function globalAfterFilter(
  read: Read,
  key: string,
  earlier: { readonly at: Location; readonly line: number },
): DovecotWarning {
  const { path, line } = blamedLine(read);
  const other = `${earlier.at.source.path} line ${earlier.line}`;
  return {
    code: 'global-after-filter',
    at: statementLocation(read),
    name: key,
    says: `${path} line ${line}: Global setting ${key} won't change the setting inside an earlier filter at ${other} (if this is intentional, avoid this warning by moving the global setting before ${other})`,
    other: earlier.at,
  };
}

/** What all releases make of a configuration, before anything is asked of it. */
export interface Evaluation {
  readonly assignments: readonly DovecotAssignment[];
  /** Sections that are opened, in order of their first opening. */
  readonly scopes: readonly Scope[];
  /** In the order of reading; the server stops at the first. */
  readonly faults: readonly DovecotFault[];
  readonly warnings: readonly DovecotWarning[];
}
