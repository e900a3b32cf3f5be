/**
 * What postconf would print of a configuration, worked out from what pfharden says of it, and the
 * comparison of both. Where postconf does not tell what the daemons do, its way is imitated here under a
 * name of QUIRKS, and every use is counted; nothing else may differ.
 *
 * postconf's own ways with text, which are no differences: white space (blank, tab, CR, LF) prints as one
 * blank and none at the ends (postconf_print.c); a log line shows bytes that are not printable ASCII as `?`.
 */

import { atLeast } from '../../src/model/release.ts';
import { PostfixConfiguration } from '../../src/postfix/configuration.ts';
import { expand } from '../../src/postfix/expand.ts';
import { nameUse } from '../../src/postfix/names.ts';
import { type Parameter, parameterTable } from '../../src/postfix/parameters.ts';
import { READ_ONLY, type Service, type ServiceOverride } from '../../src/postfix/services.ts';
import { startsWithSpace } from '../../src/postfix/syntax/logical-lines.ts';
import {
  SERVICE_FIELDS,
  type ServiceArgument,
  type ServiceEntry,
  type SyntaxCode,
  type SyntaxProblem,
} from '../../src/postfix/syntax/tree.ts';
import { SourceFile } from '../../src/text/source.ts';

/** The runs of postconf: `-n`, `-M`, `-F`, `-n -x`, `-x`, `-P`, `-P -x`. */
export const MODES = ['n', 'M', 'F', 'nx', 'x', 'P', 'Px'] as const;
export type Mode = (typeof MODES)[number];

/** How one run ended and what it wrote. */
export interface Printed {
  /** -1: not run, because `-n` died and this run would have. */
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** All runs of one configuration. */
export interface Answers {
  /** The folder of the configuration, as postconf names it. */
  readonly folder: string;
  readonly runs: Readonly<Record<Mode, Printed>>;
}

/** One build of Postfix. */
export interface Build {
  readonly postfix: string;
  readonly openssl: string;
  /** `postconf -d` of the names whose default the build or the machine decides. */
  readonly defaults: Readonly<Record<string, string>>;
}

/** Null where the configuration has no such file. */
export interface Files {
  readonly main: string | null;
  readonly master: string | null;
}

/** Why postconf does not tell the truth. */
export const QUIRKS = {
  'joined-braces': '`-o{a=b}`: postconf unwraps it, master(8) does not; the daemon sets `{a`',
  'option-argument': '`-n x`: postconf knows no option but -o that takes an argument, and stops reading at x',
  'unknown-option': '`-q`: the daemon dies of it and reads no further; postconf goes on',
  'joined-o': '`-oname=x` with another o in it: postconf takes that for a second -o',
  'bad-override': '`-o name`, `-o =x`: the daemon dies of it; postconf goes on with the next -o',
  'duplicate-service':
    'two services of one name and type: the last counts; postconf merges the overrides of both',
  'same-port': 'two names of one port (25 and smtp): one service to master(8), two to postconf',
  'disabled-service': 'master_service_disable: postconf shows the service, master(8) does not run it',
  'wakeup-mark': '`?` or `-?` as wakeup: master(8) dies of it, postconf takes it',
  'read-only':
    'process_id, process_name and (up to 3.10) service_name: postconf drops what is said of them with a warning; programs take process_name',
  'dead-end':
    '`-o a=b, c -o d=e`: the daemon dies of the stray word; postconf shows what stands before it, pfharden all that is meant',
  stack:
    'a comparison that needs its own value: postconf runs out of stack where pfharden says that it fails',
  'reference-not-seen':
    'a name that only overrides refer to which postconf does not see, or sees where the daemon does not (see above)',
  'raw-override': 'postconf -P -x expands the value of a parameter that the daemon expands for each use',
  'raw-reference':
    'since 3.11 postconf leaves the references of a raw parameter alone that another value refers to; daemons do not',
  'mydomain-of-service':
    '`-o myhostname`: the domain of that service follows it; postconf works it out once, from main.cf',
  'null-in-comment': 'a NUL in a comment: nothing is ignored',
  'config-directory': '-c is an earlier entry of config_directory to postconf',
  'no-master': 'a main.cf alone: postconf takes it that there are no services, pfharden takes the usual ones',
} as const;
export type Quirk = keyof typeof QUIRKS;

/** The answers of one build, as they are kept: what differs from run to run is taken out. */
export interface Recording {
  readonly build: Build;
  /** By case: status, output and messages of each run, and the networks of the machine. */
  readonly answers: readonly {
    readonly networks: string;
    readonly runs: Readonly<Partial<Record<Mode, readonly [status: number, out: string, err: string]>>>;
  }[];
}

const RECORDED_FOLDER = '/made-up';
/** `-x` prints every default, `-F` what `-M` prints. */
const RECORDED_MODES: readonly Mode[] = ['n', 'M', 'nx', 'P', 'Px'];

/** What a run that dies says in any case: about lines, before it looks at names and values. */
const STEADY =
  /^postconf: (?:fatal|panic): |, line \d+|: logical line must |: master\.cf: (?:missing|syntax) |^Segm/;

/** Answers as they are kept. */
export function recordingOf(build: Build, answers: readonly Answers[]): Recording {
  return {
    build,
    answers: answers.map(({ folder, runs }) => {
      const all = RECORDED_MODES.map((mode) => {
        const { status, out, err } = runs[mode];
        const plain = (text: string): string => text.replaceAll(folder, RECORDED_FOLDER);
        // The other runs log the same as the first, but for their death.
        // Which value kills it, and what it has said by then, depends on the seed of a hash table.
        const kept = mode !== 'n' ? /^postconf: (?:fatal|panic): / : status === 0 ? /./ : STEADY;
        const told = err
          .split('\n')
          .filter((line) => kept.test(line))
          .sort()
          .map((line) => `${line}\n`)
          .join('');
        return [mode, [status, plain(out), plain(told)]] as const;
      });
      return { networks: networksOf(runs.x.out) ?? '', runs: Object.fromEntries(all) };
    }),
  };
}

/** Answers as they were given. */
export function answersOf(recording: Recording): readonly Answers[] {
  return recording.answers.map(({ networks, runs }) => ({
    folder: RECORDED_FOLDER,
    runs: Object.fromEntries(
      MODES.map((mode) => {
        const [status, out, err] = runs[mode] ?? [
          -1,
          mode === 'x' && networks !== '' ? `mynetworks = ${networks}` : '',
          '',
        ];
        return [mode, { status, out, err }];
      }),
    ) as Record<Mode, Printed>,
  }));
}

function networksOf(out: string): string | undefined {
  return /^mynetworks = (.*)$/m.exec(out)?.[1];
}

/** Counts of what was compared. */
export class Tally {
  cases = 0;
  /** Names with their values, fields, and messages that were held against what postconf printed. */
  values = 0;
  deaths = 0;
  readonly quirks = new Map<Quirk, number>();
  readonly unheard = new Map<string, number>();

