import type { Edit } from '../../text/edits.ts';
import type { Location } from '../../text/source.ts';
import { addCommentAbove, addLines, removeStatement, renameKey, replaceValue } from '../edits.ts';
import { isFilterType } from '../filter.ts';
import type { DovecotTree, Read } from '../load.ts';
import { NEWEST_WITHOUT_CONFIG_VERSION, provenByNames } from '../releases.ts';
import { rewriting } from '../replacement.ts';
import { defaultServices } from '../services.ts';
import { type SettingHistory, type SettingsTable, settingHistory } from '../settings.ts';
import { type Surroundings, surroundings, tablePath } from '../surroundings.ts';
import { dialectOf } from '../syntax/dialect.ts';
import type {
  DovecotFile,
  EndStatement,
  SectionStatement,
  SettingStatement,
  Statement,
} from '../syntax/tree.ts';
import { modernArgs, modernFields } from './databases.ts';
import { modernLocation } from './mail-location.ts';
import { decide, type Modern, modernText, modernValue, SAME, sectionOf } from './modern.ts';
import { modernPlugin } from './plugin.ts';

/** One line of 2.2 or 2.3 on its way to 2.4. */
export interface MigrationStep {
  /** `rewrite`: exact, `drop`: nothing takes its place, `decide`: somebody has to say, `unknown`: no release has it. */
  readonly kind: 'rewrite' | 'drop' | 'decide' | 'unknown';
  readonly at: Location;
  /** The key as it stands there. */
  readonly key: string;
  /** Names that take its place; empty where none does. Values are not among them. */
  readonly to: string;
  /** What is to be decided, as half a sentence; else empty. */
  readonly note: string;
  readonly edits: readonly Edit[];
}

/** A configuration of 2.2 or 2.3 that is read by 2.4. */
export interface Migration {
  readonly steps: readonly MigrationStep[];
  /** Where the lines with the versions go: the first statement of dovecot.conf. */
  readonly start: Location;
  /** The edits that put them there. */
  readonly versionEdits: (version: string) => readonly Edit[];
}

/** Files of the packages: a new release brings its own. */
const OF_PACKAGES = '/usr/share/';

/**
 * The way of a configuration to 2.4, line by line; null where the files are not those of 2.2 or 2.3: they
 * say for which 2.4 they are written, they use names that came with it, or nothing in them is older.
 *
 * What is exact is rewritten where it stands. What is not stays as it is, with a comment above it that says
 * what to decide, and 2.4 does not start before somebody has. Defaults that changed are not looked at.
 *
 * @param table the settings of the release of 2.4
 */
export function migration(tree: DovecotTree, table: SettingsTable): Migration | null {
  const isModern =
    tree.statements.some(
      ({ statement }) => statement.kind === 'setting' && statement.key === 'dovecot_config_version',
    ) || tree.files.some(({ source: { text } }) => provenByNames(text) !== null);
  if (isModern) return null;
  const steps = new Walk(tree, table).steps();
  if (!steps.some(({ kind }) => kind !== 'unknown')) return null;
  const { main } = tree;
  const first = main.statements[0]?.line.span ?? { start: 0, end: 0 };
  const { start, end } = first;
  const text = main.source.text.slice(start, end).replace(/\s+$/, '');
  const hasStorage = tree.statements.some(
    ({ statement }) => statement.kind === 'setting' && statement.key === 'dovecot_storage_version',
  );
  return {
    steps,
    start: { source: main.source, span: { start, end: start + text.length } },
    versionEdits: (version) =>
      addLines(
        main,
        [
          `dovecot_config_version = ${version}`,
          ...(hasStorage ? [] : [`dovecot_storage_version = ${version}`]),
        ],
        'start',
      ),
  };
}

/** Sections of 2.3 whose whole content has another form in 2.4. */
const REDONE: Readonly<Record<string, string>> = {
  dict: '2.4 has dict_server { dict NAME { driver = … } }, and no file of its own for a dictionary',
  event_exporter: '2.4 has a driver and its settings in event_exporter',
  metric: '2.4 has filter and group_by of another form in metric',
};

/** Sections that need a name since 2.4. */
const NAMED: ReadonlySet<string> = new Set(['passdb', 'userdb', 'namespace', 'inet_listener']);

/** What the lines of one section say, by key. */
type Inside = ReadonlyMap<string, string>;

