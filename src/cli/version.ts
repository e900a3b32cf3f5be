import about from '../../package.json' with { type: 'json' };
import { coveredReleases } from '../hosts/releases.ts';

/** What `pfharden --version` prints: the release alone on the first line, below it the releases that the facts cover. */
export function versionText(): string {
  const lines = coveredReleases().map(({ name, oldest, newest }) => `${name} ${oldest} to ${newest}\n`);
  return `${about.version}\n${lines.join('')}`;
}
