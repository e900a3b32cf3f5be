import type { Server } from '../model/endpoint.ts';

/** The files of Postfix that a fix may change. */
export const POSTFIX_FILES = ['main.cf', 'master.cf'] as const;

/** The file of Dovecot that names the others. */
export const DOVECOT_FILE = 'dovecot.conf';

/** A file by which a server is known. */
export type HeadFile = (typeof POSTFIX_FILES)[number] | typeof DOVECOT_FILE;

/** What files are called from which template engines and scripts make the real ones: `main.cf.j2`, `10-ssl.conf.erb`. */
const TEMPLATE_SUFFIX = /\.(?:j2|jinja2?|erb|epp|tmpl|tpl|gotmpl|template|mustache|hbs|njk)$/;

/** The name of the file that a template makes; of any other file, its own. */
export function madeName(name: string): string {
  return name.replace(TEMPLATE_SUFFIX, '');
}

/** Names of what Dovecot's own dovecot.conf includes, by which a folder without one is known. */
const FRAGMENT =
  /^(?:10-(?:auth|director|logging|mail|master|metrics|ssl|tcpwrapper)|15-(?:lda|mailboxes)|20-(?:imap|lmtp|managesieve|pop3|submission)|90-(?:acl|fts|plugin|quota|sieve(?:-extprograms)?))\.conf$/;

/** Whether a name, or that of what a template makes, is one of Dovecot's own conf.d. */
export function isFragmentName(name: string): boolean {
  return FRAGMENT.test(madeName(name));
}

/** What the name of a file says that stands for a main.cf, a master.cf or a dovecot.conf, or for a part of one. */
export interface NamedHead {
  readonly server: Server;
  readonly file: HeadFile;
  /** What is written beside the name of the file: `mx1` of `main.cf.mx1`; null where nothing is. */
  readonly label: string | null;
}

const HEAD = String.raw`(main\.cf|master\.cf|dovecot\.conf)`;

/** `main.cf.mx1`, `mx1-main.cf`, `main-mx1.cf`. */
const HEAD_FORMS: readonly { readonly form: RegExp; readonly file: number; readonly label: number }[] = [
  { form: new RegExp(String.raw`^${HEAD}[._-](\w[\w.@:+-]*)$`), file: 1, label: 2 },
  { form: new RegExp(String.raw`^(\w[\w.@:+-]*)[._-]${HEAD}$`), file: 2, label: 1 },
  { form: /^(main|master)[._-](\w[\w.@:+-]*)\.cf$/, file: 1, label: 2 },
];

/** Ends of names that tell another kind of file: a script, a page, a patch, an indexed table. */
const OTHER_KIND =
  /\.(?:sh|bash|py|pl|rb|pp|php|js|ts|go|nix|ya?ml|json|xml|html?|md|rst|txt|adoc|patch|diff|sql|db|lmdb|cdb|dir|pag|gz|xz|bz2|zst|zip|tar|asc|gpg|sha256|md5|[58])$/;

/** What a name says of a file; null for one that is nothing of Postfix or Dovecot by its name. */
export function namedHead(name: string): NamedHead | null {
  const made = madeName(name);
  if (made === 'main.cf' || made === 'master.cf') return { server: 'postfix', file: made, label: null };
  if (made === DOVECOT_FILE) return { server: 'dovecot', file: made, label: null };
  // docker-mailserver: what it adds to its own files.
  if (made === 'dovecot.cf') return { server: 'dovecot', file: DOVECOT_FILE, label: 'dovecot' };
  if (OTHER_KIND.test(made)) return null;
  for (const { form, file, label } of HEAD_FORMS) {
    const found = form.exec(made);
    if (found === null) continue;
    const base = (found[file] ?? '').replace(/^(?:main|master)$/, '$&.cf') as HeadFile;
    const server = base === DOVECOT_FILE ? 'dovecot' : 'postfix';
    return { server, file: base, label: (found[label] ?? '').replace(TEMPLATE_SUFFIX, '') };
  }
  return null;
}

/** Names that editors, merges and file managers give to a copy of the file within them. */
const EDITORS = /^#(.+)#$|^\.#(.+)$|^\._cfg\d{4}_(.+)$|^\.(.+)\.sw[a-p]$|^(.+)~$|^(.+) \(\d+\)$/;

const DATE = String.raw`(?:^|[._-])(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?!\d{3,})`;

/** What package managers and people write at the end of the name of a copy. */
const KEPT = new RegExp(
  String.raw`(?:^|[._-])(?:bak(?:up)?|backup|old|orig|rpm(?:save|new|orig)|dpkg-(?:dist|old|new|bak|tmp|remove)|ucf-(?:dist|old|new)|pac(?:new|save|orig)|apk-new|rej)[._-]?\d*$|${DATE}`,
  'i',
);

/** Words that tell a copy only where they are all that is written: `mx.example.org` is a host. */
const KEPT_ALONE = /^(?:org|back|save|saved|prev|previous|copy|origin|original|disabled|unused|broken)\d*$/i;

/** A number at the end is that of a copy, or the second in which it was made; at the head it is an order. */
const NUMBERED = new RegExp(String.raw`^${HEAD}[._-](?:v?\d{1,3}|\d{9,10})$`);

/** Whether a name tells a copy that is kept beside the file in use: `main.cf.bak`, `master.cf.dpkg-dist`, `main.cf.2024-01-31`. */
export function isBackupName(name: string): boolean {
  const inner = EDITORS.exec(name)
    ?.slice(1)
    .find((one) => one !== undefined);
  if (inner !== undefined) return namedHead(inner) !== null;
  const label = namedHead(name)?.label ?? null;
  return label !== null && (KEPT.test(label) || KEPT_ALONE.test(label) || NUMBERED.test(name));
}

/** The same of a folder: `postfix.bak`, `etc-old`. A `backup` may be a server that is one. */
export function isBackupFolder(name: string): boolean {
  return FOLDER_KEPT.test(name);
}

const FOLDER_KEPT = new RegExp(
  String.raw`~$|[._-](?:bak|old|orig|rpm(?:save|new)|dpkg-(?:dist|old|new)|ucf-(?:dist|old|new)|pac(?:new|save))\d*$|${DATE.replace('(?:^|[._-])', '[._-]')}`,
  'i',
);

/** Patterns that packages and projects ship for a file: beside the file itself they are not in use. */
const PATTERN_LABEL = /^(?:proto|dist|sample|example|skel|stock|tmpl|template|in)\d*$/i;

/** Whether a file of a label is a pattern that the file of the bare name is made from. */
export function isPatternLabel(label: string | null): boolean {
  return label !== null && PATTERN_LABEL.test(label);
}

/** Whether a file of a label is Postfix's own listing of its defaults, which it never reads. */
export function isDefaultsLabel(label: string | null): boolean {
  return label !== null && /^defaults?$/i.test(label);
}
