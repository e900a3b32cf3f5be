import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import schema from '../../schemas/baseline.schema.json' with { type: 'json' };
import { finishInterrupted, writeFiles, writeNew } from '../fix/write.ts';
import { InputError, readSource } from '../hosts/files.ts';
import { readJsonFile } from '../hosts/json-file.ts';
import type { Server } from '../model/endpoint.ts';
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
import type { GivenBaseline, SeenHost } from './baseline-host.ts';

interface BaselineFile {
  readonly version: number;
  readonly findings: readonly BaselineEntry[];
}

/** The baseline of a run of `lint`: tells what is known, and is written anew where that is asked for. */
export class BaselineRun {
  /** What hosts are judged with. */
  readonly given: GivenBaseline;
  readonly #before: SourceFile | null;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #met: number[] = [];
  readonly #added: BaselineEntry[] = [];
  /** What was judged in each folder of a server; an entry of another rule or host may still be true. */
  readonly #judged = new Map<string, JudgedFolder[]>();
  readonly #read = new Set<string>();

  private constructor(
    given: GivenBaseline,
    before: SourceFile | null,
    only: ReadonlySet<string> | undefined,
  ) {
    this.given = given;
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
      return new BaselineRun({ path, update, entries: [], lines: [] }, null, only);
    }
    const file = await readJsonFile<BaselineFile>(path, schema);
    const { version, findings: entries } = file.value;
    if (version !== BASELINE_VERSION)
      throw file.error(
        '/version',
        `a baseline of version ${version}; this pfharden knows version ${BASELINE_VERSION}`,
      );
    const lines = entries.map((_, index) => file.line(`/findings/${index}`));
    return new BaselineRun({ path, update, entries, lines }, readSource(path), only);
  }

  /** Remembers what was met in a host, and which rules were looked at there. */
  take({ met, added, folders, files }: SeenHost, ruleSet: RuleSet, profile: Profile): void {
    for (const index of met) this.#met.push(index);
    for (const entry of added) this.#added.push(entry);
    for (const file of files) this.#read.add(file);
    const whole = folders.postfix !== null && folders.dovecot !== null;
    for (const server of ['postfix', 'dovecot'] as const) {
      const folder = folders[server];
      if (folder === null) continue;
      const judged = { server, whole, ruleSet, profile };
      const before = this.#judged.get(folder);
      if (before === undefined) this.#judged.set(folder, [judged]);
      else before.push(judged);
    }
  }

  /** Whether the run would have met an entry's finding: its host was judged, by its rule, with its file. */
  #isJudged({ host, rule, file }: BaselineEntry): boolean {
    if (this.#only?.has(rule) === false) return false;
    if (this.#judged.get(host)?.some((folder) => isJudgedIn(folder, rule)) !== true) return false;
    if (this.#read.has(file)) return true;
    const isMain =
      dirname(file) === host && ['main.cf', 'master.cf', 'dovecot.conf'].includes(basename(file));
    return !isMain || !existsSync(join(dirname(this.given.path), file));
  }

  /** What the run says of the baseline: what has become of its entries, and what was written. */
  finish(failed: boolean): string {
    const { path, update } = this.given;
    const meeting = { met: this.#met, added: this.#added };
    const changes = new Baseline(this.given).changes(meeting, (entry) => this.#isJudged(entry));
    const name = shownText(path);
    if (!update) {
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
    const after = new SourceFile(this.given.path, text);
    if (this.#before === null) writeNew(after);
    else if (this.#before.text !== text) writeFiles([{ before: this.#before, after }], { backup: false });
  }
}

/** What was judged of a server. */
interface JudgedFolder {
  readonly server: Server;
  /** The host has both servers. */
  readonly whole: boolean;
  readonly ruleSet: RuleSet;
  readonly profile: Profile;
}

function isJudgedIn({ server, whole, ruleSet, profile }: JudgedFolder, id: string): boolean {
  const rule = ruleSet.find(id);
  if (rule === undefined) return false;
  const of = rule.applies.server;
  if (of === 'both' ? !whole : of !== 'any' && of !== server) return false;
  return Object.keys(rule.messages).some((message) => severityOf(profile, rule, message) !== 'off');
}

function entryLine(sign: string, { file, rule, message }: BaselineEntry): string {
  return `${sign} ${shownText(file)}: ${shownText(message)} [${rule}]\n`;
}
