import type { DovecotAssignment } from '../../dovecot/assignment.ts';
import { addAfter, addLines, removeStatement, replaceValue, writtenValue } from '../../dovecot/edits.ts';
import { oldVariables, STRFTIME_SETTINGS } from '../../dovecot/old-variables.ts';
import type { DovecotFault, DovecotFaultCode } from '../../dovecot/outcome.ts';
import { DOVECOT_RELEASES, hasDovecotFeature } from '../../dovecot/releases.ts';
import { type DovecotSetting, settingHistory, settingsTable } from '../../dovecot/settings.ts';
import { type Surroundings, statementAt, tablePath } from '../../dovecot/surroundings.ts';
import type { DovecotFile, SettingStatement } from '../../dovecot/syntax/tree.ts';
import { atLeast } from '../../model/release.ts';
import { nearest } from '../../text/nearest.ts';
import type { Location } from '../../text/source.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { dialect, isAssumed, isOwn, ownFaults } from './dovecot-common.ts';
import { isTemplated } from './misread-lines.ts';

const OF_VALUES: ReadonlySet<DovecotFaultCode> = new Set<DovecotFaultCode>([
  'bad-value',
  'bad-reference',
  'bad-variable-program',
  'required-missing',
  'check-failed',
]);

function* badValue(context: DovecotCheckContext): Iterable<Report> {
  for (const fault of ownFaults(context)) {
    if (!OF_VALUES.has(fault.code)) continue;
    const around = statementAt(context.dovecot.tree, fault.at);
    // What is found when all is read stands at no line of its own.
    const whole = fault.code === 'check-failed' && fault.blamed === null;
    const statement = !whole && around?.read.statement.kind === 'setting' ? around.read.statement : null;
    if (statement !== null && isTemplated(statement.value)) continue;
    const setting = around === null || statement === null ? null : settingOf(context, around, statement.key);
    const meant = statement === null || setting === null ? null : meantValue(setting, statement.value);
    const file = around?.read.file;
    const message = messageOf(fault, setting);
    yield {
      message,
      at: fault.at,
      ...(statement === null ? {} : { setting: statement.key, actual: statement.value }),
      data: { says: fault.says, meant: meant ?? '', words: setting?.values ?? [] },
      fix:
        meant === null ||
        statement === null ||
        file === undefined ||
        message === 'default' ||
        message === 'check'
          ? null
          : {
              title: `write ${statement.key} = ${meant}`,
              edits: replaceValue(file, statement, writtenValue(meant, dialect(context))),
              writes: [],
            },
    };
  }
}

function messageOf({ code }: DovecotFault, setting: DovecotSetting | null): string {
  if (code === 'bad-reference') return 'reference';
  if (code === 'check-failed') return 'check';
  const message = setting === null ? undefined : MESSAGES[setting.type];
  return code === 'bad-value' ? (message ?? 'default') : 'default';
}

/** Messages by type of the setting. */
const MESSAGES: Readonly<Partial<Record<DovecotSetting['type'], string>>> = {
  bool: 'boolean',
  enum: 'word',
  time: 'time',
  time_msecs: 'time',
};

/** What a value was meant to be, where that is clear; null else. */
function meantValue({ type, values }: DovecotSetting, value: string): string | null {
  const word = value.toLowerCase();
  if (type === 'bool') {
    if (['true', 'on', 'enabled', 'enable'].includes(word)) return 'yes';
    return ['n', 'false', 'off', '0', 'disabled', 'disable'].includes(word) ? 'no' : null;
  }
  if (type === 'enum') return values.find((one) => one.toLowerCase() === word) ?? nearest(word, values);
  // A bare number of seconds is what the older programs of this kind take.
  if (type === 'time' && /^[0-9]+$/.test(value)) return `${value}s`;
  return null;
}

/** The setting that a key means in its sections: in 2.4 the section is a part of its name. */
function settingOf(
  { dovecot }: DovecotCheckContext,
  { sections }: Surroundings,
  key: string,
): DovecotSetting | null {
  const table = settingsTable(dovecot.release);
  const path = tablePath(sections);
  const own = table.get(key, path);
  if (own !== null || path === null) return own;
  return table.get(`${path.slice(path.lastIndexOf('/') + 1)}_${key}`) ?? table.get(key);
}

function settingAt({ dovecot }: DovecotCheckContext, at: Location): SettingStatement | null {
  const statement = statementAt(dovecot.tree, at)?.read.statement;
  return statement?.kind === 'setting' ? statement : null;
}

// The version lines of 2.4

const VERSION = 'dovecot_config_version';
const STORAGE = 'dovecot_storage_version';

/** A line that sets dovecot_config_version. */
interface VersionLine {
  readonly file: DovecotFile;
  readonly statement: SettingStatement;
}

type VersionReport = (
  context: DovecotCheckContext,
  fault: DovecotFault,
  lines: readonly VersionLine[],
) => Report | null;

