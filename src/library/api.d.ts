/**
 * pfharden as a library: what the command line says, of texts instead of files. Nothing here touches files,
 * clock, environment or network, and all that comes back is plain data.
 */

/**
 * Texts by their paths, such as `etc/postfix/main.cf`. Which of them are the files of which server is found as
 * it is in the folders of a repository. A path begins with `/` where the configuration may name the file by it.
 */
export type Files = Readonly<Record<string, string>> | readonly File[];

/** One text. */
export interface File {
  readonly path: string;
  readonly text: string;
}

/** How much a finding counts. */
export type Severity = 'error' | 'warning' | 'info';

/** Releases as the programs print them, `3.7.11`. */
export interface Releases {
  readonly postfix?: string;
  readonly dovecot?: string;
  readonly openssl?: string;
}

/** By what hosts are judged. */
export interface Options {
  /** `legacy-compatible`, `modern` (where none is given), `strict`, or a profile as in docs/profiles.md. */
  readonly profile?: string | object;
  /** Rules of your own, as in docs/own-rules.md, beside the built-in ones. */
  readonly rules?: readonly object[];
  /** What is left out is decided from the files, else the newest is assumed. */
  readonly releases?: Releases;
  /** Ids of rules: only these. */
  readonly only?: readonly string[];
  /** The time for which hosts are judged, for certificates and comments that end; left out, nothing expires. */
  readonly now?: Date;
  /** Comments that silence a rule have to give a reason. */
  readonly reasonRequired?: boolean;
}

/** What `fix` may do. */
export interface FixOptions extends Options {
  /** Also make changes that users or partners may notice. */
  readonly unsafe?: boolean;
}

/** What `show` shows. */
export interface ShowOptions extends Pick<Options, 'releases'> {
  /** Also settings that are left at their defaults. */
  readonly all?: boolean;
}

/** A release, and how it is known. */
export interface Release {
  readonly version: string;
  readonly versionFrom: 'flag' | 'config' | 'installed' | 'implied' | 'assumed';
}

/** Where a host is, and the releases that it is judged for. */
export interface Host {
  /** The folder that holds the configuration of all its servers. */
  readonly root: string;
  readonly postfix: (Release & { readonly directory: string }) | null;
  readonly dovecot: (Release & { readonly file: string }) | null;
  readonly openssl: Release;
  /** Files that are only parts of a configuration: they are judged for what they prove. Left out where there are none. */
  readonly parts?: readonly string[];
}

/** A place in a file: lines and columns from 1, columns in UTF-16 units, the end exclusive. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** What would be written at a place. */
export interface Edit {
  readonly at: Place;
  readonly text: string;
}

/** One rule broken at one place. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly advice: string;
  /** The line that decides. */
  readonly at: Place;
  /** Ids of the endpoints concerned, as `show` has them. */
  readonly endpoints: readonly string[];
  readonly setting: string | null;
  readonly actual: string | null;
  readonly expected: string | null;
  readonly related: readonly { readonly at: Place; readonly message: string }[];
  /** What would mend it; null where that is for people. */
  readonly fix: {
    readonly title: string;
    /** False where users or partners may notice: `fix` makes it only with `unsafe`. */
    readonly safe: boolean;
    /** Null where their text would show a secret; `fix` makes them all the same. */
    readonly edits: readonly Edit[] | null;
  } | null;
  /** RFCs and other standards. */
  readonly references: readonly string[];
  /** The same when lines move. */
  readonly fingerprint: string;
}

/** A finding that does not count, because a comment in the files silences it. */
export interface SuppressedFinding {
  readonly finding: Finding;
  readonly suppression: {
    readonly by: 'comment' | 'baseline';
    readonly reason: string | null;
    /** The last day on which it counts, `2026-12-31`. */
    readonly until: string | null;
    readonly file: string | null;
    readonly line: number | null;
  };
}

/** A text that would be a configuration, and was passed over. */
export interface LeftOut {
  readonly path: string;
  readonly why: 'backup' | 'pattern' | 'defaults' | 'postconf' | 'git';
}

/** What `lint` says of one host. */
export interface LintedHost extends Host {
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
}

