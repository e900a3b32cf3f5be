import { type Host, type HostInput, hostSources, serverOf, withTexts } from '../hosts/host.ts';
import type { Server } from '../model/endpoint.ts';
import type { Finding, Fix, SuppressedFinding } from '../model/finding.ts';
import { judgement } from '../rules/evaluate.ts';
import { KnownServers } from '../rules/known-servers.ts';
import type { Profile } from '../rules/profile.ts';
import { redactor } from '../rules/redact.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { applyEdits, CompatibleEdits, type Edit } from '../text/edits.ts';
import { SourceFile } from '../text/source.ts';
import { keepComments } from './comments.ts';

/** Which fixes to make. */
export interface FixOptions {
  /** Rule ids whose findings are mended; all when left out. */
  readonly only?: ReadonlySet<string>;
  /** Also fixes that may change what users or partners rely on. */
  readonly unsafe?: boolean;
  /** A comment that silences a rule has to give a reason. */
  readonly reasonRequired?: boolean;
  /** The servers that were judged before by the same rules and profile. */
  readonly known?: KnownServers;
}

/** The same, and where what was judged is kept. */
type JudgeOptions = FixOptions & { readonly known: KnownServers };

/** One file before and after. */
export interface FixedFile {
  /** Whose file it is: it tells where its secrets stand. */
  readonly server: Server;
  readonly before: SourceFile;
  readonly after: SourceFile;
}

/** A finding that stays, and why. */
export interface LeftFinding {
  readonly finding: Finding;
  readonly reason: string;
}

/** What fixing a host comes to. */
export interface FixResult {
  /** Files that change, in the order of `hostSources`. */
  readonly files: readonly FixedFile[];
  /** Findings that were mended, in the order in which their fixes were made. */
  readonly mended: readonly Finding[];
  readonly left: readonly LeftFinding[];
  /** What comments silence in the host as it would be: it is not mended. */
  readonly suppressed: readonly SuppressedFinding[];
  /** The host as it was and as it would be. */
  readonly before: Host;
  readonly after: Host;
  readonly findingsBefore: readonly Finding[];
  readonly findingsAfter: readonly Finding[];
}

/** Bounds the loops; a fix that needs more rounds than this does not converge. */
const MOST_PASSES = 12;
const MOST_TRIES = 3;

/** A host and what is found in it. */
export interface JudgedHost {
  readonly host: Host;
  readonly findings: readonly Finding[];
  /** Of a template, also what is found in only some of what its engine may make of it. */
  readonly possible: readonly Finding[];
  /** What comments silence. */
  readonly suppressed: readonly SuppressedFinding[];
}

/**
 * Mends a host: makes the fixes that can be made together, reads and judges the result anew, and so
 * on until nothing changes. No fix stays that brings a finding which was not there before and which
 * no further fix mends: then every fix is tried on its own and the one to blame is left out.
 */
export function proposeFixes(
  input: HostInput,
  ruleSet: RuleSet,
  profile: Profile,
  given: FixOptions = {},
): FixResult {
  // A fix changes the texts of one server, and the next one those of the same or of the other.
  const options = { ...given, known: given.known ?? new KnownServers() };
  const start = judged(input, ruleSet, profile, options);
  const engine = new FixEngine(ruleSet, profile, options);
  let outcome = engine.together(start);
  if (engine.worse(start, outcome.state).length > 0) outcome = engine.oneByOne(start);
  const { state, mended, refused } = outcome;
  // What a fix has moved may not be known for a secret any more.
  const redact = redactor(start.host);
  const files = hostSources(start.host.input).flatMap((before): FixedFile[] => {
    const after = hostSources(state.host.input).find(({ path }) => path === before.path);
    return after === undefined || after.text === before.text
      ? []
      : [{ server: serverOf(input, before.path), before, after }];
  });
  return {
    files,
    mended,
    left: state.findings.map((finding) => ({
      finding,
      reason: redact(engine.reasonLeft(state.host, finding, refused)),
    })),
    suppressed: state.suppressed,
    before: start.host,
    after: state.host,
    findingsBefore: start.findings,
    findingsAfter: state.findings,
  };
}

function judged(
  input: HostInput,
  ruleSet: RuleSet,
  profile: Profile,
  { reasonRequired = false, known }: JudgeOptions,
): JudgedHost {
  const host = known.hostOf(input);
  return { host, ...judgement(host, ruleSet, profile, { reasonRequired, possible: true, known }) };
}

