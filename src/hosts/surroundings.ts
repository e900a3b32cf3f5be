import { basename } from 'node:path';
import { loadDovecot } from '../dovecot/load.ts';
import { DOVECOT_RELEASES } from '../dovecot/releases.ts';
import { settingsTable } from '../dovecot/settings.ts';
import { dialectOf } from '../dovecot/syntax/dialect.ts';
import { parseDovecot } from '../dovecot/syntax/parse.ts';
import type { Server } from '../model/endpoint.ts';
import { references } from '../postfix/expand.ts';
import { parameterTable } from '../postfix/parameters.ts';
import { restrictionDefinition } from '../postfix/restrictions.ts';
import { parseMainCf } from '../postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../postfix/syntax/master-cf.ts';
import type { Edit } from '../text/edits.ts';
import { type Location, SourceFile, type Span } from '../text/source.ts';
import { namedHead } from './file-names.ts';
import { candidates } from './fillings.ts';
import { type DovecotInput, dovecotSources, type HostInput, type HostReleases } from './host.ts';

/**
 * Hosts of which only parts are there: an overlay for a main.cf, a master.cf by itself, Dovecot's conf.d without
 * a dovecot.conf. What else their configuration holds is not known, so that they are judged with several things
 * that it may hold: nothing, settings of every kind, services that are there or not, and such as set otherwise
 * what the part sets. What is found with all of them holds whatever the rest is.
 */

/** A part with something that its rest may be. */
export interface Surrounding {
  readonly input: HostInput;
  /** Where a place is in the part; null where it is in what was added. */
  back(at: Location): Location | null;
  /** The same of an edit: null unless it changes or takes out what the part itself has. */
  backEdit(edit: Edit): Edit | null;
}

/** What the rest of a configuration may be. */
interface Plan {
  /** Services of Postfix that speak to others. */
  readonly services: readonly string[];
  /** Which of the values that settle something each setting has that the part does not set; null: they are not set. */
  readonly filling: number | null;
  /** The services of Postfix set otherwise what the part sets, and files that Dovecot looks for are there. */
  readonly overrides: boolean;
  /** Dovecot is the newest: its files need not say for which release they are. */
  readonly newest: boolean;
}

const CLIENTS = ['smtp unix - - n - - smtp', 'relay unix - - n - - smtp', 'lmtp unix - - n - - lmtp'];
const MX = ['smtp inet n - n - - smtpd', ...CLIENTS];
const SUBMISSION = [...MX, 'submission inet n - n - - smtpd', 'smtps inet n - n - - smtpd'];
const SCREENED = [
  ...CLIENTS,
  'smtp inet n - n - 1 postscreen',
  'smtpd pass - - n - - smtpd',
  'dnsblog unix - - n - 0 dnsblog',
  'tlsproxy unix - - n - 0 tlsproxy',
];
const REINJECTION = [...CLIENTS, '127.0.0.1:10025 inet n - n - - smtpd'];

/** Those that leave least come first: of many rules, the others need not be asked then. */
const PLANS: readonly Plan[] = [
  { services: [], filling: null, overrides: false, newest: false },
  { services: SUBMISSION, filling: 0, overrides: true, newest: true },
  { services: MX, filling: 1, overrides: false, newest: false },
  { services: SCREENED, filling: 2, overrides: false, newest: false },
  { services: SUBMISSION, filling: 3, overrides: false, newest: true },
  { services: REINJECTION, filling: 4, overrides: true, newest: false },
  { services: MX, filling: null, overrides: false, newest: false },
];

/** How many surroundings there are. */
export const SURROUNDINGS = PLANS.length;

/** Whether only parts of a host's configuration are there. */
export function isPart({ parts = [] }: HostInput): boolean {
  return parts.length > 0;
}

/** A part with the surroundings of a number, from 0. */
export function surrounded(input: HostInput, number: number): Surrounding {
  const plan = PLANS[number];
  if (plan === undefined) throw new Error(`there are no surroundings ${number}`);
  const added = new AddedTexts();
  const isOpen = (server: Server): boolean => input.parts?.includes(server) === true;
  const { postfix, dovecot, releases } = input;
  const whole: HostInput = {
    ...input,
    parts: [],
    releases: isOpen('dovecot') && plan.newest ? withNewestDovecot(releases) : releases,
    postfix: postfix !== null && isOpen('postfix') ? withPostfix(postfix, releases, plan, added) : postfix,
    dovecot: dovecot !== null && isOpen('dovecot') ? withDovecot(dovecot, releases, plan, added) : dovecot,
  };
  return {
    input: whole,
    back: (at) => {
      const own = added.ownOf(at.source.path);
      if (own === undefined) return at;
      return own === null || !isIn(own, at.span) ? null : { source: own, span: at.span };
    },
    backEdit: (edit) => {
      const { path, span, text } = edit;
      // What is missing may stand in the rest.
      if (span.start === span.end && text.includes('\n')) return null;
      const own = added.ownOf(path);
      return own === undefined || (own !== null && isIn(own, span)) ? edit : null;
    },
  };
}

