import { readFile } from 'node:fs/promises';
import Handlebars from 'handlebars';
import schema from '../../profiles/profile.schema.json' with { type: 'json' };
import { THRESHOLD_PARTS, type Thresholds } from '../model/thresholds.ts';
import { THRESHOLD_LABELS, thresholdRows, thresholdText } from '../reports/threshold-rows.ts';
import type { Profile } from '../rules/profile.ts';

/** The page on the profiles, docs/profiles.md, from templates/profiles.md.hbs. */
export async function profilesPage(profiles: readonly Profile[]): Promise<string> {
  const text = await readFile('templates/profiles.md.hbs', 'utf8');
  const template = Handlebars.compile(text, { noEscape: true, strict: true, knownHelpersOnly: true });
  const side = thresholdRows(profiles, 'values');
  return template({
    profiles: profiles.map((profile) => ({
      name: profile.name,
      extends: profile.lineage[1] === undefined ? '–' : `\`${profile.lineage[1]}\``,
      for: profile.for,
    })),
    thresholds: (Object.keys(THRESHOLD_PARTS) as (keyof Thresholds)[]).map((name) => ({
      name,
      title: capital(THRESHOLD_LABELS[name]),
      about: aboutOf(name),
      parted: THRESHOLD_PARTS[name].length > 0,
      rows: side
        .filter((row) => row.name === name)
        .map(({ where, values }) => ({ where, values: values.map(thresholdText) })),
      sources: profiles.flatMap((profile) => sourcesOf(profile, name)),
    })),
  });
}

/** The sources of a threshold; which part a source is for is left out where all have the same. */
function sourcesOf(profile: Profile, name: keyof Thresholds): object[] {
  const bySource = new Map<string, string[]>();
  for (const { where, sources } of thresholdRows([profile], 'sources').filter((row) => row.name === name)) {
    const source = sources[0] ?? '';
    bySource.set(source, [...(bySource.get(source) ?? []), where]);
  }
  const all = [...bySource].map(([source, places]) => ({
    profile: profile.name,
    source,
    where: places.join(', '),
  }));
  return all.length === 1 ? all.map((one) => ({ ...one, where: '' })) : all;
}

/** What the schema says of a threshold, without the dot at its end. */
function aboutOf(name: keyof Thresholds): string {
  const { description } = schema.definitions.thresholds.properties[name];
  return description.replace(/\.$/, '');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
