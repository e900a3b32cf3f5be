import type { Server } from '../model/endpoint.ts';
import { parameterTable } from '../postfix/parameters.ts';
import type { Edit } from '../text/edits.ts';
import { type Location, SourceFile, type Span } from '../text/source.ts';
import { type Hole, parseTemplate, type Rendered, type Template } from '../text/template.ts';
import type { WordUse } from '../text/template-tokens.ts';
import { candidates, FILLINGS, type HoleUse, type TemplateKind, useOf } from './fillings.ts';
import { dovecotOf, type HostInput, hostSources, postfixSources, serverOf, withTexts } from './host.ts';

/**
 * Hosts whose files a template engine fills. What the engine will make of them is not known, so that several
 * things that it may make are judged: each branch taken and left out, each loop run not at all, once and
 * twice, each hole filled with texts of different effect. What all of them have in common holds for the host.
 */

/** A file of a host that is a template. */
interface TemplateFile {
  readonly source: SourceFile;
  readonly server: Server;
  readonly template: Template;
  readonly uses: ReadonlyMap<Hole, HoleUse>;
  /** Lines that the engine writes, or the name of whose setting it writes. */
  readonly unknownLines: ReadonlySet<number>;
  /** Lines with text of the engine's own. */
  readonly markedLines: ReadonlySet<number>;
}

/** What a template engine may make of a host. */
export interface Rendering {
  readonly input: HostInput;
  readonly places: RenderedPlaces;
}

/** Where the places of a rendering are in the templates; the files that were made are not kept by it. */
export interface RenderedPlaces {
  /** Where a place of a rendered file is in the template. */
  back(at: Location): Location;
  /** The same of an edit: null where a line that it changes has text of an engine in it, or the new text would have. */
  backEdit(edit: Edit): Edit | null;
  /** Whether a character of a template is there in the rendering. */
  has(path: string, offset: number): boolean;
  /** Adds the parts of the templates that it has to others. Returns whether any was not among them. */
  addTo(parts: TemplateParts): boolean;
  /** What makes it what it is, each as a text: the parts of the templates that it has, and what any two branches have chosen. */
  traits(): readonly string[];
}

/** Parts of templates: where they begin, by the paths of the files. */
export type TemplateParts = Map<string, Set<number>>;

/** So many ways through the branches are all tried; of more, enough that any two branches meet in every way. */
const MOST_WAYS = 16;

/** Each hole is filled with a character of its own, which no configuration has, where texts are shown. */
const FIRST_MARK = 0xe000;
const MARKS = 6400;
const MARK = /[\ue000-\uf8ff]/;
const EVERY_MARK = /[\ue000-\uf8ff]/g;

/** Whether a text has something in it that a template engine will fill. */
export function hasMark(text: string): boolean {
  return MARK.test(text);
}

/** A host with files that are templates. */
export class TemplatedHost {
  readonly #input: HostInput;
  readonly #files: readonly TemplateFile[];
  readonly #ways: readonly ReadonlyMap<string, string>[];
  readonly #marks = new Map<string, string>();
  readonly #texts = new Map<string, string>();
  /** Servers for which lines may come from nowhere: what they do not set may be set there, and where. */
  readonly open: ReadonlyMap<Server, Location>;