  quirk(quirk: Quirk): void {
    this.quirks.set(quirk, (this.quirks.get(quirk) ?? 0) + 1);
  }
}

/** Log lines of postconf that say nothing of what pfharden reads, and why they are not compared. */
const UNHEARD: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^open "\w+" configuration /, 'a table that is not there: the corpus comes without its tables'],
  [
    /^.*: undefined parameter: /,
    'pfharden speaks of references to names that nothing defines where they are used',
  ],
  [/^.*: #comment after other text is not allowed: /, 'pfharden judges it by the type of the parameter'],
  [
    /^\S+: (missing|syntax error after) '}' in "/,
    'braces in values of main.cf, which postconf takes for tables',
  ],
  [
    /^(?:(?:empty|truncated) macro |macro |attribute name syntax error|"==" or |":" expected |"\{expression\}"|unreasonable macro )/,
    'why an expansion fails: that it does is compared',
  ],
  [/^malformed compatibility level /, 'why an expansion fails: that it does is compared'],
  [/^See https:\/\/www\.postfix\.org\/DEPRECATION_README\.html for details$/, 'the end of other warnings'],
  [/^Postfix is running with backwards-compatible default settings/, 'the end of other warnings'],
];

/** postconf dies as it works out the networks of the machine, which is not what is compared. */
const NETWORKS =
  /fatal: (?:parameter|config variable) (?:inet_interfaces|inet_protocols|mynetworks_style)|fatal: .*inet_interfaces|fatal: unknown mynetworks_style/;

const FIELD_NAMES: Readonly<Partial<Record<string, string>>> = {
  unpriv: 'unprivileged',
  maxproc: 'process_limit',
};
const COLUMNS = [0, 11, 17, 25, 33, 41, 49, 57];
const READ_ONLY_FOR_POSTCONF = ['process_id', 'process_name', 'service_name'];

/** Stands for the number of the process, which is another in each run. */
const PROCESS_ID = '\u0002';

