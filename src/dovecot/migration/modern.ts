import { oldVariables, STRFTIME_SETTINGS } from '../old-variables.ts';
import { type SettingType, settingHistory } from '../settings.ts';
import type { DovecotFile, SettingStatement } from '../syntax/tree.ts';

/**
 * What a line of 2.2 or 2.3 is in 2.4: the same, another line, several lines, nothing, or something that
 * somebody has to decide.
 */
export type Modern =
  | { readonly kind: 'same' }
  | { readonly kind: 'setting'; readonly key: string; readonly written: string }
  /** Lines from the outermost indentation on; `to` names what they set. */
  | { readonly kind: 'lines'; readonly lines: readonly string[]; readonly to: string }
  | { readonly kind: 'drop' }
  | Decision;

/** What somebody has to decide, as half a sentence. */
export interface Decision {
  readonly kind: 'decide';
  readonly note: string;
}

/** Nothing changes. */
export const SAME: Modern = { kind: 'same' };

/** What somebody has to decide. */
export function decide(note: string): Decision {
  return { kind: 'decide', note };
}

/** Several settings in the place of one line. */
export function settingLines(settings: readonly (readonly [key: string, written: string])[]): Modern {
  return {
    kind: 'lines',
    lines: settings.map(([key, written]) => `${key} = ${written}`),
    to: settings.map(([key]) => key).join(', '),
  };
}

/** A section with settings in it, in the place of one line. */
export function sectionOf(
  head: string,
  settings: readonly (readonly [key: string, written: string])[],
): Modern {
  return {
    kind: 'lines',
    lines: [`${head} {`, ...settings.map(([key, written]) => `  ${key} = ${written}`), '}'],
    to: `${head} { ${settings.map(([key]) => key).join(', ')} }`,
  };
}

/**
 * A text of 2.2 or 2.3 with its variables as 2.4 has them.
 *
 * @param name the setting that it is the value of
 */
