import type { Edit } from '../text/edits.ts';
import { listWords, type PostfixConfiguration, type PostfixSetting } from './configuration.ts';
import { addEntry, addOverride, removeEntry, removeOverride, replaceValue } from './edits.ts';
import { hasFeature } from './parameters.ts';
import type { Service } from './services.ts';
import type { Argument } from './syntax/tree.ts';

/** Edits together with the settings that they write, see `Fix.writes`. */
export interface Proposal {
  readonly edits: readonly Edit[];
  readonly writes: readonly string[];
}

/**
 * Where a value goes.
 * - `main`: into main.cf, for every service that does not override it;
 * - `service`: into the `-o` of the services named.
 * An override that exists is changed in place in either case: main.cf would not reach it.
 */
export type Scope = 'main' | 'service';

/**
 * True when a fix may use a syntax: the release is known and has it, or the files prove a release
 * that has it. For a release that is only assumed, the form that every supported release takes is
 * the right one.
 */
export function fixMayUse(
  configuration: PostfixConfiguration,
  feature: Parameters<typeof hasFeature>[1],
): boolean {
  const { version, versionFrom, provenAtLeast } = configuration.releaseKnown;
  if (versionFrom !== 'assumed' && versionFrom !== 'implied') return hasFeature(version, feature);
  return provenAtLeast !== null && hasFeature(provenAtLeast, feature);
}

/**
 * Sets a parameter to a value.
 *
 * @param services the services that shall see it; none: main.cf alone
 * @param scope where it goes when no override of theirs stands in the way; without a master.cf it is
 *   main.cf, without a main.cf the services
 * @param near names of kin beside which a new line in main.cf goes
 */
export function proposeSetting(
  configuration: PostfixConfiguration,
  name: string,
  value: string,
  services: readonly Service[],
  scope: Scope,
  near: readonly string[] = [],
): Proposal {
  const edits: Edit[] = [];
  const writes: string[] = [];
  const { main, master } = configuration;
  let mainWanted = services.length === 0;
  for (const service of services) {
    const override = service.overrides.get(name);
    if (
      master !== null &&
      service.entry !== null &&
      (override !== undefined || scope === 'service' || main === null)
    ) {
      const braces = fixMayUse(configuration, 'bracedOverride');
      const written = braces ? value : withoutBlanks(value);
      edits.push(
        ...(override === undefined
          ? addOverride(master, service.entry, name, written, braces)
          : replaceValue(master, override, written, braces)),
      );
      writes.push(`${service.id}:${name}`);
    } else mainWanted = true;
  }
  if (mainWanted && main !== null) {
    const entry = configuration.mainSetting(name)?.entry;
    edits.push(
      ...(entry === undefined ? addEntry(main, name, value, near) : replaceValue(main, entry, value)),
    );
    writes.push(`main.cf:${name}`);
  }
  return { edits, writes };
}

/** Removes an assignment. */
export function proposeRemoval(configuration: PostfixConfiguration, setting: PostfixSetting): Proposal {
  const { main, master } = configuration;
  if (setting.kind === 'main') {
    if (main === null) throw new Error('an entry without a main.cf');
    return { edits: removeEntry(main, setting.entry), writes: [`main.cf:${setting.name}`] };
  }
  if (master === null || setting.service.entry === null) throw new Error('an override without a master.cf');
  return {
    edits: removeOverride(master, setting.service.entry, setting.entry),
    writes: [`${setting.service.id}:${setting.name}`],
  };
}

/** Takes options such as `-v` from the command of a service, which must stand in master.cf. */
export function proposeOptionRemoval(
  { master }: PostfixConfiguration,
  service: Service,
  options: readonly Argument[],
): Proposal {
  const { entry } = service;
  if (master === null || entry === null) throw new Error('an option without a master.cf');
  // Neighbours go in one stretch: each takes the blanks beside it along.
  const stretches: Argument[] = [];
  for (const option of options) {
    const before = stretches.at(-1);
    const between = before && master.source.text.slice(before.span.end, option.span.start);
    if (before !== undefined && between?.trim() === '') {
      stretches.splice(-1, 1, { ...before, span: { start: before.span.start, end: option.span.end } });
    } else stretches.push(option);
  }
  return {
    edits: stretches.flatMap((stretch) => removeOverride(master, entry, stretch)),
    writes: options.map(({ text }) => `${service.id}:${text}`),
  };
}

/** Gives an assignment that exists another value, wherever it stands. */
export function proposeValue(
  configuration: PostfixConfiguration,
  setting: PostfixSetting,
  value: string,
): Proposal {
  if (setting.kind === 'override')
    return proposeSetting(configuration, setting.name, value, [setting.service], 'service');
  return proposeSetting(configuration, setting.name, value, [], 'main');
}

/** A list without white space, for an `-o` of releases that do not know braces. */
function withoutBlanks(value: string): string {
  return /\s/.test(value) ? listWords(value).join(',') : value;
}