/** Whether a line is the one that is expected. */
function matches(line: string, expected: string | undefined): boolean {
  if (expected === undefined || !expected.includes(PROCESS_ID)) return line === expected;
  const literal = expected.split(PROCESS_ID).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${literal.join('\\d+')}$`).test(line);
}

/** One blank for any white space, none at the ends. */
export function printed(text: string): string {
  return text
    .split(/[ \t\r\n]+/)
    .filter(Boolean)
    .join(' ');
}

/** How a log line shows a text (printable.c, without UTF-8). */
function logged(text: string): string {
  return text.replace(/[^ -~]/gu, (letter) => '?'.repeat(Buffer.byteLength(letter)));
}

function bytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function assignmentLine(name: string, value: string): string {
  return printed(`${name} = ${value}`);
}

/** A service as postconf reads it. */
interface Listed {
  readonly entry: ServiceEntry;
  /** `smtp/inet`: services of one name space share their overrides. */
  readonly space: string;
  /** What follows the eight fields, as printed, up to the first word that is no option. */
  readonly options: string;
  /** The rest, without blanks and braces. */
  readonly rest: string;
  readonly overrides: readonly (readonly [name: string, value: string])[];
  /** What postconf logs about the braces and names of its options. */
  readonly messages: readonly string[];
  /** Why the overrides are not those that the daemon gets; null where they are. */
  readonly quirk: Quirk | null;
}

function listed(entry: ServiceEntry, problems: readonly SyntaxProblem[]): Listed {
  const { words, messages } = normalized(entry.arguments.flatMap((argument) => wordsOf(argument, problems)));
  const overrides: [string, string][] = [];
  let options = '';
  let at = 0;
  // Words that had been in braces count as options now, although they have not been taken apart.
  for (let word = words[at]; word?.startsWith('-') && word !== '--'; word = words[at]) {
    options += ` ${word}`;
    const value = word[1] === 'o' ? words[at + 1] : undefined;
    if (value !== undefined) options += /[ \t\r\n]/.test(value) ? ` {${value}}` : ` ${value}`;
    const given = word === '-o' && value !== undefined ? nameValue(value) : null;
    if (given !== null) overrides.push(given);
    at += value === undefined ? 1 : 2;
  }
  const own = entry.arguments.flatMap((one) =>
    one.kind === 'override' && one.reached ? [[one.name, one.value]] : [],
  );
  const { service, type } = entry.fields;
  return {
    entry,
    space: `${service.text}/${type.text}`,
    options,
    rest: squeezed(words.slice(at).join('')),
    overrides,
    messages,
    quirk:
      JSON.stringify(own) === JSON.stringify(overrides) ? deadEnd(entry) : (quirkOf(entry) ?? deadEnd(entry)),
  };
}

/** Overrides behind a word that the daemon dies of. */
function deadEnd(entry: ServiceEntry): Quirk | null {
  return entry.arguments.some(({ kind, reached }) => kind === 'override' && !reached) ? 'dead-end' : null;
}

/** What explains that postconf does not see the overrides that the daemon gets. */
function quirkOf({ arguments: given }: ServiceEntry): Quirk | null {
  for (const argument of given) {
    if (argument.kind === 'override') {
      if (argument.form === 'joined-braced') return 'joined-braces';
      if (argument.form === 'joined' && `${argument.name}=${argument.value}`.includes('o')) return 'joined-o';
    } else if (argument.kind === 'bad-override') return 'bad-override';
    else if (argument.kind === 'option' && /[ \t\r\n]/.test(argument.text)) return 'option-argument';
    else if (argument.kind === 'stray' && argument.text.startsWith('-')) return 'unknown-option';
  }
  return null;
}

/** The words of an argument as master.cf has them, but for blanks around names and values. */
function wordsOf(argument: ServiceArgument, problems: readonly SyntaxProblem[]): string[] {
  if (argument.kind !== 'override') return splitWords(argument.text);
  const text = `${argument.name}=${argument.value}`;
  // What is wrong with a word holds the whole of it.
  const wrong = problems.find(
    ({ code, span }) =>
      (code === 'unclosed-brace' || code === 'text-after-brace') &&
      argument.span.start <= span.start &&
      span.end <= argument.span.end,
  );
  if (argument.form === 'joined' || argument.form === 'joined-braced')
    return [wrong === undefined ? `-o${text}` : wrong.detail.replace(/^-[^o]*/, '-')];
  return ['-o', wrong?.detail ?? (argument.form === 'braced' ? `{${text}}` : text)];
}

/** split_nameval() */
function nameValue(text: string): [name: string, value: string] | null {
  const [, name, value] = /^\s*([^=\s]+)\s*=\s*([^]*?)\s*$/.exec(text) ?? [];
  return name === undefined || value === undefined ? null : [name, value];
}

/** mystrtokq() with blanks and braces. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let level = 0;
  for (const letter of `${text} `) {
    if (level === 0 && /[ \t\r\n]/.test(letter)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (letter === '{') level++;
    else if (letter === '}' && level > 0) level--;
    word += letter;
  }
  return word.trim() === '' ? words : [...words, word.trimEnd()];
}

/** pcf_normalize_daemon_args(): options with their values apart, up to the first word that is none. */
function normalized(given: readonly string[]): { words: string[]; messages: string[] } {
  const messages: string[] = [];
  const left = [...given];
  const words: string[] = [];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (!word.startsWith('-') || word === '--') {
      const rest = [word, ...left].map((one) => (one.startsWith('{') ? unbraced(one, messages) : one));
      return { words: [...words, ...rest], messages };
    }
    // Every further `o` begins an -o of its own, even inside the value of a first one.
    const further = word.indexOf('o', 2);
    if (further >= 0) {
      left.unshift(`-${word.slice(further)}`);
      word = word.slice(0, further);
    }
    if (word[1] !== 'o') {
      words.push(word);
      continue;
    }
    words.push('-o');
    const value = word.length > 2 ? word.slice(2) : left.shift();
    if (value === undefined) continue;
    if (!value.startsWith('{')) {
      words.push(value);
      continue;
    }
    const inside = unbraced(value, messages);
    const parts = nameValue(inside);
    if (parts === null) {
      const why = /^\s*(=|$)/.test(inside) ? 'missing attribute name' : "missing '=' after attribute name";
      messages.push(logged(`master.cf: ${why}: "${inside}"`));
    }
    words.push(parts === null ? inside : parts.join('='));
  }
  return { words, messages };
}

/** extpar() */
function unbraced(word: string, messages: string[]): string {
  let level = 0;
  for (let at = 0; at < word.length; at++) {
    if (word[at] === '{') level++;
    else if (word[at] === '}' && --level === 0) {
      if (at + 1 < word.length) messages.push(logged(`master.cf: syntax error after '}' in "${word}"`));
      return word.slice(1, at).trim();
    }
  }
  messages.push(logged(`master.cf: missing '}' in "${word}"`));
  return word.slice(1).trim();
}

function squeezed(text: string): string {
  return text.replace(/[ \t\r\n{}]+/g, '').replaceAll('-v-o', '-vo');
}

/** The overrides of all services of one name and type, as postconf mixes them. */
interface Space {
  /** What the values are worth in. */
  readonly service: Service;
  readonly overrides: ReadonlyMap<string, string>;
  /** Whether these are the overrides of one service that master(8) runs. */
  readonly clean: boolean;
}

/** One configuration as pfharden has it, and what postconf would say of it. */
class Prediction {
  readonly config: PostfixConfiguration;
  readonly services: readonly Listed[];
  readonly #tally: Tally;
  readonly #spaces = new Map<string, Space & { readonly overrides: Map<string, string> }>();
  readonly #rawReferences: boolean;
  readonly differences: string[] = [];

  constructor(files: Files, build: Build, answers: Answers, tally: Tally) {
    this.#tally = tally;
    this.#rawReferences = atLeast(build.postfix, '3.11');
    const patched = asBuilt(build);
    patched.clear();
    const { main, master } = files;
    this.config = new PostfixConfiguration({
      directory: answers.folder,
      main: new SourceFile('main.cf', main ?? ''),
      master: master === null ? null : new SourceFile('master.cf', master),
      release: { version: build.postfix, versionFrom: 'flag', provenAtLeast: null },
      openssl: { version: build.openssl, versionFrom: 'flag', provenAtLeast: null },
      open: () => null,
    });
    const { config } = this;
    for (const [name, value] of Object.entries(build.defaults)) patched.set(name, value);
    patched.delete('mail_version');
    if (config.mainSetting('myhostname') !== null) patched.delete('mydomain');
    else if (config.mainSetting('mydomain') !== null) {
      // Worked out before any default is known.
      const domain = config.mainSetting('mydomain')?.value ?? '';
      const { value } = expand(domain, (name) => config.mainSetting(name)?.value, config.release);
      const host = (build.defaults['myhostname'] ?? '').replace(/\.localdomain$/, '');
      patched.set('myhostname', `${host}.${value}`);
    }
    patched.set('config_directory', answers.folder);
    const networks = networksOf(answers.runs.x.out);
    if (networks !== undefined && config.mainSetting('mynetworks') === null)
      patched.set('mynetworks', `${networks} `);
    patched.set('process_id', PROCESS_ID);
    this.services = (config.master?.items ?? [])
      .filter((item): item is ServiceEntry => item.kind === 'service')
      .map((entry) => listed(entry, config.master?.problems ?? []));
    this.#readSpaces();
  }

  /** The overrides of each name space, and the service that they are valued in. */
  #readSpaces(): void {
    for (const { entry, space, overrides, quirk } of this.services) {
      const same = this.services.filter((other) => other.space === space);
      const real = this.config.services.find((service) => service.entry === entry);
      const known = this.#spaces.get(space);
      const all = known?.overrides ?? new Map<string, string>();
      for (const [name, value] of overrides) all.set(name, value);
      if (quirk !== null) this.#tally.quirk(quirk);
      if (same.length > 1) {
        if (same[0]?.entry === entry) this.#tally.quirk('duplicate-service');
      } else if (real === undefined) {
        const disabled = this.config.mainSetting('master_service_disable') !== null;
        this.#tally.quirk(disabled ? 'disabled-service' : 'same-port');
      }
      for (const name of all.keys()) {
        if (name === 'service_name' && this.#rawReferences) this.#tally.quirk('read-only');
        else if (READ_ONLY_FOR_POSTCONF.includes(name)) {
          all.delete(name);
          this.#tally.quirk('read-only');
        }
      }
      const clean = same.length === 1 && real !== undefined && quirk === null;
      this.#spaces.set(space, {
        service: real !== undefined && clean ? real : standIn(entry, all),
        overrides: all,
        clean,
      });
      if (clean) {
        const ours = [...(real?.overrides ?? [])]
          .filter(([name]) => !READ_ONLY_FOR_POSTCONF.includes(name))
          .map(([name, { value }]) => `${name}=${value}`);
        const theirs = [...all]
          .filter(([name]) => !READ_ONLY_FOR_POSTCONF.includes(name))
          .map(([name, value]) => `${name}=${value}`);
        if (ours.sort().join('\n') !== theirs.sort().join('\n'))
          this.differences.push(
            `${space}: overrides are ${ours.join(' ')}, seen by postconf ${theirs.join(' ')}`,
          );
      }
    }
  }

  /** What postconf prints of a value in a service or in main.cf; null where it dies. */
  value(text: string, service: Service | null): string | null {
    if (!text.includes('$')) return text;
    const { config } = this;
    const truth = config.expand(text, service);
    const lookup = (name: string): string | undefined => {
      if (name === 'process_name') return service?.program ?? config.parameter(name)?.default ?? undefined;
      if (name === 'service_name' && service !== null) return service.name;
      const setting = config.setting(name, service);
      if (setting !== null) return setting.value;
      if (name === 'service_name' && this.#rawReferences) return this.serviceName ?? config.get(name).raw;
      return config.parameter(name) === null ? undefined : config.get(name).raw;
    };
    const theirs = expand(text, lookup, config.release, {
      raw: (name) => this.#rawReferences && config.parameter(name)?.storage === 'raw',
    });
    if (theirs.value !== truth.value || theirs.failed !== truth.failed) {
      const domain = service !== null && config.setting('myhostname', service)?.kind === 'override';
      if (config.setting('process_name', service) !== null) this.#tally.quirk('read-only');
      else if (domain) this.#tally.quirk('mydomain-of-service');
      else if (this.#rawReferences) this.#tally.quirk('raw-reference');
      else
        this.differences.push(`${text} is ${theirs.value} in main.cf or ${service?.id}, not ${truth.value}`);
    }
    return theirs.failed ? null : theirs.value;
  }

  /**
   * Texts that postconf reads otherwise than the daemons: what they refer to may be used or not. In a name
   * space those of its own services and of main.cf, in main.cf (null) all of them.
   */
  doubtful(inSpace: string | null): readonly string[] {
    const strange = new Set(this.services.filter(({ quirk }) => quirk !== null).map(({ space }) => space));
    const texts = this.services
      .filter(({ space }) => strange.has(space) && (inSpace === null || inSpace === space))
      .map(({ entry }) => entry.line.text);
    texts.push(
      ...this.services
        .map(({ entry }) => entry.line.text)
        .filter((text) => /(process|service)_name *=/.test(text)),
      this.config.mainSetting('process_name')?.value ?? '',
    );
    if (!this.#rawReferences) return texts;
    const raw = this.config.settings().filter(({ name }) => this.config.parameter(name)?.storage === 'raw');
    return [...texts, ...raw.map(({ value }) => value)];
  }

  /** What main.cf says of service_name, where postconf believes it. */
  get serviceName(): string | null {
    if (!this.#rawReferences) return null;
    const entry = this.config.main?.items.findLast(
      (item) => item.kind === 'entry' && item.name === 'service_name',
    );
    return entry?.kind === 'entry' ? entry.value : null;
  }

  get spaces(): ReadonlyMap<string, Space> {
    return this.#spaces;
  }
}

/** A service that master(8) does not run so, for what postconf says of it. */
function standIn(entry: ServiceEntry, overrides: ReadonlyMap<string, string>): Service {
  const { service, type, command } = entry.fields;
  const span = { start: 0, end: 0 };
  const given = (name: string, value: string): ServiceOverride => ({
    kind: 'override',
    form: 'plain',
    name,
    value,
    span,
    nameSpan: span,
    valueSpan: span,
    meant: null,
    reached: true,
  });
  return {
    id: `stand-in for ${service.text}/${type.text} at ${entry.line.span.start}`,
    name: service.text,
    type: type.text,
    program: command.text.replace(/^.*\//, ''),
    entry,
    overrides: new Map([...overrides].map(([name, value]) => [name, given(name, value)])),
    deadOverrides: [],
    assumed: false,
  };
}

const patches = new Map<string, Map<string, string>>();

/** Lets the table of a release have the defaults of a build; the answer changes them. */
function asBuilt({ postfix, openssl }: Build): Map<string, string> {
  const key = `${postfix} ${openssl}`;
  const known = patches.get(key);
  if (known !== undefined) return known;
  const defaults = new Map<string, string>();
  const table = parameterTable(postfix, openssl);
  const get = table.get.bind(table);
  Object.assign(table, {
    get(name: string): Parameter | null {
      const parameter = get(name);
      const text = defaults.get(name);
      return parameter === null || text === undefined ? parameter : { ...parameter, default: text };
    },
  });
  patches.set(key, defaults);
  return defaults;
}

/** Holds what postconf printed against what pfharden says. Gives what differs, in words; nothing where all is equal. */
export function compare(files: Files, build: Build, answers: Answers, tally: Tally): readonly string[] {
  tally.cases++;
  return new Comparison(files, build, answers, tally).run();
}

const FATAL_MAIN: ReadonlySet<SyntaxCode> = new Set(['missing-equals', 'missing-name'] as const);
const FATAL_MASTER: ReadonlySet<SyntaxCode> = new Set([
  'bad-field-count',
  'bad-service-type',
  'bad-flag-field',
  'bad-number-field',
] as const);
const MACRO = 'macro processing error';

/** Names that nothing uses. */
interface Unused {
  readonly main: ReadonlySet<string>;
  /** By name space. */
  readonly overrides: ReadonlyMap<string, ReadonlySet<string>>;
}

class Comparison {
  readonly #prediction: Prediction;
  readonly #config: PostfixConfiguration;
  readonly #files: Files;
  readonly #build: Build;
  readonly #answers: Answers;
  readonly #tally: Tally;
  /** The prediction adds its own. */
  readonly #found: string[];
  #unusedNames: Unused | null = null;

  constructor(files: Files, build: Build, answers: Answers, tally: Tally) {
    this.#prediction = new Prediction(files, build, answers, tally);
    this.#config = this.#prediction.config;
    this.#files = files;
    this.#build = build;
    this.#answers = answers;
    this.#tally = tally;
    this.#found = this.#prediction.differences;
  }

  run(): readonly string[] {
    const main = this.#mainDeath();
    const master = this.#masterDeath();
    const values = this.#valueDeath();
    const lives = (mode: Mode): boolean => {
      const order = mode === 'n' || mode === 'nx' || mode === 'x' ? [main, master] : [master, main];
      return this.#lives(mode, order[0] ?? order[1] ?? values);
    };
    if (lives('n')) this.#explicit();
    if (lives('M')) this.#services();
    if (lives('F')) this.#fields();
    if (lives('P')) this.#overrides();
    if (main === null && master === null && values === null) {
      this.#effective();
      this.#effectiveOverrides();
    }
    this.#messages(main ?? master ?? values);
    return this.#found;
  }

  #same(what: string, ours: readonly string[], theirs: readonly string[]): void {
    this.#tally.values += theirs.length;
    const left = [...ours];
    for (const line of theirs) {
      const at = left.indexOf(line);
      if (at < 0) this.#found.push(`${what}: only postconf: ${line}`);
      else left.splice(at, 1);
    }
    for (const line of left) this.#found.push(`${what}: only pfharden: ${line}`);
  }

  /** Whether a run ended well; that it should have died, or otherwise, is a difference. */
  #lives(mode: Mode, expected: string | null): boolean {
    const { status, err } = this.#answers.runs[mode];
    if (status === -1) return false;
    if (this.#files.master === null && /^[MFP]/.test(mode)) return false;
    const fatal =
      err.split('\n').find((line) => /^postconf: (fatal|panic): /.test(line)) ??
      (status === 0 ? null : `status ${status}`);
    this.#tally.values++;
    if (fatal !== null && expected !== null) this.#tally.deaths++;
    if (fatal === 'status 139' && expected === MACRO) {
      this.#tally.quirk('stack');
      return false;
    }
    if ((fatal === null) !== (expected === null) || (fatal !== null && !fatal.includes(expected ?? '')))
      this.#found.push(`-${mode}: postconf ends with ${fatal}, pfharden expects ${expected}`);
    return fatal === null && expected === null;
  }

  #line(file: 'main' | 'master', offset: number): number {
    return this.#config[file]?.source.position(offset).line ?? 0;
  }

  #mainDeath(): string | null {
    const problem = this.#config.main?.problems.find(({ code }) => FATAL_MAIN.has(code));
    if (problem === undefined) return null;
    const why =
      problem.code === 'missing-name' ? 'missing attribute name' : "missing '=' after attribute name";
    return `${this.#answers.folder}/main.cf, line ${this.#line('main', problem.span.start)}: ${why}: "`;
  }

  #masterDeath(): string | null {
    const { master } = this.#config;
    const problem = master?.problems.find(({ code, detail, span }) => {
      if (!FATAL_MASTER.has(code)) return false;
      const mark =
        /^-?\?$/.test(detail) &&
        this.#prediction.services.some(({ entry }) => entry.fields.wakeup.span.start === span.start);
      if (mark) this.#tally.quirk('wakeup-mark');
      return !mark;
    });
    if (problem === undefined) return null;
    if (problem.code === 'bad-field-count')
      return `file ${this.#answers.folder}/master.cf: line ${this.#line('master', problem.span.start)}: bad field count`;
    const entry = this.#prediction.services
      .map((service) => service.entry)
      .find(({ line }) => line.span.start <= problem.span.start && problem.span.start < line.span.end);
    const field = SERVICE_FIELDS.find((name) => entry?.fields[name].span.start === problem.span.start) ?? '';
    return `fatal: invalid ${FIELD_NAMES[field] ?? field} field "${logged(problem.detail)}" in "`;
  }

  /** postconf values all parameters that it knows of itself, to find tables in them. */
  #valueDeath(): string | null {
    if (this.#config.mainSetting('mynetworks') === null) {
      // The networks of the machine are worked out in every run.
      for (const name of ['inet_interfaces', 'inet_protocols', 'mynetworks_style'])
        if (this.#prediction.value(this.#config.get(name).raw, null) === null) return MACRO;
    }
    const { settings, spaces } = { settings: this.#mainNames(), spaces: this.#prediction.spaces };
    const looked = (name: string): boolean => {
      const parameter = this.#config.parameter(name);
      return parameter !== null && !parameter.legacyAlias && parameter.storage !== 'raw';
    };
    for (const [name, value] of settings)
      if (looked(name) && this.#prediction.value(value, null) === null) return MACRO;
    for (const { service, overrides } of spaces.values()) {
      for (const [name, value] of overrides) {
        if (looked(name) && this.#prediction.value(value, service) === null) return MACRO;
      }
    }
    return null;
  }

  /** Names and values of main.cf as pfharden has them, and what -c and the service name add for postconf. */
  #mainNames(): Map<string, string> {
    const names = new Map<string, string>();
    for (const setting of this.#config.settings())
      if (setting.kind === 'main') names.set(setting.name, setting.value);
    names.delete('process_name');
    const { serviceName } = this.#prediction;
    if (serviceName !== null) names.set('service_name', serviceName);
    return names;
  }

  /** The names that main.cf sets and postconf knows or finds used. */
  #shownNames(): Map<string, string> {
    const names = this.#mainNames();
    for (const name of this.#unused().main) names.delete(name);
    return names;
  }

  /** The names that pfharden finds unused, in main.cf and in each name space of master.cf. */
  #unused(): Unused {
    if (this.#unusedNames !== null) return this.#unusedNames;
    const use = nameUse(this.#config);
    const main = new Set(use.unused.filter(({ kind }) => kind === 'main').map(({ name }) => name));
    const overrides = new Map<string, ReadonlySet<string>>();
    // A name that main.cf sets and something uses is known in every name space.
    const settled = new Set<string>();
    for (const [name, value] of this.#mainNames())
      if (this.#settle(main, null, name, value)) settled.add(name);
    for (const [space, { overrides: given }] of this.#prediction.spaces) {
      const names = new Set([...given.keys()].filter((name) => !use.known(name, { id: space })));
      for (const [name, value] of given) this.#settle(names, space, name, value, settled);
      overrides.set(space, names);
    }
    this.#unusedNames = { main, overrides };
    return this.#unusedNames;
  }

  /**
   * Lets postconf have its way with a name that services speak of whose options it does not read as daemons
   * do. Gives whether that differs from pfharden's.
   */
  #settle(
    unused: Set<string>,
    space: string | null,
    name: string,
    value: string,
    settled: ReadonlySet<string> = new Set(),
  ): boolean {
    if (this.#config.parameter(name) !== null) return false;
    const spoken =
      settled.has(name) ||
      this.#prediction
        .doubtful(space)
        .some(
          (text) =>
            text.includes(name) ||
            [...text.matchAll(/:([\w-]+)/g)].some(([, table]) => name.startsWith(`${table}_`)),
        );
    const { folder, runs } = this.#answers;
    const file = space === null ? 'main.cf' : 'master.cf';
    const theirs = runs.n.err.includes(
      `${logged(`${folder}/${file}: unused parameter: ${name}=${value}`)}\n`,
    );
    if (!spoken || theirs === unused.has(name)) return false;
    this.#tally.quirk('reference-not-seen');
    if (theirs) unused.add(name);
    else unused.delete(name);
    return true;
  }

  #explicit(): void {
    const shown = this.#shownNames();
    if (!shown.has('config_directory')) shown.set('config_directory', this.#answers.folder);
    this.#same(
      '-n',
      [...shown].map(([name, value]) => assignmentLine(name, value)),
      linesOf(this.#answers.runs.n.out),
    );
  }

  #effective(): void {
    const shown = this.#shownNames();
    const value = (name: string): string | null => {
      let { raw } = this.#config.get(name);
      if (name === 'service_name') raw = shown.get(name) ?? raw;
      if (name === 'process_name') raw = this.#config.parameter(name)?.default ?? '';
      if (this.#config.parameter(name)?.storage === 'raw') return raw;
      const theirs = this.#prediction.value(raw, null);
      return theirs;
    };
    for (const mode of ['x', 'nx'] as const) {
      const names = new Set(shown.keys());
      names.add('config_directory');
      if (mode === 'x') {
        for (const name of this.#config.table.names()) names.add(name);
        if (this.#files.master === null) this.#tally.quirk('no-master');
        else for (const name of this.#config.transportParameters.keys()) names.add(name);
        // A former name that something sets is listed, with its default where only a service does.
        for (const { overrides } of this.#prediction.spaces.values()) {
          for (const name of overrides.keys()) if (this.#config.parameter(name)?.legacyAlias) names.add(name);
        }
      }
      const values = [...names].map((name) => [name, value(name)] as const);
      if (NETWORKS.test(this.#answers.runs[mode].err)) continue;
      if (!this.#lives(mode, values.some(([, text]) => text === null) ? MACRO : null)) continue;
      const ours = new Map(values.map(([name, text]) => [name, assignmentLine(name, text ?? '')]));
      const theirs = linesOf(this.#answers.runs[mode].out);
      this.#tally.values += theirs.length;
      for (const line of theirs) {
        const name = line.slice(0, line.indexOf(' ='));
        if (!matches(line, ours.get(name)))
          this.#found.push(`-${mode}: postconf: ${line}, pfharden: ${ours.get(name)}`);
        ours.delete(name);
      }
      for (const line of ours.values()) this.#found.push(`-${mode}: only pfharden: ${line}`);
    }
  }

  #services(): void {
    const theirs = linesOf(this.#answers.runs.M.out);
    this.#tally.values += theirs.length * 8;
    const { services } = this.#prediction;
    if (theirs.length !== services.length)
      this.#found.push(`-M: postconf has ${theirs.length} services, pfharden ${services.length}`);
    services.forEach(({ entry, options, rest }, index) => {
      let line = '';
      SERVICE_FIELDS.forEach((field, column) => {
        if (column > 0) line += ' ';
        line += ' '.repeat(Math.max(0, (COLUMNS[column] ?? 0) - Buffer.byteLength(line)));
        line += entry.fields[field].text;
      });
      this.#sameService('-M', `${line}${options}`, rest, theirs[index] ?? '');
    });
  }

  #fields(): void {
    const theirs = linesOf(this.#answers.runs.F.out);
    this.#tally.values += theirs.length;
    this.#prediction.services.forEach(({ entry, space, options, rest }, index) => {
      SERVICE_FIELDS.forEach((field, column) => {
        const line = `${space}/${FIELD_NAMES[field] ?? field} = ${entry.fields[field].text}`;
        const actual = theirs[index * SERVICE_FIELDS.length + column] ?? '';
        if (field === 'command') this.#sameService('-F', `${line}${options}`, rest, actual);
        else if (line !== actual) this.#found.push(`-F: postconf: ${actual}, pfharden: ${line}`);
      });
    });
  }

  #sameService(mode: string, line: string, rest: string, actual: string): void {
    const after = actual.slice(line.length);
    if (!actual.startsWith(line) || squeezed(after) !== rest || !/^( |$)/.test(after))
      this.#found.push(
        `${mode}: postconf: ${JSON.stringify(actual)}, pfharden: ${JSON.stringify(line)} ${rest}`,
      );
  }

  #overrideLines(
    valueOf: (name: string, value: string, service: Service) => string | null,
  ): (string | null)[] {
    const begun = new Set<string>();
    return this.#prediction.services.flatMap(({ entry, space, overrides }) => {
      const found = this.#prediction.spaces.get(space);
      // The first of several services that has overrides begins the name space.
      if (overrides.length > 0) begun.add(space);
      if (found === undefined || !begun.has(space)) return [];
      const service = found.clean ? found.service : standIn(entry, found.overrides);
      return [...found.overrides]
        .sort(([a], [b]) => bytes(a, b))
        .map(([name, value]) => {
          const text = valueOf(name, value, service);
          return text === null ? null : assignmentLine(`${space}/${name}`, text);
        });
    });
  }

  #overrides(): void {
    const ours = this.#overrideLines((_, value) => value).map((line) => line ?? '');
    this.#sameLines('-P', ours, linesOf(this.#answers.runs.P.out));
  }

  #effectiveOverrides(): void {
    const ours = this.#overrideLines((name, value, service) => {
      const text = this.#prediction.value(value, service);
      const truth = this.#config.get(name, service);
      // What the daemon gets is what pfharden says, unless the quirks have said otherwise already.
      if (text !== null && !READ_ONLY_FOR_POSTCONF.includes(name) && printed(truth.value) !== printed(text)) {
        if (this.#config.parameter(name)?.storage === 'raw') this.#tally.quirk('raw-override');
        else if (printed(this.#config.expand(value, service).value) !== printed(truth.value))
          this.#found.push(`${service.id}: ${name} is ${truth.value}, expands to ${text}`);
      }
      return text;
    });
    if (!this.#lives('Px', ours.includes(null) ? MACRO : null)) return;
    this.#sameLines(
      '-P -x',
      ours.map((line) => line ?? ''),
      linesOf(this.#answers.runs.Px.out),
    );
  }

  #sameLines(what: string, ours: readonly string[], theirs: readonly string[]): void {
    this.#tally.values += theirs.length;
    for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
      if (!matches(theirs[at] ?? '', ours[at])) {
        this.#found.push(`${what}: postconf: ${theirs[at]}, pfharden: ${ours[at]}`);
        return;
      }
    }
  }

  /** What `-n` logs; of a run that died, only that nothing was logged that pfharden does not know. */
  #messages(death: string | null): void {
    const ours = this.#predictedMessages(death !== null);
    const theirs: string[] = [];
    for (const line of this.#answers.runs.n.err.split('\n')) {
      const message = /^postconf: warning: (.*)$/.exec(line)?.[1];
      if (message === undefined) {
        // The last is what the shell says of a postconf that ran out of stack.
        if (line !== '' && !/^postconf: (fatal|panic): |^Segmentation fault/.test(line))
          this.#found.push(`-n logs ${line}`);
        continue;
      }
      const [, obsolete] =
        /^(.*: support for parameter "\S+" will be removed); instead, /.exec(message) ?? [];
      if (obsolete !== undefined) {
        theirs.push(obsolete);
        continue;
      }
      const [, why] = UNHEARD.find(([pattern]) => pattern.test(message)) ?? [];
      if (why === undefined || ours.includes(message)) theirs.push(message);
      else this.#tally.unheard.set(why, (this.#tally.unheard.get(why) ?? 0) + 1);
    }
    if (death === null) this.#same('-n logs', ours, theirs);
    else {
      this.#tally.values += theirs.length;
      for (const message of theirs)
        if (!ours.includes(message)) this.#found.push(`-n logs: only postconf: ${message}`);
    }
  }

  #predictedMessages(dies: boolean): string[] {
    const { folder } = this.#answers;
    const { main, master } = this.#config;
    const messages: string[] = [];
    for (const tree of [main, master]) {
      if (tree === null) continue;
      const path = `${folder}/${tree.kind}`;
      if (atLeast(this.#build.postfix, '3.10')) messages.push(...this.#nullMessages(path, tree));
      for (const item of tree.items) {
        if (!startsWithSpace(item.line)) continue;
        const raw = rawLine(tree.source.text, item.line.span);
        const shown = Buffer.from(raw.split('\0')[0] ?? '');
        const dots = Buffer.byteLength(raw) > 30 ? '...' : '';
        messages.push(
          logged(
            `${path}: logical line must not start with whitespace: "${shown.subarray(0, 30).toString()}${dots}"`,
          ),
        );
      }
    }
    if (this.#files.master === null) messages.push(`open ${folder}/master.cf: No such file or directory`);
    messages.push(...this.#duplicateMessages(), ...this.#argumentMessages());
    messages.push(...this.#readOnlyMessages());
    if (!dies) messages.push(...this.#nameMessages());
    return messages;
  }

  #nullMessages(
    path: string,
    tree: Pick<NonNullable<PostfixConfiguration['main']>, 'problems' | 'source' | 'lines'>,
  ): string[] {
    const messages: string[] = [];
    const { text } = tree.source;
    let first = 0;
    let nul = false;
    let open = false;
    const flush = (last: number): void => {
      if (nul) {
        const place = first === last ? `${last}` : `${first}-${last}`;
        messages.push(`${path}, line ${place}: text after null byte may be ignored`);
      }
      nul = false;
    };
    tree.lines.forEach((line, index) => {
      if (line.kind === 'text') {
        if (open) flush(index);
        open = true;
        first = index + 1;
      } else if (!open) first = index + 1;
      if (text.slice(line.span.start, line.span.end).includes('\0')) {
        nul = true;
        if (line.kind === 'comment') this.#tally.quirk('null-in-comment');
        else if (
          !tree.problems.some(
            ({ code, span }) =>
              code === 'null-byte' && span.start >= line.span.start && span.start < line.span.end,
          ) &&
          !messages.length
        )
          this.#found.push(`${path}: a NUL that pfharden does not see`);
      }
    });
    flush(tree.lines.length);
    return messages;
  }

  /** Every entry whose value differs from the one before it of the same name. */
  #duplicateMessages(): string[] {
    const { folder } = this.#answers;
    const messages: string[] = [];
    const told = (name: string, line: number, old: string): void => {
      messages.push(logged(`${folder}/main.cf, line ${line}: overriding earlier entry: ${name}=${old}`));
    };
    const chains = new Map<string, { value: string; start: number }[]>();
    const add = (name: string, value: string, start: number): void => {
      chains.set(name, [...(chains.get(name) ?? []), { value, start }]);
    };
    for (const { dead } of this.#config.deadSettings())
      if (dead.kind === 'main') add(dead.name, dead.value, dead.at.span.start);
    for (const name of chains.keys()) {
      const winner = this.#config.mainSetting(name);
      if (winner !== null) add(name, winner.value, winner.at.span.start);
    }
    for (const item of this.#config.main?.items ?? []) {
      if (item.kind === 'entry' && READ_ONLY.has(item.name)) add(item.name, item.value, item.nameSpan.start);
    }
    const directory = this.#config.mainSetting('config_directory');
    if (directory !== null) {
      this.#tally.quirk('config-directory');
      const own = chains.get('config_directory') ?? [
        { value: directory.value, start: directory.at.span.start },
      ];
      chains.set('config_directory', [{ value: folder, start: 0 }, ...own]);
    }
    for (const [name, chain] of chains) {
      chain.forEach(({ value, start }, index) => {
        const before = chain[index - 1];
        if (before !== undefined && before.value !== value)
          told(name, this.#line('main', start), before.value);
      });
    }
    return messages;
  }

  /** Braces of arguments, and whether pfharden sees what is wrong with them. */
  #argumentMessages(): string[] {
    for (const { entry, messages, quirk } of this.#prediction.services) {
      const braces = messages.filter((message) => message.includes("'}'"));
      const own = (this.#config.master?.problems ?? []).filter(
        ({ code, detail, span }) =>
          (code === 'unclosed-brace' || code === 'text-after-brace') &&
          detail.startsWith('{') &&
          entry.line.span.start <= span.start &&
          span.end <= entry.line.span.end,
      );
      if (own.length !== braces.length && quirk === null)
        this.#found.push(
          `${entry.fields.service.text}: ${own.length} problems with braces, postconf has ${braces.length}`,
        );
    }
    return this.#prediction.services.flatMap(({ messages }) => messages);
  }

  #readOnlyMessages(): string[] {
    const { folder } = this.#answers;
    const names = READ_ONLY_FOR_POSTCONF.filter(
      (name) => name !== 'service_name' || !atLeast(this.#build.postfix, '3.11'),
    );
    const messages: string[] = [];
    for (const name of names) {
      const entry = this.#config.main?.items.findLast((item) => item.kind === 'entry' && item.name === name);
      if (entry?.kind !== 'entry') continue;
      this.#tally.quirk('read-only');
      messages.push(logged(`${folder}/main.cf: read-only parameter assignment: ${name}=${entry.value}`));
    }
    for (const space of this.#prediction.spaces.keys()) {
      const overrides = new Map(
        this.#prediction.services
          .filter((service) => service.space === space)
          .flatMap((service) => service.overrides),
      );
      for (const name of names) {
        const value = overrides.get(name);
        if (value !== undefined)
          messages.push(logged(`${folder}/master.cf: read-only parameter assignment: ${name}=${value}`));
      }
    }
    return messages;
  }

  /** Unused and obsolete names. */
  #nameMessages(): string[] {
    const { folder } = this.#answers;
    const messages: string[] = [];
    const tell = (file: string, name: string, value: string, unused: boolean): void => {
      const since = this.#config.parameter(name)?.postconfWarnsSince ?? null;
      if (since !== null && atLeast(this.#build.postfix, since))
        messages.push(`${folder}/${file}: support for parameter "${name}" will be removed`);
      else if (unused) messages.push(logged(`${folder}/${file}: unused parameter: ${name}=${value}`));
    };
    const unused = this.#unused();
    for (const [name, value] of this.#mainNames()) tell('main.cf', name, value, unused.main.has(name));
    const begun = new Set<string>();
    for (const { space, overrides } of this.#prediction.services) {
      if (overrides.length > 0) begun.add(space);
      if (!begun.has(space)) continue;
      for (const [name, value] of this.#prediction.spaces.get(space)?.overrides ?? [])
        tell('master.cf', name, value, unused.overrides.get(space)?.has(name) ?? false);
    }
    return messages;
  }
}

/** A logical line with its line ends taken out, not cut at a NUL. */
function rawLine(text: string, span: { readonly start: number; readonly end: number }): string {
  return text
    .slice(span.start, span.end)
    .split('\n')
    .filter((line) => !/^[ \t\v\f\r]*(#|$)/.test(line))
    .join('');
}

function linesOf(out: string): string[] {
  return out.split('\n').filter((line) => line !== '');
}