function isIn({ text }: SourceFile, { start, end }: Span): boolean {
  return start < text.length && end <= text.length;
}

/** Files that were made, or had something added behind. */
class AddedTexts {
  readonly #files = new Map<string, SourceFile | null>();

  /** @param own the text of the part, which comes first; null where it has no such file */
  add(path: string, own: SourceFile | null, more: readonly string[]): SourceFile {
    this.#files.set(path, own);
    const text = own === null ? '' : `${own.text}\n`;
    return new SourceFile(
      path,
      `${text}${more.map((line) => `${line}\n`).join('')}`,
      own?.encoding ?? 'utf8',
    );
  }

  /** The file of the part; undefined for one that is as it was, null for one that is not in the part. */
  ownOf(path: string): SourceFile | null | undefined {
    return this.#files.get(path);
  }
}

/** Parameters of Postfix from which others have their meaning, or their harm. */
const POSTFIX_MATTERS =
  /tls|sasl|restriction|network|relay|filter|milter|helo|vrfy|banner|compatibility|authorized|forbid|strict|peername|pipelining|auth|maps$|domains?$|destination$|recipients|delay_reject|postscreen|hostname|origin/;

/** What Postfix ships in master.cf besides. */
const LOCAL_SERVICES = [
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'verify unix - - n - 1 verify',
  'flush unix n - n 1000? 0 flush',
  'proxymap unix - - n - - proxymap',
  'proxywrite unix - - n - 1 proxymap',
  'showq unix n - n - - showq',
  'error unix - - n - - error',
  'retry unix - - n - - error',
  'discard unix - - n - - discard',
  'local unix - n n - - local',
  'virtual unix - n n - - virtual',
  'anvil unix - - n - 1 anvil',
  'scache unix - - n - 1 scache',
  'postlog unix-dgram n - n - 1 postlogd',
];

/** Settings without which the postfix command does not start; the first that is empty is the one to blame. */
const INSTALLED = ['sendmail_path', 'newaliases_path', 'mailq_path', 'setgid_group', 'html_directory'];

function withPostfix(
  postfix: NonNullable<HostInput['postfix']>,
  releases: HostReleases,
  plan: Plan,
  added: AddedTexts,
): NonNullable<HostInput['postfix']> {
  const { directory, main, master } = postfix;
  const table = parameterTable(releases.postfix.version);
  const entries = main === null ? [] : parseMainCf(main).items.filter((item) => item.kind === 'entry');
  const services =
    master === null ? [] : parseMasterCf(master).items.filter((item) => item.kind === 'service');
  const overrides = services
    .flatMap((service) => service.arguments)
    .filter((argument) => argument.kind === 'override');
  const set = new Set(entries.map(({ name }) => name));
  const own = [...set].filter((name) => table.get(name) === null);

  const rest = new Map<string, string>();
  const give = (name: string, value: string): void => {
    if (!set.has(name) && !rest.has(name)) rest.set(name, value);
  };
  if (plan.filling !== null) {
    const words = [...entries, ...overrides]
      .filter(({ name }) => name.endsWith('_restrictions'))
      .flatMap(({ value }) => value.split(/[\s,]+/))
      .filter((word) => /^\w+$/.test(word) && restrictionDefinition(word) === null);
    const classes = [...new Set([...own, ...words])];
    // A name of the part's own may be a class of restrictions, or something that the rest makes use of.
    if (plan.filling % 2 === 1) {
      give('smtpd_restriction_classes', classes.join(' '));
      for (const name of classes) give(name, 'permit');
    }
    const user = ['smtpd_banner', 'mail_name', 'relayhost'].find(
      (name) => table.get(name) !== null && !set.has(name),
    );
    if (user !== undefined) give(user, own.map((name) => `$${name}`).join(' '));
    // Of services that are there twice, the rest may switch off one.
    const named = services.map(({ fields }) => `${fields.service.text}.${fields.type.text}`);
    const twice = named.filter((name, index) => named.indexOf(name) < index);
    if (plan.filling % 2 === 1) give('master_service_disable', twice.join(' '));
    const texts = [main?.text ?? '', master?.text ?? ''];
    const referred = texts.flatMap((text) => references(text)).map(({ name }) => name);
    const unknown = new Set(referred.filter((name) => table.get(name) === null));
    const known = [...table.names()].filter((name) => POSTFIX_MATTERS.test(name));
    for (const [index, name] of [...unknown, ...known].entries())
      give(name, valueOf('postfix', name, releases, plan.filling, index));
  }

  const otherwise = plan.overrides
    ? entries.map(({ name }, index) => {
        const value = valueOf('postfix', name, releases, (plan.filling ?? 0) + 1, index);
        return `  -o {${name} = ${value}}`;
      })
    : [];
  const known = new Set(services.map(({ fields }) => `${fields.service.text} ${fields.type.text}`));
  // A master.cf by itself is whole: what is not in it is no service.
  const isWhole = master !== null && (namedHead(basename(master.path))?.label ?? null) === null;
  const transports = transportsOf(own, table.templates).map((name) => `${name} unix - n n - - pipe`);
  const more = isWhole ? [] : [...LOCAL_SERVICES, ...plan.services, ...(plan.overrides ? transports : [])];
  const lines = more
    .filter((line) => !known.has(line.split(' ').slice(0, 2).join(' ')))
    .flatMap((line) => (/ (?:smtpd|smtp|lmtp)$/.test(line) ? [line, ...otherwise] : [line]));
  // What offers TLS has a certificate, or does not work.
  if (!set.has('smtpd_tls_chain_files')) give('smtpd_tls_cert_file', '/etc/ssl/certs/mail.pem');
  const empty = INSTALLED.find((name) => !set.has(name));
  if (plan.overrides && empty !== undefined) give(empty, '');
  return {
    directory,
    main: added.add(
      main?.path ?? `${directory}/main.cf`,
      main,
      [...rest].map(([name, value]) => `${name} = ${value}`),
    ),
    master: added.add(master?.path ?? `${directory}/master.cf`, master, lines),
  };
}

