import type { DovecotConfiguration } from '../dovecot/configuration.ts';
import type { DovecotEffective } from '../dovecot/effective.ts';
import type { Read } from '../dovecot/load.ts';
import { SERVER_NAMES } from '../model/endpoint.ts';
import type { EffectiveValue } from '../model/setting.ts';
import type { Effective, PostfixConfiguration } from '../postfix/configuration.ts';
import { type Service, serviceLocation } from '../postfix/services.ts';
import type { Location, SourceFile } from '../text/source.ts';

/**
 * The place to show for an effective value: the assignment that decides; for a default, the first
 * of the `kin` that is set for the service (the line that brings the default into play), else the
 * service's line in master.cf, else the head of the file.
 */
export function decidingPlace(
  configuration: PostfixConfiguration,
  effective: Effective,
  service: Service | null,
  kin: readonly string[] = [],
): Location {
  if (effective.setting !== null) return effective.setting.at;
  for (const name of kin) {
    const setting = configuration.setting(name, service);
    if (setting !== null) return setting.at;
  }
  const line = service === null ? null : serviceLocation(configuration.master, service);
  return line ?? headOf(configuration);
}

/** Where to show what concerns an instance as a whole: the first entry of main.cf, else of master.cf. */
export function headOf(configuration: PostfixConfiguration): Location {
  const tree = configuration.main ?? configuration.master;
  if (tree === null) throw new Error('a Postfix instance without main.cf and master.cf');
  const first = tree.items[0]?.line.span.start;
  const source: SourceFile = tree.source;
  const span = first === undefined ? source.lineSpan(1) : source.lineSpan(source.position(first).line);
  return { source, span };
}

/** The line that decides on a value of Dovecot; for a default, the head of the configuration. */
export function dovecotPlace(configuration: DovecotConfiguration, effective: DovecotEffective): Location {
  return effective.at ?? dovecotHead(configuration);
}

/** Where to show what concerns Dovecot as a whole: the first line of the first file that says something. */
export function dovecotHead({ tree, files }: DovecotConfiguration): Location {
  // A dovecot.conf that only stands for one is not there to be shown.
  const isThere = ({ file }: Read): boolean => file !== tree.main || files.open(file.source.path) !== null;
  const read = tree.statements.find(isThere) ?? tree.statements[0];
  const source = read?.file.source ?? tree.main.source;
  const start = read?.statement.line.pieces[0]?.source ?? 0;
  return { source, span: source.lineSpan(source.position(start).line) };
}

/** "default of Postfix 3.7.11", "main.cf line 12", "-o of submission/inet, master.cf line 20", "protocol imap, 20-imap.conf line 3". */
export function originText({ origin }: Pick<EffectiveValue, 'origin'>): string {
  if (origin.kind === 'default') return `default of ${SERVER_NAMES[origin.server]} ${origin.release}`;
  const file = origin.at.source.path.replace(/^.*\//, '');
  const { line } = origin.at.source.position(origin.at.span.start);
  if (origin.kind === 'file') return `${file} line ${line}`;
  return `${origin.server === 'postfix' ? '-o of ' : ''}${origin.service}, ${file} line ${line}`;
}
