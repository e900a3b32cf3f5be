import { dirname, relative } from 'node:path';
import { type Host, hostSources, serverOf } from '../hosts/host.ts';
import type { Server } from '../model/endpoint.ts';
import type { Finding, Judgement } from '../model/finding.ts';
import { Baseline, type BaselineEntry, type BaselineMeeting, type KnownFindings } from '../rules/baseline.ts';
import type { RuleSet } from '../rules/rule-set.ts';

/** A baseline as plain data, for whoever judges hosts. */
export interface GivenBaseline extends KnownFindings {
  /** What it does not know is taken up and does not count. */
  readonly update: boolean;
}

/** What a run met of a baseline in one host, and what it has looked at there. Paths are relative to the baseline. */
export interface SeenHost extends BaselineMeeting {
  readonly folders: Readonly<Record<Server, string | null>>;
  readonly files: readonly string[];
}

/** Applies a baseline to hosts. */
export class HostBaseline {
  readonly #given: GivenBaseline;
  readonly #baseline: Baseline;

  constructor(given: GivenBaseline) {
    this.#given = given;
    this.#baseline = new Baseline(given);
  }

  /** Parts what is known of the findings of a host from what counts. */
  apply(
    { input }: Host,
    ruleSet: RuleSet,
    judged: Judgement,
  ): { readonly judged: Judgement; readonly seen: SeenHost } {
    const folderOf = (server: Server): string | null => {
      const side = input[server];
      return side === null ? null : this.#relative(side.directory);
    };
    const folders = { postfix: folderOf('postfix'), dovecot: folderOf('dovecot') };
    // What is said of comments is not taken up: nothing silences it.
    const entryOf = ({ rule, at, fingerprint, message }: Finding): BaselineEntry | null => {
      const of = ruleSet.find(rule)?.applies.server;
      if (of === undefined || of === 'any') return null;
      const server: Server = of === 'both' ? serverOf(input, at.source.path) : of;
      const host = folders[server] ?? this.#relative(input.root);
      return { host, file: this.#relative(at.source.path), rule, fingerprint, message };
    };
    const applied = this.#baseline.apply(judged, entryOf, this.#given.update ? 'added' : 'counts');
    const files = hostSources(input).map(({ path }) => this.#relative(path));
    return { judged: applied.judged, seen: { ...applied.meeting, folders, files } };
  }

  #relative(path: string): string {
    const found = relative(dirname(this.#given.path), path);
    return found === '' ? '.' : found;
  }
}
