import { decide, type Modern, modernText } from './modern.ts';

/** A setting of a passdb or userdb of 2.4, by its short name, or a field that the database gives. */
type Part = readonly [key: string, value: string];

/** Names of drivers that 2.4 has no database for (the symbols of its auth program). */
const ENDED_DRIVERS: ReadonlySet<string> = new Set(['checkpassword', 'shadow', 'sia', 'vpopmail']);

/** Drivers of which `args` names a file in a language of its own, and what takes its place. */
const FILE_DRIVERS: Readonly<Record<string, string>> = {
  sql: 'write its connect line as sql_driver and a section such as mysql NAME { }, its query here as query, and keep passwords out of files that everyone reads',
  ldap: 'write its lines as ldap_uris, ldap_base, bind, filter and fields here',
  lua: 'write lua_file here',
};

/**
 * `args` of a passdb or userdb of 2.3 as the settings of 2.4, where the driver takes words.
 *
 * Sources: passdb-pam.c, db-passwd-file.c, passdb-static.c, userdb-static.c and userdb-passwd.c of 2.3.19.1;
 * settings and short names by doveconf of 2.4.1 and 2.4.5.
 *
 * @param section `passdb` or `userdb`
 * @param driver as the section has it; null where it has none
 */
export function modernArgs(section: string, driver: string | null, args: string): Modern {
  if (driver === null) return decide('name the driver of this database');
  if (ENDED_DRIVERS.has(driver)) return decide(`2.4 has no driver ${driver}: take another database`);
  if (args.trim() === '') return { kind: 'drop' };
  const moved = FILE_DRIVERS[driver];
  if (moved !== undefined) return decide(`2.4 reads no file of its own for ${driver}: ${moved}`);
  if (driver === 'passwd-file') return passwdFile(section, args);
  if (driver === 'pam' && section === 'passdb') return pam(args);
  if (driver === 'static') return staticFields(section, args);
  return decide(`2.4 has a setting for each argument of the driver ${driver}`);
}

/** `default_fields` and `override_fields`: those that only count where nothing else says them end in `:default`. */
export function modernFields(key: string, value: string): Modern {
  return partLines(
    [],
    words(value).map(([name, text]) => [key === 'default_fields' ? `${name}:default` : name, text]),
  );
}

function passwdFile(section: string, args: string): Modern {
  const settings: Part[] = [];
  let rest = args.trim();
  let scheme = 'CRYPT';
  for (;;) {
    const [whole, option = '', value = ''] = /^(scheme|username_format)=(\S*)\s+/.exec(rest) ?? [];
    if (whole === undefined) break;
    if (option === 'scheme') scheme = value;
    else settings.push(['auth_username_format', value]);
    rest = rest.slice(whole.length);
  }
  if (!rest.startsWith('/') || /\s/.test(rest))
    return decide('say passwd_file_path and what else this line means');
  const ofPasswords: Part[] = section === 'passdb' ? [['default_password_scheme', scheme]] : [];
  return partLines([...ofPasswords, ...settings, ['passwd_file_path', rest]], []);
}

/** Words of PAM that have a setting of the same name. */
const PAM_WORDS = /^(session|setcred|failure_show_msg)=yes$|^(max_requests)=([0-9]+)$/;

function pam(args: string): Modern {
  const settings: Part[] = [];
  for (const word of args.split(/\s+/).filter((text) => text !== '')) {
    const [, flag, limit, count = ''] = PAM_WORDS.exec(word) ?? [];
    if (flag !== undefined) settings.push([`pam_${flag}`, 'yes']);
    else if (limit !== undefined) settings.push([`pam_${limit}`, count]);
    else if (word === '*' || word === '%s') settings.push(['pam_service_name', '%{protocol}']);
    else if (/^[\w-]+$/.test(word)) settings.push(['pam_service_name', word]);
    else return decide(`2.4 has no ${word.split('=')[0] ?? ''} of this form for PAM`);
  }
  return partLines(settings, []);
}

function staticFields(section: string, args: string): Modern {
  const settings: Part[] = [];
  const fields: Part[] = [];
  for (const [name, value] of words(args)) {
    if (section === 'userdb' && name === 'allow_all_users') settings.push(['static_allow_all_users', value]);
    else if (section === 'passdb' && name === 'password') settings.push(['static_password', value]);
    else fields.push([name, value]);
  }
  return partLines(settings, fields);
}

/** `name=value` between blanks; a word without a value has none. */
function words(text: string): Part[] {
  return text
    .split(/[ \t]+/)
    .filter((word) => word !== '')
    .map((word): Part => {
      const equals = word.indexOf('=');
      return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
    });
}

/** Fields that 2.4 knows by other names. */
const RENAMED_FIELDS = /^(?:userdb_)?(?:mail|quota_rule\d*|quota|sieve\w*|system_groups_user|.*::.*)$/;

function partLines(settings: readonly Part[], fields: readonly Part[]): Modern {
  const unclear = fields.find(
    ([name, value]) =>
      value === '' || !/^[\w:]+$/.test(name) || RENAMED_FIELDS.test(name.replace(/:default$/, '')),
  );
  if (unclear !== undefined)
    return decide(`say what 2.4 has for the field ${unclear[0].replace(/:default$/, '')}`);
  const written = (parts: readonly Part[]): (readonly [string, string])[] | Modern => {
    const lines: (readonly [string, string])[] = [];
    for (const [key, value] of parts) {
      const text = modernText(value, key);
      if ('kind' in text) return text;
      if (/["'#\\]/.test(text.written)) return decide(`quote the value of ${key} for 2.4`);
      lines.push([key, text.written]);
    }
    return lines;
  };
  const own = written(settings);
  const given = written(fields);
  if ('kind' in own) return own;
  if ('kind' in given) return given;
  const block =
    given.length === 0 ? [] : ['fields {', ...given.map(([key, value]) => `  ${key} = ${value}`), '}'];
  return {
    kind: 'lines',
    lines: [...block, ...own.map(([key, value]) => `${key} = ${value}`)],
    to: [...(given.length === 0 ? [] : ['fields']), ...own.map(([key]) => key)].join(', '),
  };
}
