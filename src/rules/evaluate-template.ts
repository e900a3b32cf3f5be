import type { RenderedPlaces, Rendering, TemplatedHost, TemplateParts } from '../hosts/renderings.ts';
import type { Finding, Fix } from '../model/finding.ts';
import type { Edit } from '../text/edits.ts';
import type { Location } from '../text/source.ts';
import { originText } from './locate.ts';
import { waysOfRounds } from './ways.ts';

/** Which rules one rendering is judged by. */
export interface Asked {
  /** The rules whose findings still count; left out, all. */
  readonly only?: ReadonlySet<string>;
  /** The rules to which others yield where they find something; left out, all. */
  readonly heard?: ReadonlySet<string>;
}

/** Judges one rendering. */
export type Judge = (rendering: Rendering, asked: Asked) => readonly Finding[];

/** A finding of one rendering, at its place in the template. */
interface Version {
  readonly finding: Finding;
  readonly way: number;
  readonly places: RenderedPlaces;
}

/** What all renderings say of one place. */
interface Candidate {
  readonly rule: string;
  readonly at: Finding['at'];
  readonly versions: Version[];
  /** Where the holes are marked: these have the words of the template. */
  readonly marked: Version[];
}

/** What templates come to. Places are those of the templates. */
export interface TemplateFindings {
  /** What holds in each rendering in which its line stands. */
  readonly certain: readonly Finding[];
  /** With it, what holds in some; null where nobody asked for it. */
  readonly possible: readonly Finding[] | null;
}

/**
 * Judges a host by what its templates may come to. A finding is certain when each rendering that has its line
 * has the finding, however the holes are filled; where a hole may stand for any lines, not what rests on a
 * setting that is missing.
 *
 * @param declared the rules that know for themselves what a hole leaves open: of them, the holes are not filled
 * @param withPossible asks for what holds in some renderings, too, for which more has to be judged
 */
export function evaluateTemplate(
  host: TemplatedHost,
  declared: ReadonlySet<string>,
  judge: Judge,
  withPossible: boolean,
): TemplateFindings {
  const filled = new Panel();
  const ways: RenderedPlaces[] = [];
  const look = (way: number, filling: number): void => {
    const standing = filled.rules();
    if (filling > 0 && standing.size === 0) return;
    const rendering = host.filled(way, filling);
    const { places } = rendering;
    // What is found in other lines neither falls nor stands by it.
    const only = withPossible ? standing : filled.rules(places);
    if (filling > 0 && only.size === 0) return;
    if (filling === 0) ways.push(places);
    const isOpen = filling === 0 && (filled.isNew(places) || withPossible);
    const asked: Asked = isOpen ? {} : { only, heard: standing };
    const found = inTemplate(places, judge(rendering, asked));
    for (const [key, { rule }] of found) if (declared.has(rule)) found.delete(key);
    filled.see(places, found, way, filling === 0);
  };
  for (let way = 0; way < host.ways; way++) look(way, 0);
  // In each filling every line is there, and any two branches meet in every way: more than two hardly ever have to.
  const rounds = waysOfRounds(
    ways.map((places) => places.traits()),
    host.fillings - 1,
  );
  for (const [index, round] of rounds.entries()) for (const way of round) look(way, index + 1);
  const marked = new Panel();
  /** @param again findings of the declared rules are known of this way */
  const tell = (way: number, wanted: ReadonlySet<string>, again: boolean): void => {
    if (wanted.size === 0) return;
    const rendering = host.marked(way);
    const { places } = rendering;
    const own = new Map<string, Finding>();
    const standing = marked.isNew(places) || withPossible ? declared : marked.rules();
    const only = new Set([...wanted].filter((rule) => !declared.has(rule) || standing.has(rule)));
    for (const [key, finding] of inTemplate(places, judge(rendering, { only, heard: wanted }))) {
      if (declared.has(finding.rule)) own.set(key, finding);
      else filled.all.get(key)?.marked.push({ finding, way, places });
    }
    if (!again) marked.see(places, own, way, true);
  };
  const standing = [...filled.all].flatMap(([key, candidate]) => (filled.stands(key) ? [candidate] : []));
  const rulesOf = (candidates: readonly Candidate[]): ReadonlySet<string> =>
    new Set([...declared, ...candidates.map(({ rule }) => rule)]);
  for (let way = 0; way < host.ways; way++)
    tell(way, rulesOf(standing.filter(({ versions }) => smallest(versions)?.way === way)), false);
  // Where the fix of one way is not possible in all of them, that of another may be.
  for (let way = 0; way < host.ways; way++) {
    const open = standing.filter(
      ({ marked: told }) =>
        told.length > 0 &&
        told.every((one) => one.way !== way && one.finding.fix !== null) &&
        commonFix(told, ways) === null,
    );
    if (open.length > 0) tell(way, new Set(open.map(({ rule }) => rule)), true);
  }

  const certain: Finding[] = [];
  const possible: Finding[] = [];
  for (const [key, { versions, marked: told }] of filled.all) {
    const finding = inWords(host, versions, told, ways);
    if (finding !== null && filled.stands(key) && isProved(host, finding)) certain.push(finding);
    const [first] = versions;
    if (first !== undefined) possible.push(finding ?? first.finding);
  }
  for (const [key, { versions }] of marked.all) {
    const finding = inWords(host, [], versions, ways);
    if (finding === null) continue;
    if (marked.stands(key) && isProved(host, finding)) certain.push(finding);
    possible.push(finding);
  }
  return { certain, possible: withPossible ? possible : null };
}

