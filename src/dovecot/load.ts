import type { Release } from '../model/release.ts';
import type { Location, SourceFile, Span } from '../text/source.ts';
import { type Folders, glob } from './glob.ts';
import { dialectOf } from './syntax/dialect.ts';
import { parseDovecot } from './syntax/parse.ts';
import type { DovecotFile, IncludeStatement, Statement } from './syntax/tree.ts';

/** The files that a configuration may be made of. Paths are those of the configuration, relative ones to the current folder. */
export interface DovecotFiles extends Folders {
  /** Null where there is nothing, or nothing that can be read. */
  open(path: string): SourceFile | null;
}

/** What can be wrong with an include. */
export type IncludeCode =
  /** Nothing matches: "No matches". */
  | 'no-matches'
  /** It is there and cannot be read: "Couldn't open include file". */
  | 'not-readable'
  /** A file that is being read, or waits behind it in the list of the same include: "Recursive include file". */
  | 'recursive';

/** An include at which the server stops. */
export interface IncludeFault {
  readonly code: IncludeCode;
  readonly at: Location;
  /** The pattern as the server tries it, or the file. */
  readonly path: string;
  /** The file and line that doveconf names, which is not always where the include stands. */
  readonly blamed: { readonly path: string; readonly line: number };
}

/** One statement of the whole configuration, in the order in which the server reads them. */
export interface Read {
  readonly file: DovecotFile;
  readonly statement: Statement;
  /** What is wrong with it as an include. */
  readonly fault: IncludeFault | null;
}

/** dovecot.conf with all that it includes. */
export interface DovecotTree {
  /** The file that the server is started with. */
  readonly main: DovecotFile;
  /** Each file once, in the order of the first reading. */
  readonly files: readonly DovecotFile[];
  readonly statements: readonly Read[];
  /** Files by statement that includes them; what an optional include passes over is not there. */
  readonly included: ReadonlyMap<IncludeStatement, readonly DovecotFile[]>;
}

/** Bounds the work where files include each other over and over; the server knows no such bound. */
const MOST_READINGS = 10_000;

/** A file on the stack of those that are being read. */
interface Input {
  readonly path: string;
  readonly file: DovecotFile | null;
  next: number;
}

/**
 * Reads a configuration with all that it includes.
 *
 * An include is read where it stands; its files come in the order of glob(3), and wait on the stack of
 * open files, which is why a file may not include one that comes after it in the same list. Relative
 * patterns are relative to the folder of the file that has them, by its name. A folder is an empty file.
 * After an include that the server would stop at, reading goes on without it.
 *
 * Source: settings_include(), settings_add_include() and fix_relative_path() of config-parser.c.
 *
 * @param main dovecot.conf; its path is the one that the server is given
 */
export function loadDovecot(main: SourceFile, files: DovecotFiles, release: Release): DovecotTree {
  const dialect = dialectOf(release);
  const parsed = new Map<string, DovecotFile | null>();
  const fileAt = (path: string): DovecotFile | null => {
    let file = parsed.get(path);
    if (file === undefined) {
      const source = path === main.path ? main : files.open(path);
      file = source === null ? null : parseDovecot(source, dialect);
      parsed.set(path, file);
    }
    return file;
  };
  const root = parseDovecot(main, dialect);
  parsed.set(main.path, root);
  const statements: Read[] = [];
  const included = new Map<IncludeStatement, readonly DovecotFile[]>();
  const stack: Input[] = [{ path: main.path, file: root, next: 0 }];
  // Those of one include are opened in the reverse order.
  const seen = new Set<DovecotFile>();
  let readings = 1;

  const include = (from: Input, file: DovecotFile, statement: IncludeStatement): IncludeFault | null => {
    const pattern = relativePath(statement.pattern, from.path);
    const at = { source: file.source, span: statement.patternSpan };
    const line = lastLine(file.source, statement.line.span);
    const paths = glob(pattern, files);
    if (paths.length === 0) {
      const blamed = { path: from.path, line };
      return statement.optional ? null : { code: 'no-matches', at, path: pattern, blamed };
    }
    const taken: DovecotFile[] = [];
    for (const path of paths.toReversed()) {
      const recursive = stack.some((input) => input.path === path);
      const target = recursive ? null : fileAt(path);
      const folder = !recursive && target === null && files.entries(path) !== null;
      if (recursive || (target === null && !folder)) {
        if (!recursive && statement.optional) continue;
        // The server names the file that it opened last, of which it has read no line yet.
        const top = stack.at(-1) ?? from;
        const blamed = top === from ? { path: from.path, line } : { path: top.path, line: 0 };
        return { code: recursive ? 'recursive' : 'not-readable', at, path, blamed };
      }
      if (++readings > MOST_READINGS) return null;
      if (target !== null) taken.unshift(target);
      stack.push({ path, file: target, next: 0 });
    }
    included.set(statement, [...(included.get(statement) ?? []), ...taken]);
    return null;
  };

  for (let input = stack.at(-1); input !== undefined; input = stack.at(-1)) {
    const { file } = input;
    if (file !== null) seen.add(file);
    const statement = file?.statements[input.next];
    if (file === null || statement === undefined) {
      stack.pop();
      continue;
    }
    input.next++;
    const fault = statement.kind === 'include' ? include(input, file, statement) : null;
    statements.push({ file, statement, fault });
  }
  return { main: root, files: [...seen], statements, included };
}

/** A path as the server takes it: one that does not begin with a slash is put behind the folder of the file that names it. */
export function relativePath(path: string, from: string): string {
  return path.startsWith('/') ? path : from.slice(0, from.lastIndexOf('/') + 1) + path;
}

/** The number that doveconf gives a statement: that of its last physical line. */
export function lastLine(source: SourceFile, span: Span): number {
  return source.position(Math.max(span.start, span.end - 1)).line;
}
