import { InputError } from '../hosts/files.ts';
import { type HostInput } from '../hosts/host.ts';
import { type HostSource, type ReadOptions, readHost } from '../hosts/read.ts';
import { KnownServers } from '../rules/known-servers.ts';
import type { Profile } from '../rules/profile.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { type FixOrders, type FixOutcome, hostFixer } from './fix-host.ts';
import { digestOf, KnownOutcomes } from './known-outcomes.ts';
import { hostLinter, hostPasser, type LintOrders, type LintOutcome } from './lint-host.ts';
import { hostShower, type ShowOrders, type ShowOutcome } from './show-host.ts';

/** What the commands that work on hosts ask of each, and what one comes to. */
export interface HostWork {
  readonly lint: { readonly orders: LintOrders; readonly outcome: LintOutcome };
  readonly fix: { readonly orders: FixOrders; readonly outcome: FixOutcome };
  readonly show: { readonly orders: ShowOrders; readonly outcome: ShowOutcome };
}

/** A command that works on hosts, each for itself. */
export type HostCommand = keyof HostWork;

/** What a run asks of every host, as plain data, so that a thread can be told. */
export interface RunOrders<C extends HostCommand> {
  readonly command: C;
  readonly orders: HostWork[C]['orders'];
  readonly read: ReadOptions;
  readonly profiles: readonly Profile[];
  /** The folders of own rules, for each set of rules of the run. */
  readonly rules: readonly (readonly string[])[];
  /** There are so many hosts that some will be alike. */
  readonly many: boolean;
}

/** One host to work on, as plain data. */
export interface HostTask {
  readonly source: HostSource;
  /** The numbers of its set of rules and of its profile among those of the run. */
  readonly rules: number;
  readonly profile: number;
  /** A comment that silences a rule has to give a reason. */
  readonly reasonRequired: boolean;
  /** Paths of the files that say how it is judged. */
  readonly settings: readonly string[];
}

/** What work on one host comes to, as plain data, or why it cannot be read. */
export type Result<C extends HostCommand> =
  | { readonly outcome: HostWork[C]['outcome'] }
  | { readonly problem: string };

/** What a host is judged by. */
export interface JudgedBy {
  readonly ruleSet: RuleSet;
  readonly profile: Profile;
  readonly reasonRequired: boolean;
  /** Paths of the files that say so. */
  readonly settings: readonly string[];
  /** The servers of the run that were judged before by these rules and this profile; left out, nothing is kept. */
  readonly known?: KnownServers;
}

/**
 * Pure functions from the texts of a host to what a command makes of it. Each is named in a function of its own:
 * what is named here would be loaded with the program (esbuild.mjs).
 */
const WORKERS: {
  readonly [C in HostCommand]: (
    orders: HostWork[C]['orders'],
  ) => (input: HostInput, by: JudgedBy) => HostWork[C]['outcome'];
} = {
  lint: (orders) => hostLinter(orders),
  fix: (orders) => hostFixer(orders),
  show: (orders) => hostShower(orders),
};

/** What tells, before a host is read, what a command makes of it; null where that has to be seen. */
const PASSERS: {
  readonly [C in HostCommand]: (
    orders: HostWork[C]['orders'],
  ) => (source: HostSource, settings: readonly string[]) => HostWork[C]['outcome'] | null;
} = { lint: hostPasser, fix: () => () => null, show: () => () => null };

/** Whether what a command makes of a host is the same for another that differs from it in its names alone, but for the names. */
const ALIKE: { readonly [C in HostCommand]: (orders: HostWork[C]['orders']) => boolean } = {
  // A baseline and a history know files by their paths.
  lint: ({ baseline, changes }) => baseline === null && changes === null,
  fix: () => true,
  show: () => true,
};

/** In how many states each server of a host is judged: a fix judges what it was, what a first pass makes of it, and mostly a second. */
const STATES: { readonly [C in HostCommand]: number } = { lint: 1, fix: 3, show: 1 };

/**
 * Makes what works on the hosts of a run, one after the other and each for itself.
 *
 * @param ruleSets what was loaded from the folders of the orders
 */
export function hostWorker<C extends HostCommand>(
  { command, orders, read, profiles, rules: folders, many }: RunOrders<C>,
  ruleSets: readonly RuleSet[],
): (task: HostTask) => Promise<Result<C>> {
  const work = WORKERS[command](orders);
  const passOver = PASSERS[command](orders);
  const alike = many && ALIKE[command](orders);
  // What a rule of the user's own looks for in a name is not known here.
  const known = folders.map((own) => new KnownOutcomes<HostWork[C]['outcome']>(own.length === 0));
  const servers = new Map<string, KnownServers>();
  return async ({ source, rules, profile: number, reasonRequired, settings }) => {
    const ruleSet = ruleSets[rules];
    const profile = profiles[number];
    if (ruleSet === undefined || profile === undefined) throw new Error('a host without rules or profile');
    const passed = passOver(source, settings);
    if (passed !== null) return { outcome: passed };
    let input: HostInput;
    try {
      input = await readHost(source, read);
    } catch (error) {
      if (error instanceof InputError) return { problem: error.message };
      throw error;
    }
    const by = { ruleSet, profile, reasonRequired, settings };
    const outcomes = alike ? known[rules] : undefined;
    if (outcomes === undefined) return { outcome: work(input, by) };
    const judges = `${rules} ${number}`;
    const before = servers.get(judges) ?? new KnownServers(digestOf, undefined, STATES[command]);
    servers.set(judges, before);
    return {
      outcome: outcomes.of(input, `${judges} ${reasonRequired}`, (standing) =>
        work(standing, { ...by, known: before }),
      ),
    };
  };
}