/** Findings that all renderings share which have their lines. */
class Panel {
  readonly all = new Map<string, Candidate>();
  readonly #fallen = new Set<string>();
  readonly #seen: RenderedPlaces[] = [];
  readonly #parts: TemplateParts = new Map();

  /**
   * Whether a rendering that is to be seen next has lines that none before it had. Where it has not, nothing that
   * is found for the first time stands.
   */
  isNew(places: RenderedPlaces): boolean {
    return places.addTo(this.#parts);
  }

  stands(key: string): boolean {
    return !this.#fallen.has(key);
  }

  /** The rules whose findings still stand; those alone whose lines a rendering has, where one is given. */
  rules(places: RenderedPlaces | null = null): ReadonlySet<string> {
    return new Set(
      [...this.all].flatMap(([key, { rule, at }]) =>
        this.stands(key) && (places === null || isIn(places, at)) ? [rule] : [],
      ),
    );
  }

  /** @param isNew the rendering may have lines that none before it had */
  see(places: RenderedPlaces, found: ReadonlyMap<string, Finding>, way: number, isNew: boolean): void {
    for (const [key, { at }] of this.all) {
      if (this.stands(key) && !found.has(key) && isIn(places, at)) this.#fallen.add(key);
    }
    for (const [key, finding] of found) {
      const known = this.all.get(key);
      const candidate = known ?? { rule: finding.rule, at: finding.at, versions: [], marked: [] };
      candidate.versions.push({ finding, way, places });
      if (known !== undefined) continue;
      this.all.set(key, candidate);
      // What comes up late was not there before: it rests on something else, unless its line is new.
      if (!isNew || this.#seen.some((other) => isIn(other, finding.at))) this.#fallen.add(key);
    }
    this.#seen.push(places);
  }
}

/** Whether the first character of a place of the template is there in a rendering. */
function isIn(places: RenderedPlaces, { source, span }: Location): boolean {
  return places.has(source.path, span.start);
}

/** Findings by what they are about, at their places in the template. What a loop repeats is one. */
function inTemplate(places: RenderedPlaces, findings: readonly Finding[]): Map<string, Finding> {
  const found = new Map<string, Finding>();
  const numbers = new Map<string, number>();
  for (const finding of findings) {
    const at = places.back(finding.at);
    const identity = [finding.rule, finding.messageId, at.source.path, at.span.start, finding.setting].join(
      '\0',
    );
    const number = numbers.get(identity) ?? 0;
    const before = found.get(`${identity}\0${number - 1}`);
    if (before?.message === finding.message) continue;
    numbers.set(identity, number + 1);
    found.set(`${identity}\0${number}`, {
      ...finding,
      at,
      ...valueFrom(places, finding),
      related: finding.related.map((one) => ({ ...one, at: places.back(one.at) })),
    });
  }
  return found;
}

/** Where the value of a finding comes from, as a line of the template. */
function valueFrom(
  places: RenderedPlaces,
  { valueOrigin: origin }: Finding,
): Partial<Pick<Finding, 'valueFrom' | 'valueOrigin'>> {
  if (origin === undefined || origin.kind === 'default') return {};
  const valueOrigin = { ...origin, at: places.back(origin.at) };
  return { valueFrom: originText({ origin: valueOrigin }), valueOrigin };
}

/** The finding in words that are true of all renderings; null where its words rest on what is filled in. */
function inWords(
  host: TemplatedHost,
  filled: readonly Version[],
  marked: readonly Version[],
  ways: readonly RenderedPlaces[],
): Finding | null {
  const fewest = smallest(marked);
  if (fewest !== null) {
    const { finding } = fewest;
    if (quotesHole(host, finding)) return null;
    const fix = commonFix(marked, ways);
    return restored(host, { ...finding, fix, ...unfixable(finding.fix !== null && fix === null) });
  }
  const other = smallest(filled);
  if (other === null) return null;
  const { finding } = other;
  const alike = filled.every((one) => one.way !== other.way || one.finding.message === finding.message);
  return alike ? { ...finding, fix: null, ...unfixable(finding.fix !== null) } : null;
}

function unfixable(isSo: boolean): Pick<Finding, 'unfixable'> {
  return isSo
    ? { unfixable: 'a template fills or chooses what would have to be changed: mend it by hand' }
    : {};
}

/** Whether the sentence quotes, from its own place, what is not known: then it is about that. */
function quotesHole(host: TemplatedHost, { message, at }: Finding): boolean {
  const place = at.source.slice(at.span);
  return host.marksIn(message).some((words) => place.includes(words));
}

/** The version that is about the fewest endpoints: the others are about these too, and some that a branch adds. */
function smallest(versions: readonly Version[]): Version | null {
  let least: Version | null = null;
  for (const version of versions)
    if (least === null || version.finding.endpoints.length < least.finding.endpoints.length) least = version;
  return least;
}

/** False where lines that the template does not show may bear on it. */
function isProved(host: TemplatedHost, finding: Finding): boolean {
  if (host.isUnknown(finding.at)) return false;
  if (host.open.size === 0) return true;
  const server = finding.rule.slice(0, finding.rule.indexOf('/'));
  const isOpen = [...host.open.keys()].some((one) => server === one || server === 'cross');
  if (!isOpen) return true;
  return !finding.ofDefault && finding.setting !== null && !addsLines(finding.fix);
}

/** Whether a fix writes what is missing. */
function addsLines(fix: Fix | null): boolean {
  return fix?.edits.some(({ span, text }) => span.start === span.end && text.includes('\n')) ?? false;
}

/** The edits that mend it whichever way is taken; null where there are none, or a template is in their way. */
function commonFix(versions: readonly Version[], ways: readonly RenderedPlaces[]): Fix | null {
  const plans = versions.map(({ finding: { fix }, places }): Fix | null => {
    if (fix === null) return null;
    const edits = fix.edits.map((edit) => places.backEdit(edit));
    return edits.every((edit) => edit !== null) ? { ...fix, edits } : null;
  });
  const [{ finding }] = versions as [Version];
  const having = ways.filter((places) => isIn(places, finding.at));
  const isEverywhere = ({ edits }: Fix): boolean =>
    having.every((places) => edits.every((edit) => stands(places, edit)));
  return plans.find((plan) => plan !== null && isEverywhere(plan)) ?? null;
}

/** Whether the place of an edit is there in a rendering; an insertion is where the text before it is. */
function stands(places: RenderedPlaces, { path, span }: Edit): boolean {
  return places.has(path, span.start === span.end ? Math.max(0, span.start - 1) : span.start);
}

/** A finding with the words of the template. */
function restored(host: TemplatedHost, finding: Finding): Finding {
  const text = (words: string): string => host.restored(words);
  const orNull = (words: string | null): string | null => (words === null ? null : host.restored(words));
  return {
    ...finding,
    message: text(finding.message),
    advice: text(finding.advice),
    actual: orNull(finding.actual),
    expected: orNull(finding.expected),
    endpoints: finding.endpoints.map(text),
    related: finding.related.map((one) => ({ ...one, message: text(one.message) })),
    fix: finding.fix === null ? null : { ...finding.fix, title: text(finding.fix.title) },
  };
}
