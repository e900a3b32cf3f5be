import { renameKey } from '../../dovecot/edits.ts';
import type { DovecotFault, DovecotWarning } from '../../dovecot/outcome.ts';
import { DOVECOT_RELEASES, dovecotFeatureRelease } from '../../dovecot/releases.ts';
import { rewriting, rewritingEdits } from '../../dovecot/replacement.ts';
import {
  type Replacement,
  type SettingHistory,
  type SettingsTable,
  type SettingType,
  settingHistory,
  settingsTable,
} from '../../dovecot/settings.ts';
import { type Surroundings, statementAt, tablePath } from '../../dovecot/surroundings.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { nearest } from '../../text/nearest.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { dialect, isOwn, isUnknownSection, ownFaults, releaseIsKnown } from './dovecot-common.ts';

/** A name that the server refuses, and what is known of it. */
interface RefusedName {
  readonly fault: DovecotFault;
  readonly name: string;
  readonly around: Surroundings;
  /** Path of the sections around it in the tables of 2.2 and 2.3. */
  readonly path: string | null;
  /** What another release makes of it there, or null. */
  readonly history: SettingHistory | null;
}

function* refusedNames(context: DovecotCheckContext): Iterable<RefusedName> {
  for (const fault of ownFaults(context)) {
    if (fault.code !== 'unknown-setting' && !isUnknownSection(context, fault)) continue;
    const around = statementAt(context.dovecot.tree, fault.at);
    if (around === null) continue;
    const { statement } = around.read;
    if (statement.kind !== 'setting' && statement.kind !== 'section') continue;
    // The mark itself is told by dovecot/syntax.
    if (statement.key.startsWith('\ufeff')) continue;
    const slash = statement.key.lastIndexOf('/');
    const name = statement.key.slice(slash + 1);
    const inKey = slash < 0 ? null : tableKey(statement.key.slice(0, slash));
    const path = inKey ?? tablePath(around.sections);
    yield { fault, name, around, path, history: settingHistory(name, path) };
  }
}

/** `service/auth/unix_listener/login` holds a setting of `service/unix_listener`. */
function tableKey(path: string): string {
  return path
    .split('/')
    .filter((_, index) => index % 2 === 0)
    .join('/');
}

/** The release that brought a name which this release does not have yet; null for others. */
function newerRelease({ history, name, around, path }: RefusedName, release: Release): Release | null {
  if (history !== null) {
    const { introduced } = history;
    return introduced === null || atLeast(release, introduced) ? null : introduced;
  }
  if (path === null) return null;
  // In later releases all settings are global, and a section only says what its settings are called.
  const section = path.slice(path.lastIndexOf('/') + 1);
  for (const global of [name, `${section}_${name}`]) {
    const introduced = settingHistory(global)?.introduced ?? null;
    if (introduced !== null && !atLeast(release, introduced)) return introduced;
  }
  return around.sections.length > 0 && isNewList(section, release)
    ? dovecotFeatureRelease('namedFilters')
    : null;
}

/** Whether what is a text to a release takes a block of words in later ones. */
function isNewList(name: string, release: Release): boolean {
  const isList = (table: SettingsTable): boolean => LIST_TYPES.has(table.get(name)?.type ?? 'str');
  return isList(settingsTable(DOVECOT_RELEASES.newest)) && !isList(settingsTable(release));
}

const LIST_TYPES: ReadonlySet<SettingType> = new Set<SettingType>(['boollist', 'strlist']);

/** The name ended with this release or before. */
function isRemoved({ history }: RefusedName, release: Release): boolean {
  return (
    history !== null && (history.legacy || (history.removed !== null && atLeast(release, history.removed)))
  );
}

/** Unknown names for which the nearest known one is looked for; a file with more is no configuration. */
const MOST_SEARCHED = 200;

function* unknownSetting(context: DovecotCheckContext): Iterable<Report> {
  let searched = 0;
  const { release } = context.dovecot;
  for (const refused of refusedNames(context)) {
    if (newerRelease(refused, release) !== null || isRemoved(refused, release)) continue;
    const { fault, name, around, path } = refused;
    const { file, statement } = around.read;
    const table = settingsTable(release);
    const place = sectionTexts(around.sections).join(' > ');
    const isSection = statement.kind === 'section';
    const elsewhere = path !== null && !isSection && table.get(name) !== null;
    const meant = elsewhere || ++searched > MOST_SEARCHED ? null : nearest(name, candidates(context, path));
    const rename =
      meant === null || (statement.kind !== 'setting' && statement.kind !== 'section')
        ? null
        : {
            title: `write ${meant} for ${name}`,
            edits: renameKey(file, statement, keyLike(statement.key, meant)),
            writes: [],
          };
    yield {
      message: elsewhere ? 'elsewhere' : isSection ? 'section' : 'default',
      at: {
        source: file.source,
        span: statement.kind === 'setting' || isSection ? statement.keySpan : fault.at.span,
      },
      setting: name,
      data: { place, meant: meant ?? '', says: fault.says },
      fix: rename,
    };
  }
}

