import type { DovecotFile, Statement } from '../../dovecot/syntax/tree.ts';
import type { DovecotHost, Host, PostfixHost } from '../../hosts/host.ts';
import { perServer } from '../../hosts/per-server.ts';
import type { Server } from '../../model/endpoint.ts';
import type { MainCf, MasterCf } from '../../postfix/syntax/tree.ts';
import type { Location, SourceFile, Span } from '../../text/source.ts';
import { type Directive, directiveAt, type Fault, readDirective } from './comment.ts';

/** A comment that silences rules, and where. */
export interface SilencingComment {
  /** From its `#` to its last character. */
  readonly at: Location;
  /** Its line with indentation and line end. */
  readonly line: Span;
  readonly server: Server;
  readonly directive: Directive;
  /** Findings whose place begins in here are silenced: the setting that follows, or the whole file. */
  readonly covers: Span;
}

/** A comment that was meant to silence something and does not. */
export interface FaultyComment {
  readonly source: SourceFile;
  readonly fault: Fault;
}

/** Where a comment that silences rules stands in a file, whether or not it counts. */
export interface Anchor {
  readonly path: string;
  /** Its line with indentation and line end. */
  readonly line: Span;
  readonly wholeFile: boolean;
  /** Where the next line begins that is neither blank nor a comment; the end of the file where none does. */
  readonly next: number;
  /** Where what it stands before ends; null where it stands before nothing, or for the whole file. */
  readonly end: number | null;
}

/** All that the files of a host say to pfharden. */
export interface Comments {
  readonly comments: readonly SilencingComment[];
  readonly faults: readonly FaultyComment[];
  /** Of all comments that are written as they should be. */
  readonly anchors: readonly Anchor[];
}

const NONE: Comments = { comments: [], faults: [], anchors: [] };

/** The comments of a host in the order of its files: main.cf, master.cf, then those of Dovecot. */
export function commentsOf({ postfix, dovecot }: Host): Comments {
  const [one, other] = [ofServer(postfix), ofServer(dovecot)];
  if (other === NONE) return one;
  return {
    comments: [...one.comments, ...other.comments],
    faults: [...one.faults, ...other.faults],
    anchors: [...one.anchors, ...other.anchors],
  };
}

const readOf = perServer((server: PostfixHost | DovecotHost) => readComments(filesOf(server)));

function ofServer(server: PostfixHost | DovecotHost | null): Comments {
  return server === null ? NONE : readOf(server);
}

function readComments(files: readonly CommentedFile[]): Comments {
  const comments: SilencingComment[] = [];
  const faults: FaultyComment[] = [];
  const anchors: Anchor[] = [];
  for (const file of files) {
    const source = file.source.copy();
    for (const [index, { kind, span, comment }] of file.lines.entries()) {
      const text = source.slice(comment ?? span);
      const from = directiveAt(text);
      if (from < 0) continue;
      const start = (comment ?? span).start + from;
      const end = start + text.slice(from).trimEnd().length;
      const fault = (code: Fault['code'], detail = ''): void => {
        faults.push({ source, fault: { code, span: { start, end }, detail } });
      };
      if (kind !== 'comment') {
        fault(comment === null || comment === undefined ? 'in-value' : 'behind');
        continue;
      }
      const written = readDirective(source.slice({ start, end }), start);
      if (written === null) continue;
      if ('code' in written) {
        faults.push({ source, fault: written });
        continue;
      }
      if (file.breaksLine(index)) {
        fault('breaks-line');
        continue;
      }
      const firstText = file.nextText[0] ?? 0;
      const wholeFile = written.scope === 'ignore-file';
      const follows = wholeFile ? null : file.follows(index);
      anchors.push({
        path: source.path,
        line: span,
        wholeFile,
        next: file.lines[file.nextText[index] ?? -1]?.span.start ?? source.text.length,
        end: follows?.end ?? null,
      });
      if (wholeFile && index > firstText) {
        fault('not-at-head', String(firstText + 1));
        continue;
      }
      const covers = wholeFile ? wholeOf(source) : follows;
      if (covers === null) {
        fault('nothing-follows');
        continue;
      }
      comments.push({
        at: { source, span: { start, end } },
        line: span,
        server: file.server,
        directive: written,
        covers,
      });
    }
  }
  return comments.length + faults.length === 0 ? NONE : { comments, faults, anchors };
}

