import type { SourceFile, Span } from '../../text/source.ts';

/**
 * The lossless tree of one Dovecot configuration file. Every character of the file belongs to exactly one
 * physical line of `lines`; printing is concatenating their slices. What the server makes of the lines is
 * in `statements`, in order; a section may begin in one file and end in another, so that nesting is for
 * the whole configuration to know. Source of the language: config-parser.c of the release tags 2.2.36.4,
 * 2.3.13 to 2.3.21, 2.4.0 to 2.4.5.
 */

/** What a physical line is: `continued` lines are those that end in a backslash, `heredoc` those of a multi-line value with its end marker. */
export type PhysicalKind = 'blank' | 'comment' | 'text' | 'continued' | 'heredoc';

/** One physical line with its line end. */
export interface PhysicalLine {
  readonly kind: PhysicalKind;
  /** Includes the line end (`\n`), where there is one. */
  readonly span: Span;
  /** The comment behind the text, from its `#` to the last character before the line end; null where there is none. A line that is a comment as a whole has none behind it. */
  readonly comment: Span | null;
}

/** One stretch of a logical line that stands unbroken in the source. */
export interface Piece {
  /** Offset in the logical text. */
  readonly at: number;
  /** Offset in the source. */
  readonly source: number;
  readonly length: number;
}

/** A logical line: physical lines that end in a backslash, and the one after them, joined by single spaces. */
export interface LogicalLine {
  /** Without comments, backslashes and outer white space; cut at the first NUL of each physical line, as C strings are. */
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** From the first character of the first physical line to the end of the last, its line end and a multi-line value included. */
  readonly span: Span;
  /** Indexes into `lines` of the tree: the first physical line and one past the last. */
  readonly firstLine: number;
  readonly endLine: number;
}

/** What is wrong with a line so that the server stops at it; the codes are closed, the words are made by the rules. */
export type FatalSyntax =
  /** Neither `key = value`, nor `name {`, nor `}`: "Expecting '{'". */
  | 'brace-expected'
  /** Text behind the `{`, a block on one line among it: "Garbage after '{'". */
  | 'text-after-brace'
  /** A backslash before anything but a backslash or a double quote, in releases that mind: "Unknown escape sequence". */
  | 'unknown-escape'
  /** `group` without a label and a name. */
  | 'group-name-missing'
  /** A multi-line value whose end marker never comes. */
  | 'marker-missing';

/** What is wrong with a line though the server goes on. */
export type QuietSyntax =
  /** A byte order mark at the start: becomes part of the first key. */
  | 'byte-order-mark'
  /** A NUL byte: the rest of the physical line is dropped. */
  | 'null-byte'
  /** A `#` without white space before it begins a comment all the same; the server warns. */
  | 'ambiguous-comment'
  /** A blank or comment line inside a continued line: all that stood before it is dropped. */
  | 'continuation-broken'
  /** The file ends inside a continued line: it is dropped, or joined to the next line of the including file. */
  | 'continuation-at-end';

/** A problem that the parser met: it never throws. */
export interface SyntaxProblem {
  readonly code: FatalSyntax | QuietSyntax;
  readonly span: Span;
  /** What was met: the character behind a backslash, the end marker; else empty. */
  readonly detail: string;
}

/** How a value is written. */
export type ValueForm =
  /** As it stands. */
  | 'plain'
  /** Between two equal quotes, which are not part of it. */
  | 'quoted'
  /** `<path`: the content of a file. */
  | 'file'
  /** Has a `$` that may refer to something. */
  | 'variables'
  /** `<<MARKER`: the lines up to the marker. */
  | 'heredoc';

/** `key = value`. */
export interface SettingStatement {
  readonly kind: 'setting';
  readonly line: LogicalLine;
  /** Without quotes. */
  readonly key: string;
  /** With quotes, where there are some. */
  readonly keySpan: Span;
  readonly keyQuoted: boolean;
  readonly form: ValueForm;
  /** Unquoted and unescaped; of `file` the path, of `heredoc` the lines with their line ends, of `variables` the text before anything is replaced. */
  readonly value: string;
  /** All behind the `=` and its white space, quotes and `<` included, comments not; an empty value has an empty span there. */
  readonly valueSpan: Span;
}

/** `type {`, `type name {`, `group @label name {`. */
export interface SectionStatement {
  readonly kind: 'section';
  readonly line: LogicalLine;
  /** The type, or the label of a group with its `@`. */
  readonly key: string;
  readonly keySpan: Span;
  readonly group: boolean;
  /** Unquoted; empty where there is none. */
  readonly name: string;
  /** With quotes; null where there is no name. */
  readonly nameSpan: Span | null;
  readonly nameQuoted: boolean;
}

/** `}` */
export interface EndStatement {
  readonly kind: 'end';
  readonly line: LogicalLine;
  readonly span: Span;
}

/** `!include pattern`, `!include_try pattern`. */
export interface IncludeStatement {
  readonly kind: 'include';
  readonly line: LogicalLine;
  /** True for `!include_try`: what is not there or cannot be read is passed over. */
  readonly optional: boolean;
  readonly keySpan: Span;
  /** As written: quotes are part of it. */
  readonly pattern: string;
  readonly patternSpan: Span;
}

/** A line at which the server stops. */
export interface InvalidStatement {
  readonly kind: 'invalid';
  readonly line: LogicalLine;
  readonly problem: SyntaxProblem & { readonly code: FatalSyntax };
}

/** What a logical line says. */
export type Statement =
  | SettingStatement
  | SectionStatement
  | EndStatement
  | IncludeStatement
  | InvalidStatement;

/** One configuration file as one release reads it. */
export interface DovecotFile {
  readonly source: SourceFile;
  readonly lines: readonly PhysicalLine[];
  readonly statements: readonly Statement[];
  /** In order; those of invalid statements among them. */
  readonly problems: readonly SyntaxProblem[];
}

/** The text of a tree: the slices of its physical lines, one after the other; always the text that was parsed. */
export function print(file: DovecotFile): string {
  return file.lines.map(({ span }) => file.source.slice(span)).join('');
}