function* configVersion(context: DovecotCheckContext): Iterable<Report> {
  const { tree } = context.dovecot;
  if (isAssumed(context.host, tree.main.source)) return;
  const lines = tree.statements.flatMap(({ file, statement }): VersionLine[] =>
    statement.kind === 'setting' && statement.key === VERSION ? [{ file, statement }] : [],
  );
  const told = new Set<DovecotFaultCode>();
  for (const fault of ownFaults(context)) {
    // A version that is not first is met twice: where it is missed, and where it stands.
    if (told.has(fault.code)) continue;
    told.add(fault.code);
    const report = VERSION_REPORTS[fault.code]?.(context, fault, lines) ?? null;
    if (report !== null) yield report;
  }
}

const VERSION_REPORTS: Readonly<Partial<Record<DovecotFaultCode, VersionReport>>> = {
  'config-version-missing': (context, fault, [line]) => ({
    message: line === undefined ? 'missing' : 'not-first',
    at: fault.at,
    setting: VERSION,
    data: { says: fault.says, version: versionToWrite(context) },
    related:
      line === undefined
        ? []
        : [{ at: { source: line.file.source, span: line.statement.keySpan }, message: 'the version' }],
    fix: line === undefined ? insertVersion(context) : moveVersion(context.dovecot.tree.main, line),
  }),
  'config-version-unknown'(context, fault, lines) {
    const line = lines.find(({ statement }) => statement === settingAt(context, fault.at)) ?? lines[0];
    const version = versionToWrite(context);
    const fix = line && {
      title: `write ${VERSION} = ${version}`,
      edits: replaceValue(line.file, line.statement, version),
      writes: [VERSION],
    };
    return {
      message: 'unknown',
      at: fault.at,
      setting: VERSION,
      data: { says: fault.says, version },
      fix: fix ?? null,
    };
  },
  'config-version-changed'(context, fault, lines) {
    const line = lines.find(({ statement }) => statement === settingAt(context, fault.at));
    const fix = line && {
      title: 'remove the second version',
      edits: removeStatement(line.file, line.statement),
      writes: [],
      safe: false,
    };
    return {
      message: 'changed',
      at: fault.at,
      setting: VERSION,
      data: { says: fault.says },
      fix: fix ?? null,
    };
  },
  'storage-version-missing'(context, fault, lines) {
    const { faults, tree } = context.dovecot;
    // A file without either gets both at once.
    if (faults.some(({ code }) => code === 'config-version-missing')) return null;
    const line = lines.find(({ file }) => file === tree.main);
    const refused = faults.some(({ code }) => code === 'config-version-unknown');
    const version = refused ? versionToWrite(context) : (line?.statement.value ?? versionToWrite(context));
    const fix = line && {
      title: `add ${STORAGE} = ${version}`,
      edits: addAfter(line.file, line.statement, { key: STORAGE, written: version }),
      writes: [STORAGE],
    };
    return {
      message: 'storage',
      at: line === undefined ? fault.at : { source: line.file.source, span: line.statement.keySpan },
      setting: STORAGE,
      data: { says: fault.says, version },
      fix: fix ?? null,
    };
  },
};

/** The version to write: that of the release where it is known, else the one that every release with such a line takes. */
export function versionToWrite(context: DovecotCheckContext): string {
  const { version, versionFrom } = context.dovecot.releaseKnown;
  const known = versionFrom === 'flag' || versionFrom === 'installed';
  const isRelease = /^\d+\.\d+\.\d+$/.test(version) && atLeast(DOVECOT_RELEASES.newest, version);
  return known && isRelease ? version : firstWithVersion();
}

/** The first release that wants the line takes it with its own number, and so do all later ones. */
function firstWithVersion(): string {
  return settingHistory(VERSION)?.introduced ?? DOVECOT_RELEASES.newest;
}

function insertVersion(context: DovecotCheckContext): ProposedFix {
  const version = versionToWrite(context);
  const hasStorage = context.dovecot.tree.statements.some(
    ({ statement }) => statement.kind === 'setting' && statement.key === STORAGE,
  );
  const lines = [`${VERSION} = ${version}`, ...(hasStorage ? [] : [`${STORAGE} = ${version}`])];
  return {
    title: `begin with ${VERSION} = ${version}`,
    edits: addLines(context.dovecot.tree.main, lines, 'start'),
    writes: [VERSION, STORAGE],
  };
}

function moveVersion(main: DovecotFile, { file, statement }: VersionLine): ProposedFix {
  return {
    title: `begin with ${VERSION}`,
    edits: [
      ...removeStatement(file, statement),
      ...addLines(main, [`${VERSION} = ${statement.value}`], 'start'),
    ],
    writes: [VERSION],
  };
}

// Text that was a reference before 2.4

function* literalVariable(context: DovecotCheckContext): Iterable<Report> {
  const { dovecot } = context;
  if (!hasDovecotFeature(dovecot.release, 'namedFilters')) return;
  const seen = new Set<SettingStatement>();
  for (const assignment of dovecot.settings()) {
    const { statement, file } = assignment;
    if (seen.has(statement) || !isOwn(context, assignment.at)) continue;
    seen.add(statement);
    const report = percentReport(context, assignment) ?? dollarReport(context, assignment, file);
    if (report !== null) yield report;
  }
}

