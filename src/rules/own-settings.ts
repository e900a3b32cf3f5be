import { FILTER_TYPES } from '../dovecot/filter.ts';
import { DOVECOT_RELEASES, NEWEST_WITHOUT_CONFIG_VERSION } from '../dovecot/releases.ts';
import {
  type DovecotSetting,
  type SettingsTable,
  settingHistory,
  settingsTable,
} from '../dovecot/settings.ts';
import { type CheckedType, checkValue as checkDovecotValue, isCheckedType } from '../dovecot/values.ts';
import type { Server } from '../model/endpoint.ts';
import type { Release } from '../model/release.ts';
import {
  type Parameter,
  type ParameterTable,
  POSTFIX_RELEASES,
  parameterTable,
} from '../postfix/parameters.ts';
import { checkValue, readTime } from '../postfix/values.ts';
import { nearest } from '../text/nearest.ts';

/** Names and values of settings in rules of users, held against what the releases of the servers know. */

/** What is wrong with the name of a setting; null: some release has it, or it can be the administrator's own. */
export function settingProblem(server: Server, name: string, within: string | undefined): string | null {
  return server === 'postfix' ? parameterProblem(name) : dovecotProblem(name, within);
}

/** What is wrong with the service or section that a setting is asked for. */
export function sectionProblem(server: Server, within: string): string | null {
  if (server === 'postfix') {
    return /^\S+\/(?:inet|unix|unix-dgram|fifo|pass)$/.test(within)
      ? null
      : `"${within}" is no service: write its name and type as in master.cf, such as "submission/inet"`;
  }
  for (const text of within.split('>')) {
    const [type = '', ...names] = text.trim().split(/\s+/);
    if (sectionTypes().has(type) && names.length <= 1) continue;
    const meant = nearest(type, sectionTypes());
    const hint = meant === null || meant === type ? '' : `; did you mean "${meant}"?`;
    return `"${text.trim()}" is no section: write it as "protocol imap" or "service imap-login > inet_listener imap"${hint}`;
  }
  return null;
}

/** What is wrong with a bound of `below` or `above`. */
export function boundProblem(
  server: Server,
  name: string,
  within: string | undefined,
  bound: string,
): string | null {
  if (server === 'dovecot') {
    const settings = dovecotSettings(name, within);
    const reads = ({ type, values }: DovecotSetting): boolean => {
      if (!COUNTED.has(type)) return false;
      return checkDovecotValue(type as CheckedType, bound, values, DOVECOT_RELEASES.newest).ok;
    };
    if (settings.length === 0 || settings.some(reads)) return null;
    const type = settings.find((setting) => COUNTED.has(setting.type))?.type;
    if (type === undefined) return `${name} holds no number, time or size`;
    return type.startsWith('time')
      ? `"${bound}" is no time: write it with its unit, as Dovecot does: "5 mins"`
      : `"${bound}" is no number: write 100, or a size such as "10M"`;
  }
  const parameter = parameterOf(name);
  if (parameter === null) return null;
  if (parameter.type === 'time')
    return readTime(bound, 's') === null ? `"${bound}" is no time: write 300s, 5m, 2h, 1d or 1w` : null;
  if (parameter.type === 'int')
    return /^[+-]?\d+[kMG]?$/.test(bound) ? null : `"${bound}" is no number: write 1000, 10k, 50M or 1G`;
  return `${name} holds no number or time`;
}

/**
 * What is wrong with a value, or a word of a list, that a fix writes.
 *
 * @param whole it is the whole value
 */
