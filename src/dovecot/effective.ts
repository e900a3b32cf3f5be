import type { Origin } from '../model/setting.ts';
import type { Location } from '../text/source.ts';
import { type DovecotAssignment, scopePath } from './assignment.ts';
import type { Connection } from './filter.ts';
import { relativePath } from './load.ts';
import type { DovecotSetting } from './settings.ts';

/** A section that a value is asked for: `service imap-login`, `ssl_server` (without a name). */
export interface SectionRef {
  readonly type: string;
  readonly name: string;
}

/** For what a value is asked: a connection, and the sections that hold it, outermost first. */
export interface DovecotContext extends Connection {
  readonly sections?: readonly SectionRef[] | undefined;
}

/** What a setting is worth for a connection or in a section. */
export interface DovecotEffective {
  /** The name that the release knows it by. */
  readonly name: string;
  /** References replaced; of a list its words with blanks between; of a file that `<` names, `<` and the path. */
  readonly value: string;
  /** Words of a list of 2.4 that count; null for what is none. */
  readonly words: readonly string[] | null;
  /** Pairs of a list of 2.4 that count; null for what is none. */
  readonly pairs: ReadonlyMap<string, string> | null;
  /** The file that holds the value, or that the value names (2.4), as a path; null where there is none. */
  readonly path: string | null;
  readonly origin: Origin;
  /** The line that decides; null for a default. */
  readonly assignment: DovecotAssignment | null;
  readonly at: Location | null;
  readonly setting: DovecotSetting | null;
  /** 2.2 and 2.3: another filter that matches too and sets it as well, be it to the same; such a connection fails. */
  readonly conflict: DovecotAssignment | null;
}

/** Where a value comes from that a line sets; in a section, the path of that tells what it counts for. */
export function originOf(at: Location, assignment: DovecotAssignment | null): Origin {
  const path = assignment === null ? [] : scopePath(assignment.scope);
  return path.length === 0
    ? { kind: 'file', at }
    : { kind: 'override', server: 'dovecot', at, service: path.join(' > ') };
}

/** Content that stands in the value itself (2.4). */
const INLINE = 'inline:';

/** The file that a value is read from. */
export function fileOf(
  value: string,
  setting: DovecotSetting | null,
  assignment: DovecotAssignment | null,
): string | null {
  const from = assignment?.file.source.path ?? '';
  // A reference to a setting that is read from a file stands for its content (2.3: ssl_key = $ssl_cert).
  const refers = assignment?.form === 'variables' && value.startsWith('<');
  if (assignment?.form === 'file' || refers) return relativePath(value.replace(/^</, ''), from);
  if (setting?.type !== 'file' || value === '' || value.startsWith(INLINE) || value.includes('%{'))
    return null;
  return assignment?.form === 'heredoc' ? null : relativePath(value, from);
}