/** Sections as a configuration writes them. */
function sectionTexts(sections: Surroundings['sections']): string[] {
  return sections.flatMap(({ statement }) => {
    if (statement.kind !== 'section') return [];
    return [statement.name === '' ? statement.key : `${statement.key} ${statement.name}`];
  });
}

/** The key with another last part. */
function keyLike(key: string, name: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1) + name;
}

/** Names that could stand there: in 2.4 without what the section says already. */
function candidates({ dovecot: { release } }: DovecotCheckContext, path: string | null): string[] {
  const table = settingsTable(release);
  const own = path === null ? [] : [...table.names(path)];
  if (own.length > 0) return own;
  const names = [...table.names()];
  if (path === null) return names;
  const prefix = `${path.slice(path.lastIndexOf('/') + 1)}_`;
  return [...names.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : [])), ...names];
}

function* settingTooNew(context: DovecotCheckContext): Iterable<Report> {
  const { release: version } = context.dovecot;
  for (const refused of refusedNames(context)) {
    const since = newerRelease(refused, version);
    if (since === null) continue;
    const { fault, name } = refused;
    yield {
      message:
        name === 'dovecot_config_version' || name === 'dovecot_storage_version' ? 'version-line' : 'default',
      at: fault.at,
      setting: name,
      data: { since },
    };
  }
}

function* deprecatedSetting(context: DovecotCheckContext): Iterable<Report> {
  for (const refused of refusedNames(context)) {
    if (!isRemoved(refused, context.dovecot.release)) continue;
    yield removedReport(context, refused);
  }
  const { warnings, tree } = context.dovecot;
  // Of a setting that is rewritten and then found wanting, the server says both.
  const ignored = new Set(
    warnings.filter(({ code }) => code === 'ignored').map(({ at }) => statementAt(tree, at)),
  );
  for (const warning of warnings) {
    if ((warning.code !== 'obsolete' && warning.code !== 'ignored') || !isOwn(context, warning.at)) continue;
    const around = statementAt(tree, warning.at);
    if (warning.code === 'ignored' || !ignored.has(around)) yield obsoleteReport(context, warning, around);
  }
}

function removedReport(context: DovecotCheckContext, { fault, name, around, history }: RefusedName): Report {
  const replacement = history?.replacement ?? null;
  const to = replacement?.to ?? null;
  return {
    message: to !== null ? 'replaced' : replacement?.kind === 'drop' ? 'removed' : 'removed-decide',
    at: fault.at,
    setting: name,
    data: {
      removed: history?.removed ?? '',
      to: to ?? '',
      note: replacement?.note ?? '',
      exact: isExact(replacement),
    },
    fix: replacement === null ? null : replacementFix(context, around, replacement),
  };
}

/** Whether the same meaning can be had under the new name, without anybody deciding. */
function isExact(replacement: Replacement | null): boolean {
  return replacement !== null && replacement.note === null && replacement.kind !== 'decide';
}

function replacementFix(
  context: DovecotCheckContext,
  { read: { file, statement }, sections }: Surroundings,
  replacement: Replacement,
): ProposedFix | null {
  if (statement.kind !== 'setting' || !releaseIsKnown(context)) return null;
  const to = rewriting(statement, replacement, dialect(context));
  if (to === null) return null;
  return {
    title: to === 'drop' ? `remove ${statement.key}` : `write ${to.key} = ${to.written} for ${statement.key}`,
    edits: rewritingEdits(file, statement, to),
    writes: to === 'drop' ? [] : [`dovecot:${[...sectionTexts(sections), to.key].join('/')}`],
  };
}

/** A line of an older release that the server rewrites or drops with a warning at each start. */
function obsoleteReport(
  context: DovecotCheckContext,
  warning: DovecotWarning,
  around: Surroundings | null,
): Report {
  const statement = around?.read.statement;
  const name = statement?.kind === 'setting' || statement?.kind === 'section' ? statement.key : null;
  const history =
    name === null ? null : settingHistory(name, around === null ? null : tablePath(around.sections));
  const replacement = history?.replacement ?? null;
  return {
    message: warning.code,
    at: warning.at,
    ...(name === null ? {} : { setting: name }),
    data: { says: warning.says.replace(/^Obsolete setting in \S+:\d+: /, '') },
    fix:
      around === null || replacement === null || warning.code === 'ignored'
        ? null
        : replacementFix(context, around, replacement),
  };
}

/** Checks of names, by the name that rule files call. */
export const dovecotNameChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/unknown-setting': unknownSetting,
  'dovecot/setting-too-new': settingTooNew,
  'dovecot/deprecated-setting': deprecatedSetting,
};