function percentReport(
  context: DovecotCheckContext,
  { statement, file, name, at }: DovecotAssignment,
): Report | null {
  if (STRFTIME_SETTINGS.has(name) || statement.form === 'heredoc') return null;
  const { found, written } = oldVariables(file.source.slice(statement.valueSpan));
  if (found.length === 0) return null;
  return {
    message: /_log_format(_|$)|_log_prefix$/.test(name) ? 'percent-log' : 'percent',
    at,
    setting: statement.key,
    actual: statement.value,
    data: { variables: found, written: written ?? '' },
    fix:
      written !== null
        ? {
            title: `write ${statement.key} = ${written}`,
            edits: replaceValue(file, statement, written),
            writes: [],
          }
        : null,
  };
}

function dollarReport(
  context: DovecotCheckContext,
  assignment: DovecotAssignment,
  file: DovecotFile,
): Report | null {
  const { statement, setting, at } = assignment;
  if (statement.form !== 'variables' && statement.form !== 'plain') return null;
  const names = [...statement.value.matchAll(/(?<![^\s,])\$([a-z][a-z0-9_]*)(?![\w:])/g)].map(
    ([, name = '']) => name,
  );
  const known = names.filter((name) => settingHistory(name) !== null);
  if (known.length === 0) return null;
  const isList = setting?.type === 'boollist';
  const own = known.every((name) => name === statement.key);
  const list = statement.value.split(/[\s,]+/).filter((word) => word !== '' && word !== `$${statement.key}`);
  const plainWords = list.every((word) => /^[\w-]+$/.test(word));
  const indent = /[ \t]*$/.exec(file.source.text.slice(0, statement.keySpan.start))?.[0] ?? '';
  const newline = file.source.text.includes('\r\n') ? '\r\n' : '\n';
  const block = [`${statement.key} {`, ...list.map((word) => `  ${word} = yes`), '}'].join(
    `${newline}${indent}`,
  );
  const text = statement.value.replace(
    /(?<![^\s,])\$([a-z][a-z0-9_]*)(?![\w:])/g,
    (whole: string, name: string) => (settingHistory(name) === null ? whole : `$SET:${name}`),
  );
  const span = { start: statement.keySpan.start, end: statement.valueSpan.end };
  return {
    message: isList ? 'dollar-list' : 'dollar',
    at,
    setting: statement.key,
    actual: statement.value,
    data: { names: known, written: isList ? '' : text },
    fix: isList
      ? own && plainWords && list.length > 0
        ? {
            title: `add to ${statement.key} with a block`,
            edits: [{ path: file.source.path, span, text: block }],
            writes: [],
          }
        : null
      : setting?.type === 'str'
        ? {
            title: `write ${statement.key} = ${text}`,
            edits: replaceValue(file, statement, text),
            writes: [],
          }
        : null,
  };
}

// The sign before the name of a file

function* certificateNotRead(context: DovecotCheckContext): Iterable<Report> {
  if (hasDovecotFeature(context.dovecot.release, 'namedFilters')) return;
  for (const assignment of context.dovecot.settings()) {
    const { name, form, statement, file, at } = assignment;
    if (!PEM_SETTINGS.has(name) || (form !== 'plain' && form !== 'quoted')) continue;
    const { value } = statement;
    if (!/^\s*(?:\.{0,2}\/\S|[\w.-]+\.(?:pem|crt|cer|key|der)$)/.test(value) || isTemplated(value)) continue;
    const isKey = name.endsWith('key');
    yield {
      message: name === 'ssl_ca' ? 'authority' : isKey ? 'key' : 'default',
      at,
      setting: name,
      actual: value,
      expected: `<${value.trim()}`,
      fix: {
        title: `write ${name} = <${value.trim()}`,
        edits: replaceValue(file, statement, `<${value.trim()}`),
        writes: [],
      },
    };
  }
}

/** Settings of 2.2 and 2.3 that hold the text of a PEM file. */
const PEM_SETTINGS: ReadonlySet<string> = new Set([
  'ssl_cert',
  'ssl_key',
  'ssl_alt_cert',
  'ssl_alt_key',
  'ssl_ca',
  'ssl_dh',
  'ssl_client_cert',
  'ssl_client_key',
]);

function* certificatePrinted(context: DovecotCheckContext): Iterable<Report> {
  if (!hasDovecotFeature(context.dovecot.release, 'namedFilters')) return;
  for (const { setting, form, statement, file, at, name } of context.dovecot.settings()) {
    if (setting?.type !== 'file' || form !== 'file') continue;
    yield {
      message: /key/.test(name) ? 'key' : 'default',
      at,
      setting: name,
      actual: `<${statement.value}`,
      expected: statement.value,
      fix: {
        title: `write ${statement.key} = ${statement.value}`,
        edits: replaceValue(file, statement, statement.value),
        writes: [],
      },
    };
  }
}

/** Checks of values, by the name that rule files call. */
export const dovecotValueChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/bad-value': badValue,
  'dovecot/config-version': configVersion,
  'dovecot/literal-variable': literalVariable,
  'dovecot/certificate-not-read': certificateNotRead,
  'dovecot/certificate-printed': certificatePrinted,
};