export function valueProblem(
  server: Server,
  name: string,
  within: string | undefined,
  value: string,
  whole: boolean,
): string | null {
  // oxlint-disable-next-line no-control-regex -- what no line can hold
  if (/[\u0000-\u001f\u007f]/.test(value) || value !== value.trim())
    return 'a value is one line, without white space at its ends';
  if (/(?:^|\s)#/.test(value)) return 'what begins with "#" would be read as a comment';
  if (!whole || value.includes('$')) return null;
  if (server === 'postfix') {
    const parameter = parameterOf(name);
    const wrong = parameter === null ? null : checkValue(parameter, value);
    if (wrong === null) return null;
    const allowed = wrong.allowed.length === 0 ? '' : `: ${wrong.allowed.join(', ')}`;
    return `Postfix does not take "${value}" for ${name}${allowed}`;
  }
  const settings = dovecotSettings(name, within).filter(({ type }) => isCheckedType(type));
  const problems = settings.map((setting) =>
    checkDovecotValue(setting.type as CheckedType, value, setting.values, DOVECOT_RELEASES.newest),
  );
  const [first] = problems;
  return first === undefined || first.ok || problems.some(({ ok }) => ok)
    ? null
    : `Dovecot does not take "${value}" for ${name}: ${first.says}`;
}

const COUNTED: ReadonlySet<string> = new Set<CheckedType>([
  'uint',
  'uint_oct',
  'in_port',
  'time',
  'time_msecs',
  'size',
]);

function newestTable(): ParameterTable {
  return parameterTable(POSTFIX_RELEASES.newest);
}

/** As the newest release has it, else the oldest; null for what neither has. */
function parameterOf(name: string): Parameter | null {
  return newestTable().get(name) ?? parameterTable(POSTFIX_RELEASES.oldest).get(name);
}

/** main.cf may define names of its own: one that is near to none of Postfix's is taken for such a name. */
function parameterProblem(name: string): string | null {
  if (!/^[^\s=#$]+$/.test(name)) return `"${name}" is no name of a parameter`;
  const table = newestTable();
  if (table.knownAnywhere(name) !== null) return null;
  const isOfTransport = table.templates.some((template) =>
    name.endsWith(template.name.slice(template.name.indexOf('>') + 1)),
  );
  if (isOfTransport) return null;
  const meant = nearest(
    name,
    new Set([...table.names(), ...parameterTable(POSTFIX_RELEASES.oldest).names()]),
  );
  return meant === null ? null : `Postfix has no parameter "${name}"; did you mean "${meant}"?`;
}

/** The releases whose settings are looked at: the newest of each language. */
const DOVECOTS: readonly Release[] = [DOVECOT_RELEASES.newest, NEWEST_WITHOUT_CONFIG_VERSION];

function dovecotTables(): SettingsTable[] {
  return DOVECOTS.map((release) => settingsTable(release));
}

/** The sections without the filters of connections, as the tables name them: `service/inet_listener`; null: none. */
function sectionOf(within: string | undefined): string | null {
  const types = (within ?? '')
    .split('>')
    .map((text) => text.trim().split(/\s+/)[0] ?? '')
    .filter((type) => type !== '' && !(FILTER_TYPES as readonly string[]).includes(type));
  return types.length === 0 ? null : types.join('/');
}

/** The names that a setting may have inside a section: its own, and the long one of 2.4. */
function namesWithin(name: string, section: string | null): readonly string[] {
  const innermost = section?.slice(section.lastIndexOf('/') + 1);
  return innermost === undefined ? [name] : [name, `${innermost}_${name}`];
}

function dovecotSettings(name: string, within: string | undefined): DovecotSetting[] {
  const section = sectionOf(within);
  return dovecotTables()
    .flatMap((table) => [
      table.get(name, section),
      ...namesWithin(name, section).map((full) => table.get(full)),
    ])
    .filter((setting) => setting !== null);
}

function dovecotProblem(name: string, within: string | undefined): string | null {
  const section = sectionOf(within);
  if (settingHistory(name, section) !== null) return null;
  if (namesWithin(name, section).some((full) => settingHistory(full) !== null)) return null;
  // Sections such as plugin hold whatever a plugin reads.
  if (section !== null && dovecotTables().some((table) => table.get(section)?.type === 'strlist'))
    return null;
  const known = new Set(dovecotTables().flatMap((table) => [...table.names(section), ...table.names()]));
  const meant = nearest(name, known);
  const where = section === null ? '' : ` in ${section.replace('/', ' > ')}`;
  return `Dovecot has no setting "${name}"${where}${meant === null ? '' : `; did you mean "${meant}"?`}`;
}

let types: ReadonlySet<string> | null = null;

/** What a section may be called. */
function sectionTypes(): ReadonlySet<string> {
  if (types === null) {
    const found = new Set<string>([
      ...FILTER_TYPES,
      'inet_listener',
      'unix_listener',
      'fifo_listener',
      'mailbox',
    ]);
    for (const table of dovecotTables()) {
      for (const name of table.names()) {
        const type = table.get(name)?.type;
        if (
          type === 'section' ||
          type === 'strlist' ||
          type === 'named_filter' ||
          type === 'named_list_filter'
        )
          found.add(name);
      }
    }
    types = found;
  }
  return types;
}