  private constructor(input: HostInput, files: readonly TemplateFile[]) {
    this.#input = input;
    this.#files = files;
    this.#ways = waysThrough(files);
    for (const { template } of files) {
      for (const { text } of template.holes) {
        if (this.#marks.has(text)) continue;
        const mark = String.fromCharCode(FIRST_MARK + (this.#marks.size % MARKS));
        this.#marks.set(text, mark);
        this.#texts.set(mark, text);
      }
    }
    this.open = openServers(files);
  }

  /** Null for a host without templates. */
  static of(input: HostInput): TemplatedHost | null {
    const known = hosts.get(input);
    if (known !== undefined) return known;
    const files = templateFiles(input);
    const host = files.length === 0 ? null : new TemplatedHost(input, files);
    hosts.set(input, host);
    return host;
  }

  /** Whether an engine fills any of the files of a server. */
  fills(server: Server): boolean {
    return this.#files.some((file) => file.server === server);
  }

  /** How many ways through the branches are tried. */
  get ways(): number {
    return this.#ways.length;
  }

  /** How many fillings are tried for each way. */
  get fillings(): number {
    if (this.#files.every(({ template }) => template.holes.length === 0)) return 1;
    return FILLINGS;
  }

  /** One way through the branches, the holes filled with the marks that `restored` takes out again. */
  marked(way: number): Rendering {
    return this.#render(way, (hole, use) =>
      use.place === 'lines' ? '' : (this.#marks.get(hole.text) ?? ''),
    );
  }

  /** One way through the branches, the holes filled with what they may be. */
  filled(way: number, filling: number): Rendering {
    const settings = new Map<string, { readonly number: number; readonly orders: Map<string, number> }>();
    return this.#render(way, ({ text }, use, server) => {
      const name = `${server} ${use.name ?? ''}`;
      const { number: setting, orders } = settings.get(name) ?? { number: settings.size, orders: new Map() };
      settings.set(name, { number: setting, orders });
      const order = orders.get(text) ?? orders.size;
      orders.set(text, order);
      const texts = candidates(server, use, this.#input.releases);
      return texts[turn(filling, order, setting, texts.length)] ?? '';
    });
  }

  /** A text with the words of the template in the place of marks. */
  restored(text: string): string {
    return text.replace(EVERY_MARK, (mark) => this.#texts.get(mark) ?? mark);
  }

  /** The words of the template for which marks stand in a text. */
  marksIn(text: string): readonly string[] {
    return (text.match(EVERY_MARK) ?? []).flatMap((mark) => this.#texts.get(mark) ?? []);
  }

  /** Whether nothing can be said of a place: an engine writes the name of the setting, or its statements are not understood. */
  isUnknown({ source, span }: Location): boolean {
    const file = this.#files.find((one) => one.source === source);
    if (file === undefined) return false;
    return !file.template.isSound || file.unknownLines.has(source.position(span.start).line);
  }

  #render(way: number, fill: (hole: Hole, use: HoleUse, server: Server) => string): Rendering {
    const values = this.#ways[way] ?? new Map<string, string>();
    const changed = new Map<string, SourceFile>();
    const backs = new Map<string, RenderedFile>();
    for (const { source, server, template, uses, markedLines } of this.#files) {
      const rendered = template.render(
        (subject) => values.get(subject) ?? '',
        (hole) => fill(hole, uses.get(hole) ?? UNKNOWN, server),
      );
      changed.set(source.path, new SourceFile(source.path, rendered.text, source.encoding));
      backs.set(source.path, { template: source, rendered, markedLines });
    }
    return { input: withTexts(this.#input, changed), places: placesOf(backs, values) };
  }
}

/** A file of a rendering. */
interface RenderedFile {
  readonly template: SourceFile;
  readonly rendered: Rendered;
  readonly markedLines: ReadonlySet<number>;
}

function placesOf(
  files: ReadonlyMap<string, RenderedFile>,
  values: ReadonlyMap<string, string>,
): RenderedPlaces {
  const choices = [...values].map(([subject, value]) => `${subject}\0${value}`);
  return {
    back: ({ source, span }) => {
      const file = files.get(source.path);
      return file === undefined
        ? { source, span }
        : { source: file.template, span: file.rendered.back(span) };
    },
    backEdit: (edit) => {
      const file = files.get(edit.path);
      if (file === undefined) return edit;
      const span = MARK.test(edit.text) ? null : file.rendered.backUnfilled(edit.span);
      return span === null || !isFree(file, span, edit.text) ? null : { ...edit, span };
    },
    has: (path, offset) => files.get(path)?.rendered.has(offset) ?? true,
    addTo(parts) {
      let isNew = false;
      for (const [path, { rendered }] of files) {
        const known = parts.get(path) ?? new Set();
        parts.set(path, known);
        const before = known.size;
        for (const start of rendered.starts) known.add(start);
        if (known.size > before) isNew = true;
      }
      return isNew;
    },
    traits: () => [
      ...(choices.length === 1 ? choices : pairsOf(choices)),
      ...[...files].flatMap(([path, { rendered }]) => rendered.starts.map((start) => `${path}\0${start}`)),
    ],
  };
}

function pairsOf(texts: readonly string[]): string[] {
  return texts.flatMap((one, index) => texts.slice(index + 1).map((other) => `${one}\0${other}`));
}

/**
 * Which text a hole has in a filling: in the first two all holes have their first and their second. In the
 * others they do not change together, so that two holes of one setting are not taken to be equal.
 *
 * @param order number of the hole among those of its setting
 * @param setting number of the setting
 */
function turn(filling: number, order: number, setting: number, count: number): number {
  if (filling < 2) return filling % count;
  if (count < 3) return ((order ^ setting) >> (filling - 2)) % count;
  return 2 + ((filling - 2 + order + setting) % (count - 2));
}

const hosts = new WeakMap<HostInput, TemplatedHost | null>();

const UNKNOWN: HoleUse = { name: null, place: 'part', field: -1, before: '', isLast: false };

/** Whether the lines that an edit changes are free of an engine's text. Whole lines may come before and behind any. */
function isFree(
  { template, markedLines }: { readonly template: SourceFile; readonly markedLines: ReadonlySet<number> },
  { start, end }: Span,
  text: string,
): boolean {
  const { line: first, column } = template.position(start);
  if (start === end && column === 1 && text.endsWith('\n')) return true;
  if (start === end && start === template.text.length && text.startsWith('\n')) return true;
  const { line: last } = template.position(Math.max(start, end - 1));
  for (let line = first; line <= last; line++) if (markedLines.has(line)) return false;
  return true;
}

function isAnything(place: HoleUse['place']): boolean {
  return place === 'lines' || place === 'name';
}

/** Dovecots that are known to have no template among their files. */
const plainDovecots = new WeakSet<object>();

function templateFiles(input: HostInput): TemplateFile[] {
  const dovecot = dovecotOf(input);
  if (dovecot !== null && plainDovecots.has(dovecot)) return templatesOf(input, postfixSources(input));
  const found = templatesOf(input, hostSources(input));
  if (dovecot !== null && found.every(({ server }) => server === 'postfix')) plainDovecots.add(dovecot);
  return found;
}

function templatesOf(input: HostInput, sources: readonly SourceFile[]): TemplateFile[] {
  return sources.flatMap((source): TemplateFile[] => {
    const server = serverOf(input, source.path);
    const kind: TemplateKind =
      server === 'dovecot' ? 'dovecot' : source === input.postfix?.main ? 'main.cf' : 'master.cf';
    const template = parseTemplate(source.text, nativeWords(kind, source.text, input));
    if (template === null) return [];
    const uses = new Map(template.holes.map((hole) => [hole, useOf(kind, source.text, hole)]));
    const unknownLines = new Set(
      [...uses].flatMap(([{ span }, { place }]) =>
        isAnything(place) ? [source.position(span.start).line] : [],
      ),
    );
    const markedLines = new Set(
      template.marks.flatMap(({ start, end }) => {
        const { line: first } = source.position(start);
        const { line: last } = source.position(end - 1);
        return Array.from({ length: last - first + 1 }, (_, index) => first + index);
      }),
    );
    return [{ source, server, template, uses, unknownLines, markedLines }];
  });
}

function openServers(files: readonly TemplateFile[]): Map<Server, Location> {
  const open = new Map<Server, Location>();
  for (const { source, server, template, uses } of files) {
    if (open.has(server)) continue;
    const hole = template.holes.find((one) => isAnything(uses.get(one)?.place ?? 'lines'));
    if (hole !== undefined) open.set(server, { source, span: hole.span });
    else if (!template.isSound) open.set(server, { source, span: { start: 0, end: 0 } });
  }
  return open;
}

/** Scheme prefixes of Dovecot's passwords, `{SHA512-CRYPT}` and its kin, as far as they look like words to be replaced. */
const SCHEME =
  /^(?:PLAIN\w*|CLEAR\w*|CRYPT|\w*MD5\w*|S?SHA\d*|NTLM|LANMAN|OTP|RPA|PBKDF2|ARGON2\w*|\w*CRYPT)$/;

/** What looks like a word that a script replaces, and is the server's own. */
function nativeWords(kind: TemplateKind, text: string, input: HostInput): (use: WordUse) => boolean {
  if (kind === 'dovecot')
    return ({ word, name, at }) =>
      word.startsWith('{')
        ? SCHEME.test(name)
        : word.startsWith('$') && /^(?:ENV|SET)$/.test(name) && text.charAt(at + word.length) === ':';
  const table = parameterTable(input.releases.postfix.version);
  const main = input.postfix?.main?.text ?? '';
  let own: Set<string> | null = null;
  let filled: Set<string> | null = null;
  return ({ word, name, at }) => {
    if (!word.startsWith('$')) return false;
    // main.cf may have names of its own in capitals.
    own ??= new Set([...main.matchAll(/^([A-Z][A-Z0-9_]*)[ \t]*=/gm)].map(([, one = '']) => one));
    if (own.has(name)) return true;
    // Commands get these from the environment.
    if (/(?:^|\n)\w*command\w*[ \t]*=[^\n]*$/.test(text.slice(Math.max(0, at - 300), at))) return true;
    if (table.knownAnywhere(name.toLowerCase()) === null) return false;
    // `$MYHOSTNAME` is a slip for `$myhostname`, unless that is what it gives a value to.
    filled ??= new Set(
      [...main.matchAll(/^(\w+)[ \t]*=[ \t]*\$\{?([A-Z][A-Z0-9_]*)/gm)].flatMap(([, to = '', from = '']) =>
        to.toUpperCase() === from ? [from] : [],
      ),
    );
    return !filled.has(name);
  };
}

/** The ways through the branches that are tried: what each subject is in each of them. */
function waysThrough(files: readonly TemplateFile[]): ReadonlyMap<string, string>[] {
  const subjects = new Map<string, Set<string>>();
  for (const { template } of files) {
    if (!template.isSound) continue;
    for (const [name, { values }] of template.subjects)
      for (const value of values) subjects.set(name, (subjects.get(name) ?? new Set()).add(value));
  }
  const names = [...subjects.keys()];
  const values = [...subjects.values()].map((set) => [...set]);
  const way = (choose: (subject: number, count: number) => number): ReadonlyMap<string, string> =>
    new Map(
      names.map((name, index) => {
        const own = values[index] ?? [];
        return [name, own[choose(index, own.length) % own.length] ?? ''];
      }),
    );
  let product = 1;
  for (const own of values) product = Math.min(product * own.length, MOST_WAYS + 1);
  if (product <= MOST_WAYS) {
    // The last has what the first has not: then there is hardly a line that others bring.
    const numbers = Array.from({ length: product }, (_, number) =>
      number === 1 ? product - 1 : number === product - 1 ? 1 : number,
    );
    return numbers.map((number) => {
      let rest = number;
      return way((_index, count) => {
        const digit = rest % count;
        rest = Math.floor(rest / count);
        return digit;
      });
    });
  }
  // Two subjects differ in a digit of their numbers: there one is true and the other is not.
  const digits = Math.ceil(Math.log2(names.length));
  const most = values.reduce((count, own) => Math.max(count, own.length), 0);
  return [
    way(() => 0),
    way(() => 1),
    ...Array.from({ length: digits }, (_, digit) => way((index) => (index >> digit) & 1)),
    ...Array.from({ length: digits }, (_, digit) => way((index) => 1 - ((index >> digit) & 1))),
    ...Array.from({ length: Math.max(0, most - 2) }, (_, number) => way(() => number + 2)),
    ...Array.from({ length: Math.max(0, most - 2) }, (_, number) => way((index) => number + 2 + index)),
  ];
}
