import { type MigrationStep, migration } from '../../dovecot/migration/migrate.ts';
import { hasDovecotFeature } from '../../dovecot/releases.ts';
import type { DovecotCheck, DovecotCheckContext, Report } from '../check.ts';
import { isAssumed, isBranched, isOwn, releaseIsKnown } from './dovecot-common.ts';
import { versionToWrite } from './dovecot-values.ts';

/**
 * Files of 2.2 or 2.3 that a known 2.4 is to read. The lines with the versions say that they were taken
 * over, so that their fix is that of all lines at once: one without the others would be taken for the end.
 */
function* migrationReports(context: DovecotCheckContext): Iterable<Report> {
  const { dovecot, host } = context;
  if (!hasDovecotFeature(dovecot.release, 'namedFilters') || !releaseIsKnown(context)) return;
  const found = migration(dovecot.tree, dovecot.table);
  if (found === null) return;
  const steps = found.steps.filter(({ at }) => isOwn(context, at));
  const branched = new Set(dovecot.tree.files.map(({ source }) => source).filter(isBranched));
  const hasMain = !isAssumed(host, dovecot.tree.main.source);
  const version = versionToWrite(context);
  const versionEdits = hasMain ? found.versionEdits(version) : [];
  if (hasMain)
    yield {
      message: 'version',
      at: found.start,
      setting: 'dovecot_config_version',
      data: { version },
      fix: {
        title: `begin with dovecot_config_version = ${version}, and take all lines over`,
        edits: [...versionEdits, ...steps.flatMap(({ at, edits }) => (branched.has(at.source) ? [] : edits))],
        writes: [],
      },
    };
  for (const step of steps) {
    const { kind, at, key, to, note, edits } = step;
    // What goes to the place of the version lines goes there with them, behind them.
    const isWithVersion = edits.some(({ path, span }) =>
      versionEdits.some((edit) => edit.path === path && edit.span.start === span.start),
    );
    yield {
      message: kind,
      at,
      setting: key,
      data: { to, note },
      fix: edits.length === 0 || isWithVersion ? null : { title: titleOf(step), edits, writes: [] },
    };
  }
}

function titleOf({ kind, key, to }: MigrationStep): string {
  if (kind === 'drop') return `remove ${key}`;
  return kind === 'rewrite' ? `write ${to} for ${key}` : `say above ${key} what is to be decided`;
}

/** Checks of the way from 2.3 to 2.4, by the name that rule files call. */
export const dovecotMigrationChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/migration': migrationReports,
};