/** The transports that names of main.cf are for, `slow` for `slow_destination_rate_delay`. */
function transportsOf(names: readonly string[], templates: readonly { readonly name: string }[]): string[] {
  const ends = templates.map(({ name }) => name.replace(/^<transport>/, ''));
  return [
    ...new Set(
      names.flatMap((name) =>
        ends.filter((end) => name.endsWith(end)).map((end) => name.slice(0, -end.length)),
      ),
    ),
  ].filter((name) => name !== '');
}

/** Settings of Dovecot from which others have their meaning, or their harm. */
const DOVECOT_MATTERS = /ssl|auth|login|protocols|listen|plaintext|cleartext|^mail_|verbose|haproxy|trusted/;

/**
 * What an overlay sets comes last, and the files of a conf.d are all there: the rest sets only what they do not.
 */
function withDovecot(
  dovecot: DovecotInput,
  releases: HostReleases,
  { filling, overrides }: Plan,
  added: AddedTexts,
): DovecotInput {
  const release = releases.dovecot.version;
  const { main, mainAssumed } = dovecot;
  const set = new Set<string>();
  const included: string[] = [];
  for (const source of dovecotSources(dovecot, loadDovecot(main, dovecot, release))) {
    let depth = 0;
    for (const statement of parseDovecot(source, dialectOf(release)).statements) {
      if (statement.kind === 'section') depth++;
      else if (statement.kind === 'end') depth--;
      else if (statement.kind === 'setting' && depth === 0) set.add(statement.key);
      else if (statement.kind === 'include') included.push(basename(statement.pattern));
    }
  }
  const names = filling === null ? [] : [...settingsTable(release).names()];
  const rest = names
    .filter((name) => DOVECOT_MATTERS.test(name) && !set.has(name))
    .map((name, index) => `${name} = ${valueOf('dovecot', name, releases, filling ?? 0, index)}`);
  // A file that an include names may be among what is not here.
  const found = {
    open: (path: string) => dovecot.open(path) ?? new SourceFile(path, ''),
    entries: (folder: string) => [...(dovecot.entries(folder) ?? []), ...included],
  };
  return {
    ...dovecot,
    ...(overrides ? found : {}),
    mainAssumed: false,
    main: mainAssumed ? added.add(main.path, null, [...rest, main.text]) : added.add(main.path, main, rest),
  };
}

/** Files that do not tell for which release they are may be for the newest, where they lack only the line that says so. */
function withNewestDovecot(releases: HostReleases): HostReleases {
  const { dovecot } = releases;
  const isKnown = dovecot.versionFrom !== 'assumed' || dovecot.provenAtLeast !== null;
  return isKnown ? releases : { ...releases, dovecot: { ...dovecot, version: DOVECOT_RELEASES.newest } };
}

/** A value of a setting, one of those that differ in what they bring about: of neighbours not always the same one. */
function valueOf(
  server: Server,
  name: string,
  releases: HostReleases,
  filling: number,
  index: number,
): string {
  const use = { name, place: 'word', field: -1, before: '', isLast: true } as const;
  const values = candidates(server, use, releases);
  return values[(filling < 2 ? filling : filling + index) % values.length] ?? '';
}