/**
 * Findings of `after` that nothing in `before` stands for: neither the same one, nor its like at the same
 * setting, for each of its endpoints. Where it is shown does not count: a default is shown at another line
 * when a fix writes one.
 */
export function newFindings(before: readonly Finding[], after: readonly Finding[]): readonly Finding[] {
  const known = new Set(before.flatMap((finding) => [finding.fingerprint, ...likenesses(finding)]));
  return after.filter(
    (finding) =>
      !known.has(finding.fingerprint) && !likenesses(finding).every((likeness) => known.has(likeness)),
  );
}

/**
 * New findings that a fix is to blame for. What Dovecot refuses, it does not use: where it refuses less
 * than before, the findings of its files were there all the time, and only come to light. Nor is a fix
 * that takes an error away to blame for a hint that comes instead: a port that has TLS at last can be told
 * that it begins without.
 */
export function causedFindings(
  before: Omit<JudgedHost, 'suppressed'>,
  after: Omit<JudgedHost, 'suppressed'>,
): readonly Finding[] {
  const fewer = errors(after.findings) < errors(before.findings);
  const found = newFindings(before.possible, after.possible).filter(
    ({ severity }) => !(fewer && severity === 'info'),
  );
  if (found.length === 0 || refusals(after.host) >= refusals(before.host)) return found;
  return found.filter(({ at }) => serverOf(after.host.input, at.source.path) !== 'dovecot');
}

function errors(findings: readonly Finding[]): number {
  return findings.filter(({ severity }) => severity === 'error').length;
}

function refusals({ dovecot }: Host): number {
  return dovecot?.configuration.faults.length ?? 0;
}

function likenesses({ rule, setting, at, endpoints }: Finding): string[] {
  const places = endpoints.length === 0 ? [at.source.path] : endpoints;
  return places.map((place) => [rule, setting ?? '', place].join('\0'));
}

interface Outcome {
  readonly state: JudgedHost;
  readonly mended: readonly Finding[];
  /** By fingerprint: why a fix was not made. */
  readonly refused: ReadonlyMap<string, string>;
}

class FixEngine {
  readonly #ruleSet: RuleSet;
  readonly #profile: Profile;
  readonly #options: JudgeOptions;

  constructor(ruleSet: RuleSet, profile: Profile, options: JudgeOptions) {
    this.#ruleSet = ruleSet;
    this.#profile = profile;
    this.#options = options;
  }