/** One past the end, so that a place at the end of the file is in it. */
function wholeOf({ text }: SourceFile): Span {
  return { start: 0, end: text.length + 1 };
}

/** What has to be known of a file to place its comments, whichever server reads it. */
interface CommentedFile {
  readonly server: Server;
  readonly source: SourceFile;
  /** `comment` is the comment behind the text of a line, where the language has such. */
  readonly lines: readonly { readonly kind: string; readonly span: Span; readonly comment?: Span | null }[];
  /** Index of the first line from each on that is neither blank nor a comment; the number of lines where there is none. */
  readonly nextText: readonly number[];
  /** True where a comment on that line cuts a setting in two. */
  readonly breaksLine: (index: number) => boolean;
  /** What a comment on that line stands before; null where nothing follows. */
  readonly follows: (index: number) => Span | null;
}

function filesOf(server: PostfixHost | DovecotHost): CommentedFile[] {
  const speaking = ({ source }: { readonly source: SourceFile }): boolean => /pfharden/i.test(source.text);
  if (!('input' in server)) {
    const { main, master } = server.configuration;
    return [main, master]
      .filter((tree) => tree !== null)
      .filter(speaking)
      .map(postfixFile);
  }
  const { tree } = server.configuration;
  return tree.files
    .filter((file) => !(server.input.mainAssumed && file === tree.main))
    .filter(speaking)
    .map(dovecotFile);
}

function nextTexts(lines: readonly { readonly kind: string }[]): number[] {
  const next = Array.from({ length: lines.length }, () => lines.length);
  for (let index = lines.length - 1, text = lines.length; index >= 0; index--) {
    const kind = lines[index]?.kind;
    if (kind !== 'blank' && kind !== 'comment') text = index;
    next[index] = text;
  }
  return next;
}

/** Index of the last of some things in the order of their lines that begins at a line or before it; -1 where none does. */
function lastFrom(
  things: readonly { readonly line: { readonly firstLine: number } }[],
  line: number,
): number {
  let low = -1;
  let high = things.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((things[middle]?.line.firstLine ?? 0) <= line) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * A comment may stand between a line and its continuation, and the server passes over it there
 * (postconf(5), master(5)). Then it is for the continuation alone: in master.cf for the arguments that
 * begin on it.
 */
function postfixFile(tree: MainCf | MasterCf): CommentedFile {
  const { source, lines } = tree;
  const nextText = nextTexts(lines);
  return {
    server: 'postfix',
    source,
    lines,
    nextText,
    breaksLine: () => false,
    follows(index) {
      const next = nextText[index] ?? lines.length;
      const line = lines[next];
      if (line === undefined) return null;
      const item = tree.items[lastFrom(tree.items, next)];
      if (item === undefined || line.kind === 'text') return item?.line.span ?? line.span;
      if (item.kind !== 'service') return line.span;
      const ends = item.arguments
        .filter(({ span }) => line.span.start <= span.start && span.start < line.span.end)
        .map(({ span, meant }) => Math.max(span.end, meant?.valueSpan.end ?? 0));
      return { start: line.span.start, end: Math.max(line.span.end, ...ends) };
    },
  };
}

/** A comment before the line that opens a block is for the block as a whole. */
function dovecotFile({ source, lines, statements }: DovecotFile): CommentedFile {
  return {
    server: 'dovecot',
    source,
    lines,
    nextText: nextTexts(lines),
    breaksLine: (index) => lines[index - 1]?.kind === 'continued',
    follows(index) {
      const from = lastFrom(statements, index) + 1;
      const statement = statements[from];
      if (statement === undefined || statement.kind === 'end') return null;
      if (statement.kind !== 'section') return statement.line.span;
      return { start: statement.line.span.start, end: blockEnd(statements, from) ?? source.text.length };
    },
  };
}

/** Where the block that begins with a statement ends; null where another file closes it. */
function blockEnd(statements: readonly Statement[], from: number): number | null {
  let depth = 0;
  for (let index = from; index < statements.length; index++) {
    const statement = statements[index];
    if (statement?.kind === 'section') depth++;
    if (statement?.kind === 'end' && --depth === 0) return statement.line.span.end;
  }
  return null;
}