/** What `lint` says. */
export interface LintResult {
  /** Name of the profile. */
  readonly profile: string;
  /** None where no text is a configuration of Postfix or Dovecot. */
  readonly hosts: readonly LintedHost[];
  readonly summary: {
    readonly error: number;
    readonly warning: number;
    readonly info: number;
    readonly suppressed: number;
    /** How many `fix` mends. */
    readonly fixable: number;
  };
  readonly leftOut: readonly LeftOut[];
}

/** A finding that was mended or left, in short. */
export interface FixedFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly fingerprint: string;
}

/** A text that `fix` changes. */
export interface FixedFile {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** As `patch -p1` and `git apply` take it; lines with secrets, and changes beside them, are not in it. */
  readonly diff: string;
  /** Lines of the text before, from 1, whose changes are not in the diff. */
  readonly withheld: readonly number[];
}

/** What `fix` makes of one host. */
export interface FixedHost extends Host {
  readonly files: readonly FixedFile[];
  readonly mended: readonly FixedFinding[];
  /** With the line of the text before, and why it was not mended, in words. */
  readonly left: readonly (FixedFinding & {
    readonly file: string;
    readonly line: number;
    readonly reason: string;
  })[];
}

/** What `fix` makes of texts. */
export interface FixResult {
  readonly profile: string;
  readonly hosts: readonly FixedHost[];
  readonly leftOut: readonly LeftOut[];
}

/** A setting, where it is set and what it is worth. A value that a template engine will fill is null, and `templated`. */
export interface Setting {
  readonly server: 'postfix' | 'dovecot';
  /** The service (`submission/inet`) or section (`protocol imap`) that it is set for; null for all. */
  readonly service: string | null;
  readonly name: string;
  /** As it is written; secrets are hidden. */
  readonly value: string | null;
  /** With its references expanded. */
  readonly effective: string | null;
  readonly templated?: true;
  readonly origin: {
    readonly kind: 'default' | 'file' | 'override';
    readonly file: string | null;
    readonly line: number | null;
  };
}

/** One place where the host speaks. Where texts are templates, what their engine decides is null and `templated` is true. */
export interface Endpoint {
  readonly id: string;
  readonly server: 'postfix' | 'dovecot';
  readonly side: 'server' | 'client';
  readonly role: string | null;
  readonly address: string | null;
  readonly port: number | null;
  readonly tls: {
    readonly mode: 'none' | 'opportunistic' | 'required' | 'implicit' | null;
    readonly protocols: readonly string[] | null;
    /** In the order of preference; null where nothing is known of them. */
    readonly ciphers: readonly { readonly protocol: string; readonly name: string }[] | null;
    /** Whose order counts; null for a client. */
    readonly preference: 'server' | 'client' | null;
    readonly keyTypes: readonly string[] | null;
  } | null;
  readonly auth: {
    /** Mechanisms; null where only the running server knows them. */
    readonly beforeTls: readonly string[] | null;
    readonly afterTls: readonly string[] | null;
  } | null;
  readonly notes: readonly string[] | null;
  readonly templated?: true;
}

/** What `show` says of one host. */
export interface ShownHost extends Host {
  readonly settings: readonly Setting[];
  readonly endpoints: readonly Endpoint[];
}

/** What `show` says. */
export interface ShowResult {
  readonly hosts: readonly ShownHost[];
  readonly leftOut: readonly LeftOut[];
}

/** Thrown where options or paths are wrong, never for what the texts hold. */
export class PfhardenError extends Error {
  readonly name: 'PfhardenError';
  /** All that is wrong, a sentence each; the message is the first of them. */
  readonly problems: readonly string[];
  constructor(problems: readonly string[]);
}

/**
 * Says what is wrong, where and why, as `pfharden lint`.
 *
 * @throws PfhardenError for wrong options or paths
 */
export function lint(files: Files, options?: Options): LintResult;

/**
 * Makes the smallest changes that mend what is found, as `pfharden fix`.
 *
 * @throws PfhardenError for wrong options or paths
 */
export function fix(files: Files, options?: FixOptions): FixResult;

/**
 * Says what is set and what each port really does, as `pfharden show`.
 *
 * @throws PfhardenError for wrong options or paths
 */
export function show(files: Files, options?: ShowOptions): ShowResult;
