import { jsonText } from '../reports/json.ts';
import { profileTable } from '../reports/profile-table.ts';
import { BUILTIN_PROFILE_NAMES, builtinProfile } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import { isOn, type Request, textOf } from './options.ts';
import { namedProfile } from './profile-option.ts';
import { out, outputPalette, outputWidth } from './terminal.ts';

/** `pfharden profiles [NAME]`: thresholds side by side with their sources. */
export async function profiles({ words, given }: Request): Promise<number> {
  const [name, ...more] = words;
  if (more.length > 0) throw new UsageError('profiles takes one name at most', 'profiles');
  const shown = name === undefined ? BUILTIN_PROFILE_NAMES.map(builtinProfile) : [await namedProfile(name)];
  if (textOf(given, 'format') === 'json') {
    const listed = shown.map((profile) => ({
      name: profile.name,
      extends: profile.lineage[1] ?? null,
      for: profile.for,
      thresholds: profile.thresholds,
      sources: profile.sources,
    }));
    out(`${jsonText({ version: 1, profiles: listed })}\n`);
  } else out(profileTable(shown, outputPalette(isOn(given, 'no-color')), outputWidth()));
  return 0;
}