export function modernText(text: string, name: string): { readonly written: string } | Decision {
  if (STRFTIME_SETTINGS.has(name)) return { written: text };
  if (!text.includes('%') && !text.includes('$')) return { written: text };
  if (LOG_FORMAT.test(name) && /[%$]/.test(text)) return decide('2.4 has other variables in log formats');
  if (text.includes('%%')) return decide('2.3 read %% as %, 2.4 takes both as they stand');
  const modified = /%[A-Z0-9.]+\{/.exec(text)?.[0];
  if (modified !== undefined)
    return decide(`2.4 has filters in the place of modifiers such as ${modified.slice(0, -1)}`);
  if (name === 'pop3_uidl_format') return modernUidl(text);
  const { found, written } = oldVariables(text);
  if (written === null) return decide(`2.4 has a program %{…} in the place of ${found.join(' and ')}`);
  const left = /%[0-9.]*[A-Za-z]/.exec(written)?.[0];
  if (left !== undefined) return decide(`2.4 takes ${left} as it stands`);
  const unknown = [...text.matchAll(/%\{([^{}|]*)/g)]
    .map(([, variable = '']) => variable.trim())
    .filter((variable) => !SAME_VARIABLES.has(variable));
  const long = new Map(unknown.map((variable) => [variable, LONG_VARIABLES[variable]]));
  const [open] = [...long].find(([, program]) => program === undefined) ?? [];
  if (open !== undefined) return decide(`2.4 may call the variable %{${open}} otherwise`);
  return {
    written: written.replace(/%\{([a-z_]+)\}/g, (whole: string, variable: string) => {
      const program = long.get(variable);
      return program === undefined ? whole : `%{${program}}`;
    }),
  };
}

/** Variables of POP3's identifiers, and what 2.4 has for them; its default is the first two. */
const UIDL: Readonly<Record<string, string>> = {
  '%08Xu': '%{uid | hex(8)}',
  '%08Xv': '%{uidvalidity | hex(8)}',
  '%u': '%{uid}',
  '%v': '%{uidvalidity}',
  '%g': '%{guid}',
  '%f': '%{filename}',
};

function modernUidl(text: string): { readonly written: string } | Decision {
  const written = text.replace(/%(?:08X)?[a-z]/g, (whole) => UIDL[whole] ?? whole);
  return /%(?!\{)/.test(written)
    ? decide('2.4 has other variables here, and clients fetch all mail anew where the result differs')
    : { written };
}

/** Settings with variables of their own. */
const LOG_FORMAT = /_log_format|_log_prefix$|^login_log_|_logout_format$/;

/** Long names that 2.3 and 2.4 share in settings of mail and authentication. */
const SAME_VARIABLES: ReadonlySet<string> = new Set([
  'user',
  'home',
  'protocol',
  'session',
  'mechanism',
  'auth_user',
]);

/** Long names of 2.3 that are programs in 2.4. */
const LONG_VARIABLES: Readonly<Record<string, string>> = {
  username: 'user | username',
  domain: 'user | domain',
  service: 'protocol',
  lip: 'local_ip',
  rip: 'remote_ip',
  lport: 'local_port',
  rport: 'remote_port',
};

/**
 * The value of a setting that keeps its meaning, under the name and type that it has in 2.4.
 *
 * @param key its key in 2.4
 * @param type its type in 2.4; null for one that no table has
 */
export function modernValue(
  file: DovecotFile,
  setting: SettingStatement,
  key: string,
  type: SettingType | null,
): Modern {
  const raw = file.source.slice(setting.valueSpan);
  if (setting.form === 'heredoc' || setting.form === 'file') return SAME;
  if (type === 'boollist' || key === 'ssl_options') return modernList(setting, key);
  const referring = setting.form === 'variables' || /(?:^|\s)\$[a-z]/.test(setting.value);
  if (referring && setting.form !== 'quoted' && !LOG_FORMAT.test(key)) return modernReference(raw, key);
  const text = modernText(raw, setting.key);
  if ('kind' in text) return text;
  return key === setting.key && text.written === raw ? SAME : { kind: 'setting', key, written: text.written };
}

/** `$name` is `$SET:name`, where the name is one of a setting that 2.4 still has. */
function modernReference(raw: string, key: string): Modern {
  const names = [...raw.matchAll(/(?<!\S)\$([a-z][a-z0-9_]*)(?![\w:])/g)].map(([, name = '']) => name);
  const gone = names.find((name) => {
    const history = settingHistory(name);
    return history === null || history.removed !== null || history.legacy;
  });
  if (gone !== undefined) return decide(`it refers to ${gone}, which 2.4 does not have`);
  const written = raw.replace(/(?<!\S)\$([a-z][a-z0-9_]*)(?![\w:])/g, '$SET:$1');
  const text = modernText(written.replaceAll('$SET:', ''), key);
  if ('kind' in text) return text;
  return raw.includes('%')
    ? decide('it refers to settings and to variables')
    : { kind: 'setting', key, written };
}

/** Words that were a text in 2.3 and are a list in 2.4; what adds to the list so far is a block. */
function modernList(setting: SettingStatement, key: string): Modern {
  const words = setting.value.split(/[\s,]+/).filter((word) => word !== '');
  const self = `$${setting.key}`;
  const own = words.filter((word) => word !== self);
  const mapped = modernWords(key, own);
  if (!Array.isArray(mapped)) return mapped as Decision;
  if (/["\\]/.test(own.filter((word) => !word.startsWith('\\')).join(' ')))
    return decide('2.4 takes a list of words here, and not every word can be one');
  if (words.includes(self)) {
    if (words[0] !== self || !own.every((word) => /^[\w.-]+$/.test(word)))
      return decide('2.4 adds words to a list in a block only');
    if (mapped.length === 0) return { kind: 'drop' };
    return sectionOf(
      key,
      (mapped as readonly string[]).map((word) => [word, 'yes'] as const),
    );
  }
  const isChanged = mapped.join(' ') !== own.join(' ');
  if (key === setting.key && !isChanged) return SAME;
  if (mapped.length === 0) return { kind: 'drop' };
  return { kind: 'setting', key, written: mapped.join(' ') };
}

/** The words of a list as 2.4 has them. */
function modernWords(key: string, words: readonly string[]): readonly string[] | Decision {
  if (key === 'mail_plugins') {
    const gone = words.filter((word) => ENDED_PLUGINS.has(word));
    if (gone.length > 0) return decide(`2.4 has no plugin ${gone.join(' and no plugin ')}`);
    return words.map((word) => RENAMED_PLUGINS[word] ?? word);
  }
  if (key === 'ssl_options') return words.filter((word) => word !== 'no_compression');
  if (key !== 'protocols') return words;
  const names = words.map((word) => (word === 'managesieve' ? 'sieve' : word));
  const implicit = names.find(
    (word) => IMPLICIT[word] !== undefined && !names.includes(IMPLICIT[word] ?? ''),
  );
  if (implicit !== undefined)
    return decide(`${implicit} alone opened the port of implicit TLS only: say so in its inet_listener`);
  return names.filter((word) => IMPLICIT[word] === undefined);
}

/** Protocols of 1.x that are a listener of another one since 2.0. */
const IMPLICIT: Readonly<Record<string, string>> = { imaps: 'imap', pop3s: 'pop3' };

/** Plugins under another name in 2.4 (the modules of Debian's packages of 2.3.19.1, 2.4.1 and 2.4.5). */
const RENAMED_PLUGINS: Readonly<Record<string, string>> = { zlib: 'mail_compress' };

/** Plugins that 2.4 does not have (the same). */
const ENDED_PLUGINS: ReadonlySet<string> = new Set([
  'autocreate',
  'expire',
  'fts_lucene',
  'fts_squat',
  'imap_old_stats',
  'imap_stats',
  'imap_zlib',
  'listescape',
  'mailbox_alias',
  'old_stats',
  'replication',
  'snarf',
  'stats',
]);
