import { jsonText } from '../reports/json.ts';
import { differenceJson, differenceText, profileDifference } from '../reports/profile-diff.ts';
import { profileTable } from '../reports/profile-table.ts';
import { shownText } from '../reports/words.ts';
import type { Profile } from '../rules/profile.ts';
import { BUILTIN_PROFILE_NAMES, builtinProfile } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { RunRules } from './own-rules.ts';
import { namedProfile } from './profile-option.ts';
import { out, outputPalette, outputWidth } from './terminal.ts';

/**
 * `pfharden profiles [NAME]`: thresholds side by side with their sources, of one profile also what differs
 * from the one that it extends; `pfharden profiles --diff A B`: what differs between two.
 */
export async function profiles({ words, given }: Request): Promise<number> {
  const format = { palette: outputPalette(isOn(given, 'no-color')), width: outputWidth() };
  const json = textOf(given, 'format') === 'json';
  const rules = await RunRules.here(listOf(given, 'rules'));
  if (isOn(given, 'diff')) {
    const [a, b, ...more] = words;
    if (a === undefined || b === undefined || more.length > 0)
      throw new UsageError('--diff takes two profiles: names or files', 'profiles');
    const pair = [(await namedProfile(a, rules)).profile, (await namedProfile(b, rules)).profile] as const;
    const difference = profileDifference(...pair, rules.ruleSet.rules);
    const names = pair.map(({ name }) => name);
    if (json) out(`${jsonText({ version: 1, profiles: names, ...differenceJson(difference) })}\n`);
    else
      out(
        differenceText(pair, difference, format) ?? `${shownText(names.join(' and '))} ask for the same.\n`,
      );
    return 0;
  }
  const [name, ...more] = words;
  if (more.length > 0)
    throw new UsageError('profiles takes one name at most, or two with --diff', 'profiles');
  if (name === undefined) {
    const all = BUILTIN_PROFILE_NAMES.map(builtinProfile);
    out(json ? `${jsonText({ version: 1, profiles: all.map(profileJson) })}\n` : profileTable(all, format));
    return 0;
  }
  const { profile, base } = await namedProfile(name, rules);
  const difference = base === null ? null : profileDifference(base, profile, rules.ruleSet.rules);
  if (json) {
    const changes = difference === null ? {} : { changes: differenceJson(difference) };
    out(`${jsonText({ version: 1, profiles: [{ ...profileJson(profile), ...changes }] })}\n`);
    return 0;
  }
  out(profileTable([profile], format));
  if (base === null || difference === null) return 0;
  const text = differenceText([base, profile], difference, format);
  const heading = `${profile.name} extends ${base.name}${text === null ? ' and changes nothing.' : '. What it changes:'}`;
  out(`\n${shownText(heading)}\n${text === null ? '' : `\n${text}`}`);
  return 0;
}

function profileJson(profile: Profile) {
  return {
    name: profile.name,
    extends: profile.lineage[1] ?? null,
    for: profile.for,
    thresholds: profile.thresholds,
    sources: profile.sources,
  };
}
