import type { DovecotSection } from '../../dovecot/configuration.ts';
import type { DovecotFiles } from '../../dovecot/load.ts';
import type { Location } from '../../text/source.ts';
import type { DovecotCheck, DovecotCheckContext, Report } from '../check.ts';
import { isOwn } from './dovecot-common.ts';
import { isTemplated } from './misread-lines.ts';

/**
 * How passwords are stored that do not say it themselves (`{SHA512-CRYPT}…`). Sources: password-scheme.c of
 * 2.2 to 2.4, whose list of weak schemes is the one that 2.4 refuses without `auth_allow_weak_schemes`.
 */
const CLEAR: ReadonlySet<string> = new Set(['PLAIN', 'CLEAR', 'CLEARTEXT', 'PLAIN-TRUNC']);

/** Refused by 2.4. */
const REFUSED: ReadonlySet<string> = new Set([
  'MD5',
  'MD5-CRYPT',
  'SMD5',
  'HMAC-MD5',
  'PLAIN-MD4',
  'PLAIN-MD5',
  'LDAP-MD5',
  'DES-CRYPT',
]);

/** One round of a fast hash, without salt or with SHA-1, or as good as the password for some mechanism. */
const FAST: ReadonlySet<string> = new Set([
  'SHA',
  'SHA1',
  'SSHA',
  'SHA256',
  'SHA512',
  'CRAM-MD5',
  'DIGEST-MD5',
  'NTLM',
  'LANMAN',
  'RPA',
]);

/** A scheme that is named somewhere. */
interface NamedScheme {
  readonly scheme: string;
  readonly setting: string;
  readonly at: Location;
  /** The file that names it, where it is none of Dovecot's configuration. */
  readonly file: string;
}

function* weakPasswordScheme(context: DovecotCheckContext): Iterable<Report> {
  const { dovecot } = context;
  const seen = new Set<string>();
  const schemes = dovecot.hasNamedFilters ? newSchemes(context) : oldSchemes(context);
  for (const { scheme, setting, at, file } of schemes) {
    const name = scheme.toUpperCase().replace(/\.(?:HEX|B64|BASE64)$/, '');
    const key = `${at.source.path}:${at.span.start}`;
    if (seen.has(key) || isTemplated(scheme) || !isOwn(context, at)) continue;
    seen.add(key);
    const message = messageOf(context, name);
    if (message !== null)
      yield {
        message,
        at,
        setting,
        actual: setting === 'args' ? `scheme=${scheme}` : scheme,
        data: { scheme: name, refused: REFUSED.has(name), file },
      };
  }
}

function messageOf({ dovecot }: DovecotCheckContext, scheme: string): string | null {
  if (CLEAR.has(scheme)) return 'clear';
  const refuses = dovecot.table.get('auth_allow_weak_schemes') !== null;
  if (REFUSED.has(scheme))
    return refuses && !dovecot.isYes('auth_allow_weak_schemes') ? 'refused' : 'default';
  return FAST.has(scheme) ? 'default' : null;
}

/** 2.4: a setting, in a passdb or for all of them. */
function newSchemes({ dovecot }: DovecotCheckContext): NamedScheme[] {
  return dovecot
    .settings()
    .filter(({ name, value }) => name === 'passdb_default_password_scheme' && value !== null)
    .map(({ key, value, at }) => ({ scheme: value ?? '', setting: key, at, file: '' }));
}

/** Until 2.3: a word of `args`, or a setting of the file that `args` names. */
function oldSchemes({ dovecot }: DovecotCheckContext): NamedScheme[] {
  return dovecot.sections('passdb').flatMap((section): NamedScheme[] => {
    const args = section.get('args');
    if (args.at === null) return [];
    const inArgs = /(?:^|\s)scheme=(\S+)/.exec(args.value)?.[1];
    if (inArgs !== undefined) return [{ scheme: inArgs, setting: 'args', at: args.at, file: '' }];
    return inFile(dovecot.files, section);
  });
}

/** Drivers whose `args` is the path of a file with settings. */
const WITH_FILE: ReadonlySet<string> = new Set(['sql', 'ldap', 'dict']);

/** The place is that of the passdb: the lines of such a file stand beside a password, and are not shown. */
function inFile(files: DovecotFiles, section: DovecotSection): NamedScheme[] {
  const args = section.get('args');
  if (args.at === null || !WITH_FILE.has(section.get('driver').value)) return [];
  const path = args.value.trim();
  const text = files.open(path)?.text ?? '';
  // With authentication binds it is the LDAP server that looks at the password.
  if (/^[ \t]*auth_bind[ \t]*=[ \t]*yes\b/m.test(text)) return [];
  const scheme = /^[ \t]*default_pass_scheme[ \t]*=[ \t]*([^\s#]+)/m.exec(text)?.[1];
  return scheme === undefined ? [] : [{ scheme, setting: 'default_pass_scheme', at: args.at, file: path }];
}

/** Checks of how passwords are stored, by the name that rule files call. */
export const dovecotSchemeChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/weak-password-scheme': weakPasswordScheme,
};
