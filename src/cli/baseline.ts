import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import schema from '../../schemas/baseline.schema.json' with { type: 'json' };
import { finishInterrupted, writeFiles, writeNew } from '../fix/write.ts';
import { InputError, readSource } from '../hosts/files.ts';
import { type Host, hostSources, serverOf } from '../hosts/host.ts';
import { readJsonFile } from '../hosts/json-file.ts';
import type { Server } from '../model/endpoint.ts';
import type { Finding, Judgement } from '../model/finding.ts';
import { count, shownText } from '../reports/words.ts';
import {
  BASELINE_VERSION,
  Baseline,
  type BaselineChanges,
  type BaselineEntry,
  baselineText,
} from '../rules/baseline.ts';
import { type Profile, severityOf } from '../rules/profile.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { SourceFile } from '../text/source.ts';

interface BaselineFile {
  readonly version: number;
  readonly findings: readonly BaselineEntry[];
}

/** The baseline of a run of `lint`: tells what is known, and is written anew where that is asked for. */
export class BaselineRun {
  readonly #path: string;
  readonly #update: boolean;
  readonly #baseline: Baseline;
  readonly #before: SourceFile | null;
  readonly #only: ReadonlySet<string> | undefined;
  /** Rules that were judged, by the folder of the server; an entry of another rule or host may still be true. */
  readonly #judged = new Map<string, Set<string>>();
  readonly #read = new Set<string>();

  private constructor(
    path: string,
    update: boolean,
    baseline: Baseline,
    before: SourceFile | null,
    only: ReadonlySet<string> | undefined,
  ) {
    this.#path = path;
    this.#update = update;
    this.#baseline = baseline;
    this.#before = before;
    this.#only = only;
  }

  /**
   * Reads the file; one that is not there is empty where it is going to be written.
   *
   * @param only the rules that the run judges; undefined for all
   * @throws InputError for a file that is missing, broken or of another version
   */
  static async of(
    path: string,
    update: boolean,
    only: ReadonlySet<string> | undefined,
  ): Promise<BaselineRun> {
    if (update) finishInterrupted([path]);
    if (!existsSync(path)) {
      if (!update) throw new InputError(`${path}: there is no such baseline; --update-baseline makes it`);
      return new BaselineRun(path, update, new Baseline(path, [], () => 0), null, only);
    }
    const file = await readJsonFile<BaselineFile>(path, schema);
    const { version, findings } = file.value;
    if (version !== BASELINE_VERSION)
      throw file.error(
        '/version',
        `a baseline of version ${version}; this pfharden knows version ${BASELINE_VERSION}`,
      );
    const lineOf = (index: number): number => file.line(`/findings/${index}`);
    return new BaselineRun(path, update, new Baseline(path, findings, lineOf), readSource(path), only);
  }

  /** Parts what is known of the findings of a host from what counts. */
  apply(host: Host, ruleSet: RuleSet, profile: Profile, judged: Judgement): Judgement {
    this.#see(host, ruleSet, profile);
    return this.#baseline.apply(
      judged,
      (finding) => this.#entryOf(host, ruleSet, finding),
      this.#update ? 'added' : 'counts',
    );
  }

  /** Remembers what was looked at. */
  #see({ input }: Host, ruleSet: RuleSet, profile: Profile): void {
    for (const { path } of hostSources(input)) this.#read.add(this.#relative(path));
    const { postfix, dovecot } = input;
    for (const rule of ruleSet.rules) {
      const { server } = rule.applies;
      if (this.#only?.has(rule.id) === false) continue;
      if (server === 'both' && (postfix === null || dovecot === null)) continue;
      const levels = Object.keys(rule.messages).map((message) => severityOf(profile, rule, message));
      if (levels.every((level) => level === 'off')) continue;
      const of = {
        postfix: server === 'dovecot' ? null : postfix,
        dovecot: server === 'postfix' ? null : dovecot,
      };
      for (const side of [of.postfix, of.dovecot]) {
        if (side === null) continue;
        const folder = this.#relative(side.directory);
        const rules = this.#judged.get(folder) ?? new Set<string>();
        this.#judged.set(folder, rules.add(rule.id));
      }
    }
  }

  /** What is said of comments is not taken up: nothing silences it. */
  #entryOf(
    { input }: Host,
    ruleSet: RuleSet,
    { rule, at, fingerprint, message }: Finding,
  ): BaselineEntry | null {
    const of = ruleSet.find(rule)?.applies.server;
    if (of === undefined || of === 'any') return null;
    const server: Server = of === 'both' ? serverOf(input, at.source.path) : of;
    const folder = input[server]?.directory ?? input.root;
    return {
      host: this.#relative(folder),
      file: this.#relative(at.source.path),
      rule,
      fingerprint,
      message,
    };
  }

  #relative(path: string): string {
    const found = relative(dirname(this.#path), path);
    return found === '' ? '.' : found;
  }

  /** Whether the run would have met an entry's finding: its host was judged, by its rule, with its file. */
  #isJudged({ host, rule, file }: BaselineEntry): boolean {
    if (this.#judged.get(host)?.has(rule) !== true) return false;
    if (this.#read.has(file)) return true;
    const isMain =
      dirname(file) === host && ['main.cf', 'master.cf', 'dovecot.conf'].includes(basename(file));
    return !isMain || !existsSync(join(dirname(this.#path), file));
  }

  /** What the run says of the baseline: what has become of its entries, and what was written. */
  finish(failed: boolean): string {
    const changes = this.#baseline.changes((entry) => this.#isJudged(entry));
    const name = shownText(this.#path);
    if (!this.#update) {
      const { length } = changes.removed;
      if (length === 0) return '';
      const entries = `${count(length, 'entry', 'entries')} of ${name} ${length === 1 ? 'is' : 'are'} mended`;
      return `${entries}: --update-baseline takes ${length === 1 ? 'it' : 'them'} out.\n`;
    }
    if (failed) return `${name} was not written, because not all could be read.\n`;
    this.#write(changes);
    const lines = [
      ...changes.removed.map((entry) => entryLine('-', entry)),
      ...changes.added.map((entry) => entryLine('+', entry)),
    ];
    const { added, removed, kept } = changes;
    return `${lines.join('')}${name}: ${added.length} added, ${removed.length} removed, ${kept.length} kept.\n`;
  }

  #write({ added, kept }: BaselineChanges): void {
    const text = baselineText([...kept, ...added]);
    const after = new SourceFile(this.#path, text);
    if (this.#before === null) writeNew(after);
    else if (this.#before.text !== text) writeFiles([{ before: this.#before, after }], { backup: false });
  }
}

function entryLine(sign: string, { file, rule, message }: BaselineEntry): string {
  return `${sign} ${shownText(file)}: ${shownText(message)} [${rule}]\n`;
}
