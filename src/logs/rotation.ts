/**
 * Names of rotated logs, as logrotate(8) gives them: `mail.log.2.gz`, `mail.log.1`, `mail.log`; with dateext
 * `mail.log-20260131.gz`, and `mail-20260131.log` with extension.
 */

/** What a name says of a file. */
interface Rotated {
  readonly path: string;
  /** The file that is written to. */
  readonly current: string;
  /** Higher is older; 0 for the file that is written to, and for one with a date. */
  readonly number: number;
  /** Empty where the name has none. */
  readonly date: string;
}

/**
 * Sorts logs into sets, each of one log and what was rotated out of it, from the oldest. Sets stand in the
 * order in which the first file of each is given; a file whose name says nothing is a set by itself.
 */
export function rotatedSets(paths: readonly string[]): string[][] {
  const sets = new Map<string, Rotated[]>();
  for (const path of paths) {
    const rotated = ofName(path);
    sets.set(rotated.current, [...(sets.get(rotated.current) ?? []), rotated]);
  }
  return [...sets.values()].map((set) => set.sort(byAge).map(({ path }) => path));
}

function ofName(path: string): Rotated {
  const name = path.replace(/\.(?:gz|xz|zst|bz2)$/, '');
  const numbered = /^(.+)\.(\d{1,4})$/.exec(name);
  if (numbered !== null)
    return { path, current: numbered[1] ?? '', number: Number(numbered[2]) + 1, date: '' };
  const dated = /^(.+)-(\d{8}(?:-?\d+)?)(\.[a-z]+)?$/.exec(name);
  if (dated !== null)
    return { path, current: `${dated[1]}${dated[3] ?? ''}`, number: 0, date: dated[2] ?? '' };
  return { path, current: name, number: 0, date: '' };
}

function byAge(a: Rotated, b: Rotated): number {
  if (a.date !== b.date) {
    // What has no date is the file that is written to, or stands between it and those that have one.
    if (a.date === '' || b.date === '') return a.date === '' ? 1 : -1;
    return a.date < b.date ? -1 : 1;
  }
  return b.number - a.number;
}
