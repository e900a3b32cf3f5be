import { readFileSync } from 'node:fs';
import { proposeFixes } from '../fix/fix.ts';
import { PatchError, patchedHosts } from '../fix/patch.ts';
import { InputError, reasonOf } from '../hosts/files.ts';
import { buildHost, type Host } from '../hosts/host.ts';
import type { Anonymizer } from '../logs/anonymize.ts';
import { impactOf } from '../logs/impact/impact.ts';
import { type Places, placesOf } from '../logs/impact/places.ts';
import { usualPlaces } from '../logs/impact/usual-places.ts';
import type { WholeCounts } from '../logs/tally.ts';
import { impactJson, impactText } from '../reports/logs/impact.ts';
import { UsageError } from './errors.ts';
import { RequestedHosts } from './hosts.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { configsOf, RunRules } from './own-rules.ts';
import { RunProfiles } from './profile-option.ts';
import { outputPalette, standardInput } from './terminal.ts';

/** What a change is called, what it is judged by, and the endpoints before and after it. */
export interface Change {
  readonly name: string;
  readonly basis: string;
  readonly places: (counts: WholeCounts) => Places;
  /** Something could not be read. */
  readonly failed: boolean;
}

/** What `--config`, `--profile` and `--diff` ask about. */
export async function changeOf(request: Request): Promise<Change> {
  const config = textOf(request.given, 'config');
  return config === undefined ? ofProfile(request) : ofFiles(request, config);
}

/** What becomes of those whom logs tell of. @param hide makes pseudonyms; null where none are asked for */
export function impactReport(
  { name, basis, places }: Change,
  counts: WholeCounts,
  hide: Anonymizer | null,
  { given }: Request,
): string {
  const impact = impactOf(counts, places(counts));
  const told = hide === null ? impact : hide.impact(impact);
  const frame = { change: name, basis, names: isOn(given, 'peers') };
  return textOf(given, 'format') === 'json'
    ? impactJson(told, frame)
    : impactText(told, frame, outputPalette(isOn(given, 'no-color')));
}

/** A profile alone: of services no more is known than their names. */
async function ofProfile({ given }: Request): Promise<Change> {
  if (textOf(given, 'diff') !== undefined)
    throw new UsageError('--diff goes with --config, which says what the diff changes', 'logs');
  const asked = { hosts: [], config: null };
  const rules = await RunRules.of(listOf(given, 'rules'), []);
  const { run } = await RunProfiles.of(textOf(given, 'profile'), asked, rules);
  return {
    name: run.title,
    basis: `Judged by the profile alone: each service is taken for what its name usually stands for, and what was on offer is not known. --config /etc/postfix tells more.`,
    places: (counts) => usualPlaces(counts, run.thresholds),
    failed: false,
  };
}

/** Files as they are, and as the fix for a profile or a diff would make them. */
async function ofFiles(request: Request, config: string): Promise<Change> {
  const { given } = request;
  const requested = await RequestedHosts.of({ ...request, words: [config] });
  const rules = await RunRules.of(listOf(given, 'rules'), configsOf(requested));
  const profiles = await RunProfiles.of(textOf(given, 'profile'), requested, rules);
  const diff = textOf(given, 'diff');
  const read = [];
  for await (const one of requested.inputs()) read.push(one);
  if (read.length === 0) throw new InputError(`${config}: no configuration of Postfix or Dovecot`);
  const hosts: { readonly before: Host; readonly after: Host }[] = [];
  if (diff === undefined) {
    for (const { host, input } of read) {
      const { before, after } = proposeFixes(input, rules.ruleSetOf(host), profiles.of(host), {
        unsafe: isOn(given, 'unsafe'),
        reasonRequired: host.config?.config.reasonRequired === true,
      });
      hosts.push({ before, after });
    }
  } else {
    const inputs = read.map(({ input }) => input);
    patched(inputs, diff).forEach((input, index) => {
      hosts.push({ before: buildHost(inputs[index] ?? input), after: buildHost(input) });
    });
  }
  const made =
    diff === undefined
      ? `as pfharden fix${isOn(given, 'unsafe') ? ' --unsafe' : ''} would make them`
      : 'as the diff would make them';
  return {
    name: diff === undefined ? profiles.run.title : 'the diff',
    basis: `Judged by the files of ${config}, taken to be those that the log was written with, and ${made}.`,
    places: () => placesOf(hosts),
    failed: requested.failed,
  };
}

/** @throws InputError where the diff cannot be read or applied */
function patched(inputs: Parameters<typeof patchedHosts>[0], path: string): ReturnType<typeof patchedHosts> {
  const name = path === '-' ? 'standard input' : path;
  let text: string;
  try {
    text = path === '-' ? standardInput().toString('utf8') : readFileSync(path, 'utf8');
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(`${name}: ${reasonOf(error)}`);
  }
  try {
    return patchedHosts(inputs, text);
  } catch (error) {
    throw error instanceof PatchError ? new InputError(`${name} ${error.message}`) : error;
  }
}
