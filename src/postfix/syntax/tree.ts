import type { SourceFile, Span } from '../../text/source.ts';

/**
 * The lossless trees of main.cf and master.cf. Every character of the file belongs to exactly one
 * physical line of `lines`; printing is concatenating their slices. Source of the language:
 * Postfix readlline.c, split_nameval.c, master_ent.c, and postconf(1).
 */

/** What a physical line is. `ignored` lines (blank, comment) may stand inside a logical line. */
export type PhysicalKind = 'blank' | 'comment' | 'text' | 'continuation';

/** One physical line with its line end. */
export interface PhysicalLine {
  readonly kind: PhysicalKind;
  /** Includes the line end (`\n`), where there is one. */
  readonly span: Span;
}

/** One stretch of a logical line that stands unbroken in the source. */
export interface Piece {
  /** Offset in the logical text. */
  readonly at: number;
  /** Offset in the source. */
  readonly source: number;
  readonly length: number;
}

/** A logical line: a text line and its continuations, joined as readlline.c joins them. */
export interface LogicalLine {
  /** Newlines removed, leading white space of continuations kept; cut at the first NUL as C strings are. */
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** From the first character of the text line to the end of the last continuation, its line end included. */
  readonly span: Span;
  /** Indexes into `lines` of the tree: the first physical line and one past the last. */
  readonly firstLine: number;
  readonly endLine: number;
}

/** What is wrong with a piece of syntax; the codes are closed, the words are made by the rules. */
export type SyntaxCode =
  /** main.cf: `name` without `=`: fatal for every program. */
  | 'missing-equals'
  /** main.cf: `= value`, master.cf: `-o =value`: fatal. */
  | 'missing-name'
  /** A file that begins with an indented line: that entry is dropped. */
  | 'indented-first'
  /** A NUL byte: the rest of the logical line is dropped. */
  | 'null-byte'
  /** A byte order mark at the start: becomes part of the first name. */
  | 'byte-order-mark'
  /** master.cf: fewer than eight fields. */
  | 'bad-field-count'
  | 'bad-service-type'
  /** private, unpriv, chroot: neither `y`, `n` nor `-`. */
  | 'bad-flag-field'
  /** wakeup or maxproc: not a number. */
  | 'bad-number-field'
  /** command is `-`: master is fatal, the field has no default. */
  | 'bad-command'
  /** inet with private `y` or `-`: master is fatal. */
  | 'inet-private'
  /** An argument whose `{` is never closed: it runs to the end of the logical line. Fatal where the argument starts with it. */
  | 'unclosed-brace'
  /** `{ a }x` in master.cf. */
  | 'text-after-brace'
  /** `-o` without a value, or `-o name` without `=`. */
  | 'override-without-equals';

/** A problem that the parser met: it never throws. */
export interface SyntaxProblem {
  readonly code: SyntaxCode;
  readonly span: Span;
  /** What was met, where the rules want to name it: a field, a token. */
  readonly detail: string;
}

/** `name = value` in main.cf. */
export interface MainEntry {
  readonly kind: 'entry';
  readonly line: LogicalLine;
  readonly name: string;
  readonly nameSpan: Span;
  /** Between name and value as written: blanks, `=`, blanks. */
  readonly equalsSpan: Span;
  /** As the server reads it: logical, trimmed, inner white space kept. */
  readonly value: string;
  /** From the first to the last character of the value; an empty value has an empty span after `=`. */
  readonly valueSpan: Span;
}

/** A logical line that the server drops or dies of; its problems are in the tree's `problems`. */
export interface InvalidLine {
  readonly kind: 'invalid';
  readonly line: LogicalLine;
  readonly code: SyntaxCode;
}

/** main.cf. */
export interface MainCf {
  readonly kind: 'main.cf';
  readonly source: SourceFile;
  readonly lines: readonly PhysicalLine[];
  readonly items: readonly (MainEntry | InvalidLine)[];
  readonly problems: readonly SyntaxProblem[];
}

/** The eight fields of a master.cf line, in order. */
export const SERVICE_FIELDS = [
  'service',
  'type',
  'private',
  'unpriv',
  'chroot',
  'wakeup',
  'maxproc',
  'command',
] as const;

/** Name of a field of a master.cf line. */
export type ServiceField = (typeof SERVICE_FIELDS)[number];

/** A field or token with its place. */
export interface Token {
  readonly text: string;
  readonly span: Span;
}

/** How an override is written. */
export type OverrideForm =
  /** `-o name=value` */
  | 'plain'
  /** `-oname=value`, `-vo name=value` */
  | 'joined'
  /** `-o { name = value }`, from 3.0 */
  | 'braced'
  /** `-o{name=value}`: postconf shows it as if it worked, the daemon sets a parameter called `{name`. */
  | 'joined-braced';

/** A name, a value, and where both stand. */
export interface Assignment {
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: string;
  /** An empty value has an empty span after `=`. */
  readonly valueSpan: Span;
}

/** One `-o` of a service; name and value are what the daemon gets. */
export interface Override extends Assignment {
  readonly kind: 'override';
  readonly form: OverrideForm;
  /** The `-o` and its assignment, both tokens; of `-vo name=value` from the `o`: the `-v` is an option of its own. */
  readonly span: Span;
  /**
   * What the writer meant, where that differs from what the daemon gets: `-o{a=b}` (a = b), and
   * `-o a=b, c` and `-o a= b`, whose further words are stray arguments (up to the next word that
   * starts with `-` or `#`). Null where nothing differs.
   */
  readonly meant: Assignment | null;
}

/** Anything else after the command. */
export interface Argument {
  readonly kind: /** `-v`, `-D`, and options with their own argument such as `-n`; text as written. */
    | 'option'
    /** What pipe(8) and spawn(8) take as the command to run: `user=…`, `argv=…`; and `flags=…` of smtp(8) and lmtp(8), from 3.5. */
    | 'command'
    /** An argument that is no option, to a daemon that takes none, or an option that no daemon knows: it dies of it (postscreen only stops reading options). */
    | 'stray'
    /** `-o name` without `=`, `-o =value`, `-o` at the end: the daemon dies of it. */
    | 'bad-override';
  /** As written, braces included; inside the logical line, that is without line ends. */
  readonly text: string;
  readonly span: Span;
  /** What a bad override meant: `-o name = value`, `-o{ name = value }`. Null where that cannot be told, and for the other kinds. */
  readonly meant: Assignment | null;
}

/** What follows the command of a service; `reached` is false where the daemon has died, or stopped reading options, before it. */
export type ServiceArgument = (Override | Argument) & { readonly reached: boolean };

/** One service of master.cf. */
export interface ServiceEntry {
  readonly kind: 'service';
  readonly line: LogicalLine;
  readonly fields: Readonly<Record<ServiceField, Token>>;
  /** In the order written; what stands behind a stray argument is listed but `reached` is false. */
  readonly arguments: readonly ServiceArgument[];
}

/** master.cf. */
export interface MasterCf {
  readonly kind: 'master.cf';
  readonly source: SourceFile;
  readonly lines: readonly PhysicalLine[];
  readonly items: readonly (ServiceEntry | InvalidLine)[];
  readonly problems: readonly SyntaxProblem[];
}
