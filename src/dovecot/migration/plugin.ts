import { type SettingsTable, settingHistory } from '../settings.ts';
import type { DovecotFile, SettingStatement } from '../syntax/tree.ts';
import { decide, type Modern, modernText, modernValue, sectionOf } from './modern.ts';

/**
 * A setting of the section plugin of 2.3 as 2.4 has it: a global one, or a section.
 *
 * Sources: quota.c, sieve-storage.c and sieve-plugins of 2.3.19.1 and Pigeonhole 0.5; names and forms by
 * doveconf of 2.4.1 and 2.4.5.
 *
 * @param beside the other settings of the section, by key
 */
export function modernPlugin(
  file: DovecotFile,
  setting: SettingStatement,
  beside: ReadonlyMap<string, string>,
  table: SettingsTable,
): Modern {
  const { key, value, form } = setting;
  if (form === 'variables' || form === 'heredoc' || form === 'file') {
    const [, told] = REDONE.find(([prefix]) => key.startsWith(prefix)) ?? [];
    return decide(told ?? '2.4 has no plugin section: find what takes the place of this setting');
  }
  const special = SPECIAL[key] ?? SPECIAL[key.replace(/\d+$/, '')];
  if (special !== undefined) return special(value.trim(), beside, key);
  const known = table.get(key);
  if (known !== null) return modernValue(file, setting, key, known.type);
  const replacement = settingHistory(key, 'plugin')?.replacement ?? null;
  if (replacement?.kind === 'rename' && replacement.to !== null && SAME_VALUE.has(key))
    return modernValue(file, setting, replacement.to, table.get(replacement.to)?.type ?? null);
  const [, redone] = REDONE.find(([prefix]) => key.startsWith(prefix)) ?? [];
  if (redone !== undefined) return decide(redone);
  const to = replacement?.to ?? null;
  return decide(
    to === null
      ? '2.4 has no plugin section, and no setting in the place of this one'
      : `2.4 has ${to} in its place`,
  );
}

/** Plugins whose settings have another form as a whole. */
const REDONE: readonly (readonly [prefix: string, note: string])[] = [
  ['imapsieve_', '2.4 has a sieve_script with type and cause inside of mailbox or imapsieve_from sections'],
  ['mail_crypt_', '2.4 has crypt_global_public_key_file, crypt_global_private_key and their kin'],
  ['zlib_save', '2.4 has mail_compress_write_method'],
  ['fts', '2.4 has sections fts NAME { } and language NAME { }'],
];

/** Settings that only their name changed of. */
const SAME_VALUE: ReadonlySet<string> = new Set(['quota_max_mail_size']);

type Special = (value: string, beside: ReadonlyMap<string, string>, key: string) => Modern;

const SPECIAL: Readonly<Record<string, Special>> = {
  acl: (value) =>
    value === 'vfile'
      ? { kind: 'setting', key: 'acl_driver', written: 'vfile' }
      : decide('say acl_driver, and what takes the place of its arguments'),
  quota: (value) => {
    const [, driver = '', name = ''] = /^(count|maildir|fs):([\w ]+)$/.exec(value) ?? [];
    if (driver === '') return decide('2.4 has quota NAME { driver = … } in its place');
    return sectionOf(`quota ${/\s/.test(name) ? `"${name}"` : name}`, [['driver', driver]]);
  },
  quota_rule: (value, _, key) => {
    const [, unit, number = '', suffix = ''] = /^\*:(storage|bytes)=(\d+)([kMGT]?)$/.exec(value) ?? [];
    if (unit === undefined || key !== 'quota_rule')
      return decide('2.4 has quota_storage_size, and quota_storage_extra in a mailbox section');
    const written = /^0+$/.test(number) ? 'unlimited' : number + (suffix || (unit === 'storage' ? 'k' : 'B'));
    return { kind: 'setting', key: 'quota_storage_size', written };
  },
  quota_vsizes: (value, beside) =>
    /^(y|yes|1)$/i.test(value) && beside.get('quota')?.startsWith('count:') === true
      ? { kind: 'drop' }
      : decide('2.4 has virtual sizes with the driver count only'),
  quota_grace: () => decide('2.4 has quota_storage_grace, which is a size and no share'),
  quota_warning: () =>
    decide('2.4 has a section quota_warning NAME { } with quota_storage_percentage and execute'),
  sieve: (value, beside) => {
    const [, folder, active] = /^file:([^;]+);active=([^;]+)$/.exec(value) ?? [];
    if (folder !== undefined && active !== undefined) return personalScript(folder, active);
    if (value === '' || /[;:]/.test(value)) return decide('2.4 has sieve_script NAME { path, active_path }');
    return personalScript(beside.get('sieve_dir') ?? '~/sieve', value);
  },
  sieve_dir: (value, beside) => {
    if (!beside.has('sieve')) return personalScript(value, '~/.dovecot.sieve');
    // The line with sieve says both.
    return /[;:]/.test(beside.get('sieve') ?? ':')
      ? decide('2.4 has sieve_script NAME { path }')
      : { kind: 'drop' };
  },
  sieve_before: script('before'),
  sieve_after: script('after'),
  sieve_default: script('default'),
  sieve_global_path: script('default'),
  sieve_global_dir: globalScripts,
  sieve_global: globalScripts,
  sieve_extensions: extensions,
  sieve_global_extensions: extensions,
};

function personalScript(folder: string, active: string): Modern {
  return textSection('sieve_script personal', [
    ['path', folder],
    ['active_path', active],
  ]);
}

/** A script of the administrator; a folder of them may mean another thing in 2.4. */
function script(type: string): Special {
  return (value, beside, key) => {
    const number = /\d+$/.exec(key)?.[0] ?? '';
    const file = value.replace(/^file:/, '');
    if (!/^[/~][^;:]*\.sieve$/.test(file) || (type === 'default' && beside.has('sieve_default_name')))
      return decide(`2.4 has sieve_script NAME { type = ${type}, path }`);
    return textSection(`sieve_script ${type}${number}`, [
      ['type', type],
      ['path', file],
    ]);
  };
}

function globalScripts(value: string): Modern {
  const folder = value.replace(/^file:/, '');
  if (!/^[/~][^;:]*$/.test(folder)) return decide('2.4 has sieve_script NAME { type = global, path }');
  return textSection('sieve_script global', [
    ['type', 'global'],
    ['path', folder],
  ]);
}

/** Words with a sign add to the list of extensions or take from it; without, they are the list. */
function extensions(value: string, _: ReadonlyMap<string, string>, key: string): Modern {
  const words = value.split(/\s+/).filter((word) => word !== '');
  const signed = words.map((word) => /^([+-])([\w.;-]+)$/.exec(word));
  if (words.length === 0 || signed.some((match) => match === null))
    return signed.every((match) => match === null)
      ? { kind: 'setting', key, written: value }
      : decide('2.4 has a list of extensions, or a block that adds to it');
  return sectionOf(
    key,
    signed.map((match) => [match?.[2] ?? '', match?.[1] === '+' ? 'yes' : 'no'] as const),
  );
}

function textSection(head: string, settings: readonly (readonly [key: string, value: string])[]): Modern {
  const written: (readonly [string, string])[] = [];
  for (const [key, value] of settings) {
    const text = modernText(value, key);
    if ('kind' in text) return text;
    written.push([key, text.written]);
  }
  return sectionOf(head, written);
}