  /**
   * All fixes that do not touch each other at once, pass after pass.
   *
   * @param after only what came up since these findings is mended: a fix is blamed for what follows
   *   from it, not for what another fix would do
   */
  together(start: JudgedHost, after: readonly Finding[] = []): Outcome {
    let state = start;
    const mended: Finding[] = [];
    const refused = new Map<string, string>();
    const tries = new Map<string, number>();
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      const chosen = this.#compatible(
        commentsLast(
          this.#candidates(state, refused, tries).filter(
            ({ finding }) => newFindings(after, [finding]).length > 0,
          ),
        ),
      );
      if (chosen.length === 0) break;
      for (const { finding } of chosen)
        tries.set(finding.fingerprint, (tries.get(finding.fingerprint) ?? 0) + 1);
      state = this.#apply(
        state,
        chosen.flatMap(({ fix }) => fix.edits),
      );
      for (const { finding } of chosen) mended.push(finding);
    }
    return { state, mended: stillMended(mended, state), refused };
  }

  /** One fix after the other; each that brings a lasting new finding is taken back. */
  oneByOne(start: JudgedHost): Outcome {
    let state = start;
    const mended: Finding[] = [];
    const refused = new Map<string, string>();
    const tries = new Map<string, number>();
    for (let step = 0; step < MOST_PASSES * 40; step++) {
      const [next] = commentsLast(this.#candidates(state, refused, tries));
      if (next === undefined) break;
      const { finding, fix } = next;
      tries.set(finding.fingerprint, (tries.get(finding.fingerprint) ?? 0) + 1);
      const tried = this.#apply(state, fix.edits);
      // What an earlier fix brought to light waits for its own: this one is not to blame for it.
      const [worse] = this.worse(state, this.together(tried, state.findings).state);
      if (worse === undefined) {
        state = tried;
        mended.push(finding);
      } else {
        const { line } = worse.at.source.position(worse.at.span.start);
        refused.set(
          finding.fingerprint,
          `its fix would cause ${worse.rule} at ${worse.at.source.path}:${line}: ${worse.message}`,
        );
      }
    }
    return { state, mended: stillMended(mended, state), refused };
  }

  /**
   * Findings that a state has, that were not there at the start, and that no fix mends. Those of rules
   * that were not asked for count as mended where their own fix would: TLS that is switched on brings
   * to light which protocols it has.
   */
  worse(start: JudgedHost, state: JudgedHost): readonly Finding[] {
    const found = causedFindings(start, state);
    if (found.length === 0 || this.#options.only === undefined) return found;
    const { only: _, ...all } = this.#options;
    const engine = new FixEngine(this.#ruleSet, this.#profile, all);
    return causedFindings(start, engine.together(state, start.findings).state);
  }

  /** Why a finding is not mended, in words. */
  reasonLeft(host: Host, finding: Finding, refused: ReadonlyMap<string, string>): string {
    const { fix } = finding;
    const reason = refused.get(finding.fingerprint);
    if (reason !== undefined) return reason;
    if (fix === null || fix.edits.length === 0)
      return finding.unfixable ?? `no automatic fix: ${finding.advice}`;
    if (this.#options.only !== undefined && !this.#options.only.has(finding.rule))
      return 'not asked for by --only';
    if (!fix.safe && this.#options.unsafe !== true) return `needs --unsafe: ${fix.title}`;
    if (keepComments(host, fix.edits) === null)
      return 'a comment that silences a rule stands within the value: mend it by hand';
    return 'its fix was made and did not mend it';
  }

  #candidates(
    state: JudgedHost,
    refused: ReadonlyMap<string, string>,
    tries: ReadonlyMap<string, number>,
  ): Candidate[] {
    return state.findings.flatMap((finding): Candidate[] => {
      const { fix } = finding;
      if (fix === null || fix.edits.length === 0) return [];
      if (!fix.safe && this.#options.unsafe !== true) return [];
      if (this.#options.only !== undefined && !this.#options.only.has(finding.rule)) return [];
      if (refused.has(finding.fingerprint) || (tries.get(finding.fingerprint) ?? 0) >= MOST_TRIES) return [];
      const edits = keepComments(state.host, fix.edits);
      return edits === null ? [] : [{ finding, fix: { ...fix, edits } }];
    });
  }

  /** Of fixes that write one setting or touch one place, the first; the others wait for the next pass. */
  #compatible(candidates: readonly Candidate[]): Candidate[] {
    const chosen: Candidate[] = [];
    const written = new Set<string>();
    const edits = new CompatibleEdits();
    for (const candidate of candidates) {
      const { fix } = candidate;
      if (fix.writes.some((name) => written.has(name))) continue;
      if (!edits.add(fix.edits)) continue;
      chosen.push(candidate);
      for (const name of fix.writes) written.add(name);
    }
    return chosen;
  }

  #apply(state: JudgedHost, edits: readonly Edit[]): JudgedHost {
    const changed = new Map<string, SourceFile>();
    for (const source of hostSources(state.host.input)) {
      const text = applyEdits(source.path, source.text, edits);
      if (text !== source.text) changed.set(source.path, new SourceFile(source.path, text, source.encoding));
    }
    return judged(withTexts(state.host.input, changed), this.#ruleSet, this.#profile, this.#options);
  }
}

interface Candidate {
  readonly finding: Finding;
  readonly fix: Fix;
}

/**
 * Comments that have become needless go when nothing else is left to mend: a fix may bring to light what
 * they are for.
 */
function commentsLast(candidates: readonly Candidate[]): readonly Candidate[] {
  const others = candidates.filter(({ finding }) => finding.rule !== 'silencing/unused');
  return others.length > 0 ? others : candidates;
}

/** Findings whose fix was made and that are gone, each once. */
function stillMended(mended: readonly Finding[], state: JudgedHost): Finding[] {
  const present = new Set(
    [...state.findings, ...state.suppressed.map(({ finding }) => finding)].map(
      ({ fingerprint }) => fingerprint,
    ),
  );
  const seen = new Set<string>();
  return mended.filter(
    ({ fingerprint }) => !present.has(fingerprint) && !seen.has(fingerprint) && seen.add(fingerprint),
  );
}