/** A brace that closes a section. */
interface Ending {
  readonly file: DovecotFile;
  readonly statement: EndStatement;
}

class Walk {
  readonly #table: SettingsTable;
  readonly #all: readonly Surroundings[];
  readonly #inside = new Map<Read | null, Map<string, string>>();
  readonly #ends = new Map<Read, Ending>();
  readonly #names = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #keys = new Set<string>();

  constructor(tree: DovecotTree, table: SettingsTable) {
    this.#table = table;
    this.#all = surroundings(tree);
    const open: Read[] = [];
    for (const { read, sections } of this.#all) {
      const { file, statement } = read;
      if (statement.kind === 'end') {
        const section = open.pop();
        if (section !== undefined) this.#ends.set(section, { file, statement });
      }
      if (statement.kind === 'section') open.push(read);
      if (statement.kind === 'section') this.#names.add(`${statement.key} ${statement.name}`);
      if (statement.kind !== 'setting') continue;
      this.#keys.add(statement.key);
      const section = sections.at(-1) ?? null;
      const known = this.#inside.get(section) ?? new Map<string, string>();
      this.#inside.set(section, known.set(statement.key, statement.value));
    }
  }

  steps(): MigrationStep[] {
    const steps: MigrationStep[] = [];
    const seen = new Set<unknown>();
    // Sections that are marked as a whole.
    const marked = new Set<Read>();
    for (const { read, sections } of this.#all) {
      const { file, statement } = read;
      if (file.source.path.includes(OF_PACKAGES)) continue;
      if (seen.has(statement)) continue;
      seen.add(statement);
      if (sections.some((section) => marked.has(section))) continue;
      if (statement.kind === 'section') {
        const modern = this.#section(file, statement, sections, read);
        if (modern === null) continue;
        if (modern.kind === 'decide') marked.add(read);
        steps.push(modern);
      } else if (statement.kind === 'setting') {
        const step = this.#setting(file, statement, sections);
        if (step !== null) steps.push(step);
      }
    }
    return steps;
  }

