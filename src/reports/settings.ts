import type { HostConfig } from '../hosts/config.ts';
import type { Ignored } from '../hosts/find.ts';
import { LEFT_OUT_BECAUSE, type LeftOut } from '../hosts/left-out.ts';
import { andList } from '../rules/messages.ts';
import { PROGRAM_NAMES } from './text.ts';
import { count, shownText, wrap } from './words.ts';

/**
 * What a `.pfharden.json` settles, in a sentence; nothing where it settles nothing for the host.
 *
 * @param flag true where the profile was given by `--profile`, so that the file's does not count
 */
export function settingsText(
  { path, profile, layers, releases, config }: HostConfig,
  flag: boolean,
  width: number,
): string {
  const files = [...new Set(layers.map((layer) => layer.path))];
  const rules = new Set(layers.flatMap(({ severity }) => Object.keys(severity.levels)));
  const thresholds = new Set(layers.flatMap((layer) => Object.keys(layer.thresholds)));
  const programs = (['postfix', 'dovecot', 'openssl'] as const).filter(
    (name) => releases[name] !== undefined,
  );
  const said = [
    ...(profile === undefined || flag ? [] : [`profile ${profile.name}`]),
    ...(rules.size > 0 ? [`the severity of ${count(rules.size, 'rule')}`] : []),
    ...(thresholds.size > 0 ? [andList([...thresholds])] : []),
    ...(programs.length > 0
      ? [
          `the ${programs.length > 1 ? 'releases' : 'release'} of ${andList(programs.map((name) => PROGRAM_NAMES[name]))}`,
        ]
      : []),
    ...(config.reasonRequired ? ['that comments give a reason'] : []),
  ];
  const extended = files.filter((file) => file !== path);
  const from = extended.length === 0 ? '' : ` (with ${andList(extended)})`;
  if (said.length === 0) return '';
  return `${wrap(shownText(`${path}${from} sets ${said.join('; ')}.`, 1000), width).join('\n')}\n`;
}

/** How many paths were left out; with `verbose` which, and who says so. */
export function ignoredText(ignored: readonly Ignored[], verbose: boolean): string {
  if (ignored.length === 0) return '';
  const files = andList([...new Set(ignored.map(({ by }) => shownText(by)))]);
  const named = verbose
    ? ignored.map(({ path, by }) => `ignored: ${shownText(path)} (${shownText(by)})\n`)
    : [];
  const more = verbose ? '' : '; --verbose names them';
  return `${named.join('')}${count(ignored.length, 'path')} ignored, as ${files} says${more}.\n`;
}

/** How many hosts are not shown because they are what they were at a revision. */
export function unchangedText(unchanged: number, shown: number, since: string): string {
  if (shown === 0) return `No host has changed since ${shownText(since)}.\n`;
  if (unchanged === 0) return '';
  const hosts = unchanged === 1 ? '1 host has' : `${unchanged} hosts have`;
  return `${hosts} not changed since ${shownText(since)} and ${unchanged === 1 ? 'is' : 'are'} not shown.\n`;
}

/** How many files a search left out for what they are; with `verbose` which, and why. */
export function leftOutText(leftOut: readonly LeftOut[], verbose: boolean): string {
  if (leftOut.length === 0) return '';
  if (verbose)
    return leftOut
      .map(({ path, why }) => `left out: ${shownText(path)} (${LEFT_OUT_BECAUSE[why]})\n`)
      .join('');
  const kinds = andList([...new Set(leftOut.map(({ why }) => LEFT_OUT_KINDS[why]))]);
  return `${count(leftOut.length, 'file or folder', 'files or folders')} left out (${kinds}); --verbose names them.\n`;
}

const LEFT_OUT_KINDS: Readonly<Record<LeftOut['why'], string>> = {
  backup: 'copies',
  pattern: 'patterns',
  defaults: 'lists of defaults',
  postconf: 'lines for postconf -P',
  git: 'ignored by git',
};