  #section(
    file: DovecotFile,
    statement: SectionStatement,
    sections: readonly Read[],
    read: Read,
  ): MigrationStep | null {
    const { key, name, keySpan } = statement;
    const at = {
      source: file.source,
      span: { start: keySpan.start, end: statement.nameSpan?.end ?? keySpan.end },
    };
    const marked = (note: string): MigrationStep => ({
      kind: 'decide',
      at,
      key,
      to: '',
      note,
      edits: mark(file, statement, note),
    });
    if (statement.group) return null;
    if (isFilterType(key)) {
      if (key === 'local_name' && /\s/.test(name)) return marked('2.4 takes one name in each local_name');
      if (key !== 'protocol' || name !== 'managesieve' || statement.nameSpan === null) return null;
      const { start, end } = statement.nameSpan;
      const edits = [{ path: file.source.path, span: { start, end }, text: 'sieve' }];
      return { kind: 'rewrite', at, key, to: 'protocol sieve', note: '', edits };
    }
    if (key === 'plugin') {
      const end = this.#endOf(read);
      if (end === null) return marked('2.4 has no plugin section: write its settings outside of it');
      return {
        kind: 'rewrite',
        at,
        key,
        to: 'the settings themselves, without a section around them',
        note: '',
        edits: [...removeStatement(file, statement), ...removeStatement(end.file, end.statement)],
      };
    }
    const inside = this.#inside.get(read) ?? new Map<string, string>();
    if (key === 'dict' && sections.length === 0 && inside.size === 0) {
      const end = this.#endOf(read);
      const edits = end === null ? [] : removeStatement(end.file, end.statement);
      if (end !== null)
        return {
          kind: 'drop',
          at,
          key,
          to: '',
          note: '',
          edits: [...removeStatement(file, statement), ...edits],
        };
    }
    const redone = REDONE[key];
    if (redone !== undefined) return marked(redone);
    if (this.#table.get(key) === null) {
      const isOld = settingHistory(key, tablePath(sections)) !== null || key === 'auth';
      return isOld ? marked(`2.4 has no section ${key}`) : null;
    }
    if (key === 'service' && this.#isEnded(name, read)) return marked(`2.4 has no service ${name}`);
    if (!NAMED.has(key) || name !== '') return null;
    const given = this.#nameFor(key, inside);
    if (given === null) return marked(`name the driver of this ${key}, and the section after it`);
    const { end } = keySpan;
    const text = file.source.text[end] === '{' ? ` ${given} ` : ` ${given}`;
    const edits = [{ path: file.source.path, span: { start: end, end }, text }];
    return { kind: 'rewrite', at, key, to: `${key} ${given}`, note: '', edits };
  }

  /** A service that Dovecot had by itself in 2.3 only. */
  #isEnded(name: string, read: Read): boolean {
    return (
      defaultServices(NEWEST_WITHOUT_CONFIG_VERSION).has(name) &&
      !defaultServices(this.#table.release).has(name) &&
      this.#inside.get(read)?.has('executable') !== true
    );
  }

  /** A name that says what a section is, and that no other one has. */
  #nameFor(key: string, inside: Inside): string | null {
    const base =
      key === 'namespace'
        ? /^(y|yes|1)$/i.test(inside.get('inbox') ?? '')
          ? 'inbox'
          : (inside.get('type') ?? 'other')
        : key === 'inet_listener'
          ? `port-${inside.get('port') ?? '0'}`
          : inside.get('driver');
    if (base === undefined || !/^[\w-]+$/.test(base)) return null;
    let count = this.#counts.get(`${key} ${base}`) ?? 1;
    const name = (): string => (count === 1 ? base : `${base}${count}`);
    while (this.#names.has(`${key} ${name()}`)) count++;
    this.#names.add(`${key} ${name()}`);
    this.#counts.set(`${key} ${base}`, count);
    return name();
  }

  /** The brace that closes a section, where it stands in the same file. */
  #endOf(read: Read): Ending | null {
    const end = this.#ends.get(read);
    return end?.file === read.file ? end : null;
  }

  #setting(file: DovecotFile, setting: SettingStatement, sections: readonly Read[]): MigrationStep | null {
    const path = tablePath(sections);
    const inside = this.#inside.get(sections.at(-1) ?? null) ?? new Map<string, string>();
    const modern = this.#modern(file, setting, path, inside, sections);
    const { key } = setting;
    const { start } = setting.keySpan;
    const at = { source: file.source, span: { start, end: setting.valueSpan.end } };
    if (modern === null || modern.kind === 'decide') {
      const note = modern?.note ?? 'neither 2.3 nor 2.4 has a setting of this name';
      const edits = mark(file, setting, note);
      return { kind: modern === null ? 'unknown' : 'decide', at, key, to: '', note, edits };
    }
    if (modern.kind === 'same') return null;
    if (modern.kind === 'drop')
      return { kind: 'drop', at, key, to: '', note: '', edits: removeStatement(file, setting) };
    if (modern.kind === 'setting') {
      const edits = [...renameKey(file, setting, modern.key), ...replaceValue(file, setting, modern.written)];
      // A switch that is turned round is told with its value, which is no secret.
      const to = /^(?:yes|no)$/.test(modern.written) ? `${modern.key} = ${modern.written}` : modern.key;
      return edits.length === 0 ? null : { kind: 'rewrite', at, key, to, note: '', edits };
    }
    // Comments between the lines of one value have no place in the new ones.
    if (setting.line.endLine - setting.line.firstLine > 1) {
      const note = `2.4 has ${modern.to} in its place`;
      const edits = mark(file, setting, note);
      return { kind: 'decide', at, key, to: modern.to, note, edits };
    }
    const edits = [{ path: file.source.path, span: at.span, text: indented(file, start, modern.lines) }];
    return { kind: 'rewrite', at, key, to: modern.to, note: '', edits };
  }

  /** What a setting is in 2.4; null for a name that no release has. */
  #modern(
    file: DovecotFile,
    setting: SettingStatement,
    path: string | null,
    inside: Inside,
    sections: readonly Read[],
  ): Modern | null {
    const { key, value, form } = setting;
    if (path === null && key.startsWith('plugin/')) {
      const inner = { ...setting, key: key.slice('plugin/'.length) };
      return modernPlugin(file, inner, new Map(), this.#table);
    }
    if (key.includes('/')) return decide('write it as a section with the setting of 2.4 in it');
    if (path === 'plugin') return modernPlugin(file, setting, inside, this.#table);
    const isText = form === 'plain' || form === 'quoted';
    if ((path === 'passdb' || path === 'userdb') && isText) {
      if (key === 'args') return modernArgs(path, inside.get('driver') ?? null, value);
      if (key === 'default_fields' || key === 'override_fields') return modernFields(key, value);
    }
    const pem = path === null ? PEM_OF_1[key] : undefined;
    if (pem !== undefined && isText) return fileSetting(pem, value);
    const history = settingHistory(key, path);
    const { replacement = null } = history ?? {};
    if (replacement?.kind === 'mail-location')
      return isText ? modernLocation(value.trim()) : decide('say mail_driver and mail_path');
    if (replacement?.kind === 'file' && replacement.to !== null && replacement.note === null) {
      return form === 'file'
        ? fileSetting(replacement.to, value)
        : decide(`2.4 has ${replacement.to}, which names a file; without < the value was the text itself`);
    }
    if (key === 'auth_worker_max_count' && sections.length === 0 && isText)
      return sectionOf('service auth-worker', [['process_limit', value]]);
    if (history === null || !this.#hasEnded(history)) return this.#kept(file, setting, path, history);
    return this.#replaced(file, setting, history);
  }

  #hasEnded({ replacement, legacy, section, name }: SettingHistory): boolean {
    return (
      legacy ||
      (replacement !== null && replacement.kind !== 'same' && this.#table.get(name, section) === null)
    );
  }

  /** A name that stays what it is. */
  #kept(
    file: DovecotFile,
    setting: SettingStatement,
    path: string | null,
    history: SettingHistory | null,
  ): Modern | null {
    const { key } = setting;
    const section = path?.slice(path.lastIndexOf('/') + 1) ?? null;
    const known = (section === null ? null : this.#table.get(`${section}_${key}`)) ?? this.#table.get(key);
    if (known !== null) return modernValue(file, setting, key, known.type);
    if (history === null) return null;
    return history.replacement?.kind === 'same' ? SAME : decide(`2.4 has no ${key}`);
  }

  /** A name that ended. */
  #replaced(file: DovecotFile, setting: SettingStatement, history: SettingHistory): Modern {
    const { replacement } = history;
    if (replacement === null) return decide(`2.4 has no ${setting.key}`);
    const told = [
      replacement.to === null ? [] : [`2.4 has ${replacement.to} in its place`],
      replacement.note === null ? [] : [replacement.note],
    ].flat();
    const undecided = decide(told.join(': ') || `2.4 has no ${setting.key}`);
    const to = rewriting(setting, replacement, dialectOf(this.#table.release));
    if (to === 'drop') return { kind: 'drop' };
    if (to === null) return undecided;
    const section = history.section?.slice(history.section.lastIndexOf('/') + 1);
    const known =
      this.#table.get(section === undefined ? to.key : `${section}_${to.key}`) ?? this.#table.get(to.key);
    // A second line with the new name would be the one that counts.
    if (known === null || (history.section === null && this.#keys.has(to.key))) return undecided;
    const text = modernText(to.written, to.key);
    if ('kind' in text) return text;
    return file.source.slice(setting.valueSpan).includes('\n')
      ? undecided
      : { kind: 'setting', key: to.key, written: text.written };
  }
}

/** Settings of 1.x that named a file, and what 2.4 calls them. */
const PEM_OF_1: Readonly<Record<string, string>> = {
  ssl_cert_file: 'ssl_server_cert_file',
  ssl_key_file: 'ssl_server_key_file',
};

/** A file that 2.3 read behind a `<`, and 2.4 by its name. */
function fileSetting(key: string, path: string): Modern {
  if (!path.startsWith('/')) return decide(`2.4 has ${key}: give it the whole path`);
  const text = modernText(path, key);
  return 'kind' in text ? text : { kind: 'setting', key, written: text.written };
}

/** The comment above what is to be decided, unless it stands there already. */
function mark(file: DovecotFile, statement: Statement, note: string): readonly Edit[] {
  const comment = `To be decided for Dovecot 2.4: ${note}`;
  const above = file.lines[statement.line.firstLine - 1];
  const isThere = above?.kind === 'comment' && file.source.slice(above.span).trim() === `# ${comment}`;
  return isThere ? [] : addCommentAbove(file, statement, comment);
}

/** Lines in the place of one, indented like it. */
function indented({ source: { text } }: DovecotFile, at: number, lines: readonly string[]): string {
  const indent = /[ \t]*$/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1, at))?.[0] ?? '';
  return lines.join(`${text.includes('\r\n') ? '\r\n' : '\n'}${indent}`);
}
