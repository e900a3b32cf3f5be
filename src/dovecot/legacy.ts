import type { Release } from '../model/release.ts';
import { type Filter, isGlobal, matchesFilter } from './filter.ts';
import { parseNet } from './net.ts';
import type { DovecotFaultCode } from './outcome.ts';
import { hasDovecotFeature } from './releases.ts';
import { escapeSection } from './section-name.ts';
import type { ValueForm } from './syntax/tree.ts';

/** What the old names need of the reader that meets them. */
export interface LegacyHost {
  /** Path of the open section, with a slash at its end; empty outside of sections. */
  readonly path: string;
  readonly filter: Filter;
  obsolete(says: string): void;
  ignored(says: string): void;
  fail(code: DovecotFaultCode, says: string): void;
  /** As if the line read `key = value`. */
  set(key: string, value: string, form?: ValueForm): void;
  /** Sets a path as it is. */
  setPath(path: string, value: string, atRoot: boolean): void;
  /** Whether the release has a setting at that path. */
  knows(path: string): boolean;
  openSection(key: string, name: string): void;
  openPath(path: string, name: string): void;
}

/** Settings of 1.x that became one of the services of logins. */
const LOGIN_SETTINGS: Readonly<
  Record<string, { readonly key: string; readonly value?: (old: string) => string }>
> = {
  login_chroot: { key: 'chroot', value: (old) => (old === 'no' ? '' : 'login') },
  login_user: { key: 'user' },
  login_executable: { key: 'executable' },
  login_process_size: { key: 'vsz_limit', value: (old) => `${old} M` },
  login_process_per_connection: { key: 'service_count', value: (old) => (old === 'no' ? '0' : '1') },
  login_processes_count: { key: 'process_min_avail' },
  login_max_processes_count: { key: 'process_limit' },
  login_max_connections: { key: 'client_limit' },
};

/** The same for the services of mailboxes. */
const MAIL_SETTINGS: typeof LOGIN_SETTINGS = {
  max_mail_processes: { key: 'process_limit' },
  mail_executable: { key: 'executable' },
  mail_process_size: { key: 'vsz_limit', value: (old) => `${old} M` },
  mail_drop_priv_before_exec: { key: 'drop_priv_before_exec' },
};

/** The same for the authentication server. */
const AUTH_SETTINGS: typeof LOGIN_SETTINGS = {
  auth_executable: { key: 'executable' },
  auth_process_size: { key: 'vsz_limit', value: (old) => `${old} M` },
  auth_user: { key: 'user' },
  auth_chroot: { key: 'chroot' },
};

/** Settings that are read and dropped. */
const REMOVED: ReadonlySet<string> = new Set([
  'login_dir',
  'dbox_rotate_min_size',
  'dbox_rotate_days',
  'director_consistent_hashing',
  'mail_log_max_lines_per_sec',
  'maildir_copy_preserve_filename',
]);

const OLD_PROTOCOLS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'] as const;

/**
 * Names and sections of 1.x, and those that 2.3 has replaced: the server rewrites them and warns.
 *
 * Source: old-set-parser.c of 2.2.36.4, 2.3.13 and 2.3.19.1.
 */
export class LegacyNames {
  readonly #host: LegacyHost;
  readonly #release: Release;
  #baseDir = '/run/dovecot';
  /** Depth inside `auth NAME {`, 0 outside. */
  #auth = 0;
  /** Depth inside `socket listen {`, 0 outside. */
  #socket = 0;
  #listener: { path?: string; mode?: string; user?: string; group?: string } = {};
  #master = false;

  constructor(host: LegacyHost, release: Release) {
    this.#host = host;
    this.#release = release;
  }

  /** `key = value` without a reference and without a file; true where it is dealt with. */
  setting(key: string, value: string): boolean {
    if (this.#host.path !== '') return this.#pathSetting(key, value);
    return this.#protocolSetting(key, value) || this.#rootSetting(key, value);
  }

  /** `key name {`; true where it is dealt with. */
  section(key: string, name: string): boolean {
    if (this.#auth > 0) return this.#authSection(key, name);
    if (this.#host.path !== '') return false;
    if (key === 'auth') {
      this.#obsolete(
        'add auth_ prefix to all settings inside auth {} and remove the auth {} section completely',
      );
      this.#auth = 1;
      return true;
    }
    const renamed = [
      ['protocol', 'managesieve', 'sieve', 'protocol managesieve {} has been replaced by protocol sieve { }'],
      [
        'service',
        'dns_client',
        'dns-client',
        'service dns_client {} has been replaced by service dns-client { }',
      ],
    ].find(([type, old]) => type === key && old === name);
    if (renamed === undefined) return false;
    if (key === 'service' && !hasDovecotFeature(this.#release, 'dnsClientRenamed')) return false;
    this.#obsolete(renamed[3] ?? '');
    this.#host.openSection(key, renamed[2] ?? '');
    return true;
  }

  /** `}`; true where it is dealt with. */
  end(): boolean {
    if (this.#auth > 0 && --this.#auth === 0) return true;
    if (this.#socket === 0) return false;
    if (this.#socket === 2) this.#applyListener();
    this.#socket--;
    return true;
  }

  #obsolete(says: string): void {
    this.#host.obsolete(says);
  }

  #rename(old: string, key: string, value: string): void {
    this.#obsolete(`${old} has been renamed to ${key}`);
    this.#host.set(key, value);
  }

  #pathSetting(key: string, value: string): boolean {
    // Only in the first section without a name: the server compares the whole path.
    if (key !== 'imap_zlib_compress_level' || this.#host.path !== 'plugin/0/') return false;
    if (!hasDovecotFeature(this.#release, 'imapCompressRenamed')) return false;
    this.#obsolete(`${key} has been replaced by imap_compress_deflate_level`);
    this.#host.setPath('plugin/0/imap_compress_deflate_level', value, false);
    return true;
  }

  /** Settings that once stood inside `protocol`. */
  #protocolSetting(key: string, value: string): boolean {
    const global = isGlobal(this.#host.filter);
    if (key === 'ssl_listen' || (key === 'listen' && (hasPort(value) || !global)))
      return this.#listen(key, value, global);
    const login = Object.hasOwn(LOGIN_SETTINGS, key) ? LOGIN_SETTINGS[key] : undefined;
    if (login !== undefined) {
      this.#toServices(key, login, value, ['imap-login', 'pop3-login', 'managesieve-login']);
      return true;
    }
    const mail = Object.hasOwn(MAIL_SETTINGS, key) ? MAIL_SETTINGS[key] : undefined;
    if (mail !== undefined) {
      this.#toServices(key, mail, value, ['imap', 'pop3', 'managesieve']);
      return true;
    }
    const name = this.#auth === 1 && !key.startsWith('auth_') ? `auth_${key}` : key;
    const auth = Object.hasOwn(AUTH_SETTINGS, name) ? AUTH_SETTINGS[name] : undefined;
    if (auth !== undefined) {
      this.#obsolete(`${name} has been replaced by service auth { ${auth.key} }`);
      this.#host.setPath(`service/auth/${auth.key}`, auth.value?.(value) ?? value, true);
      return true;
    }
    if (name === 'auth_cache_size' && /^[0-9]+$/.test(value) && BigInt(value) > 0n && BigInt(value) < 1024n) {
      this.#obsolete(`auth_cache_size value no longer defaults to megabytes. Use ${value}M`);
      this.#host.setPath(name, `${value}M`, true);
      return true;
    }
    if (name === 'auth_count') {
      this.#obsolete(
        value === 'count'
          ? 'auth_count has been removed'
          : 'auth_count has been removed, and its value must be 1',
      );
      return true;
    }
    if (this.#socket === 2 && (name === 'path' || name === 'mode' || name === 'user' || name === 'group')) {
      this.#listener[name] = value;
      return true;
    }
    return false;
  }

  /** Sets a path where the open filter is for that protocol; ManageSieve may not be installed. */
  #setService(protocol: string, path: string, value: string): void {
    if (!matchesFilter(this.#host.filter, { protocol })) return;
    if (protocol !== 'sieve' || this.#host.knows(path)) this.#host.setPath(path, value, true);
  }

  /** Sets a key of the services of the protocols that the open filter is for; the last may not be installed. */
  #toServices(
    old: string,
    { key, value }: { readonly key: string; readonly value?: (old: string) => string },
    text: string,
    services: readonly [string, string, string],
  ): void {
    this.#obsolete(`${old} has been replaced by service { ${key} }`);
    ['imap', 'pop3', 'sieve'].forEach((protocol, index) => {
      this.#setService(protocol, `service/${services[index] ?? ''}/${key}`, value?.(text) ?? text);
    });
  }

  /** `listen = host:port` and `ssl_listen`. */
  #listen(key: string, written: string, global: boolean): boolean {
    const tls = key === 'ssl_listen' ? 's' : '';
    if (written === '') return true;
    let value = written;
    const listeners = [
      ['imap', `service/imap-login/inet_listener/imap${tls}`],
      ['pop3', `service/pop3-login/inet_listener/pop3${tls}`],
      ...(tls === '' ? [['sieve', 'service/managesieve-login/inet_listener/managesieve']] : []),
    ] as const;
    const each = (setting: string, text: string): void => {
      for (const [protocol = '', path = ''] of listeners) {
        this.#setService(protocol, `${path}/${setting}`, text);
      }
    };
    if (hasPort(written)) {
      this.#obsolete(`${key}=..:port has been replaced by service { inet_listener { port } }`);
      const colon = written.lastIndexOf(':');
      value = written.slice(0, colon);
      each('port', written.slice(colon + 1));
    }
    if (global && tls === '') {
      this.#host.set(key, value);
    } else {
      this.#obsolete(`protocol { ${key} } has been replaced by service { inet_listener { address } }`);
      each('address', value);
    }
    return true;
  }

  #rootSetting(key: string, value: string): boolean {
    if (key === 'base_dir') this.#baseDir = value.replace(/\/$/, '');
    if (key === 'protocols') return this.#protocols(value);
    if (key === 'ssl_cert_file' || key === 'ssl_key_file' || key === 'ssl_ca_file') {
      if (value === '') return true;
      const name = key.slice(0, key.lastIndexOf('_'));
      this.#obsolete(`${key} has been replaced by ${name} = <file`);
      this.#host.set(name, value, 'file');
      return true;
    }
    if (key === 'ssl_disable') {
      this.#rename(key, 'ssl', swap(value, 'no', 'yes'));
      return true;
    }
    if (hasDovecotFeature(this.#release, 'minProtocol') && this.#tlsSetting(key, value)) return true;
    if (key === 'sieve' || key === 'sieve_storage') {
      this.#obsolete(
        key === 'sieve'
          ? 'sieve has been moved into plugin {} section'
          : 'sieve_storage has been moved into plugin { sieve_dir }',
      );
      this.#host.setPath(`plugin/${key}`, value, false);
      return true;
    }
    if (key === 'fsync_disable') {
      this.#rename(key, 'mail_fsync', swap(value, 'never', 'optimized'));
      return true;
    }
    if (key === 'dbox_rotate_size') {
      this.#rename(key, 'mdbox_rotate_size', value);
      return true;
    }
    if (key.startsWith('mail_cache_compress_') && hasDovecotFeature(this.#release, 'cachePurgeRenamed')) {
      this.#rename(key, key.replace('compress', 'purge'), value);
      return true;
    }
    if (key === 'imap_client_workarounds') return this.#workarounds(value);
    if (REMOVED.has(key)) {
      this.#obsolete(`${key} has been removed`);
      return true;
    }
    if (this.#auth !== 1) return false;
    this.#host.set(key.startsWith('auth_') ? key : `auth_${key}`, value);
    return true;
  }

  #tlsSetting(key: string, value: string): boolean {
    if (key === 'ssl_parameters_regenerate' || key === 'ssl_dh_parameters_length') {
      this.#obsolete(`${key} is no longer needed`);
      return true;
    }
    if (key !== 'ssl_protocols') return false;
    this.#obsolete('ssl_protocols has been replaced by ssl_min_protocol');
    const lowest = lowestProtocol(value);
    if ('protocol' in lowest) this.#host.set('ssl_min_protocol', lowest.protocol);
    else {
      this.#host.ignored(
        `Could not find a minimum ssl_min_protocol setting from ssl_protocols = ${value}: ${lowest.says}`,
      );
    }
    return true;
  }

  #protocols(value: string): boolean {
    let words = value.split(' ').filter((word) => word !== '');
    const had = new Set(words);
    if (had.has('managesieve')) this.#obsolete('protocols=managesieve has been renamed to protocols=sieve');
    words = words
      .filter((word) => word !== 'imaps' && word !== 'pop3s')
      .map((word) => (word === 'managesieve' ? 'sieve' : word));
    for (const plain of ['imap', 'pop3'] as const) {
      if (!had.has(`${plain}s`)) continue;
      if (had.has(plain)) {
        this.#obsolete(`'${plain}s' protocol is no longer necessary, remove it`);
        continue;
      }
      this.#obsolete(
        `'${plain}s' protocol can no longer be specified (use protocols=${plain}). to disable non-ssl ${plain}, use service ${plain}-login { inet_listener ${plain} { port=0 } }`,
      );
      words.push(plain);
      this.#host.setPath(`service/${plain}-login/inet_listener/${plain}/port`, '0', false);
    }
    this.#host.set('protocols', words.join(' '));
    return true;
  }

  #workarounds(value: string): boolean {
    const words = value.split(/[ ,]+/);
    if (words.includes('outlook-idle'))
      this.#obsolete('imap_client_workarounds=outlook-idle is no longer necessary');
    if (words.includes('netscape-eoh'))
      this.#obsolete('imap_client_workarounds=netscape-eoh is no longer supported');
    this.#host.set(
      'imap_client_workarounds',
      words.map((word) => (word === 'outlook-idle' || word === 'netscape-eoh' ? '' : word)).join(' '),
    );
    return true;
  }

  #authSection(key: string, name: string): boolean {
    this.#listener = {};
    this.#auth++;
    if ((key === 'passdb' || key === 'userdb') && this.#auth === 2) {
      this.#obsolete(`${key} ${name} {} has been replaced by ${key} { driver=${name} }`);
      this.#host.openSection(key, '');
      this.#host.set('driver', name);
      return true;
    }
    if (key === 'socket' && this.#auth === 2) {
      if (name === 'connect')
        this.#obsolete('socket connect {} is no longer supported, configure external auth server separately');
      if (name !== 'listen') return false;
      this.#socket++;
      return true;
    }
    if (this.#socket > 0) this.#socket++;
    if ((key === 'master' || key === 'client') && this.#socket === 2) {
      this.#master = key === 'master';
      return true;
    }
    return false;
  }

  #applyListener(): void {
    const { path, mode, user, group } = this.#listener;
    this.#listener = {};
    if (path === undefined) {
      this.#host.fail('section-misplaced', 'socket listen {} is missing path');
      return;
    }
    const inside = path.startsWith(`${this.#baseDir}/`) ? path.slice(this.#baseDir.length + 1) : path;
    const master = inside.endsWith('-master') || inside.endsWith('-userdb');
    if (master !== this.#master) {
      this.#host.fail(
        'section-misplaced',
        this.#master
          ? 'socket listen { master { path=.. } } must end with -master (or -userdb) suffix'
          : 'socket listen { client { path=.. } } must end not with -master or -userdb suffix',
      );
      return;
    }
    this.#host.openPath('service/auth/unix_listener', inside);
    const prefix = `service/auth/unix_listener/${escapeSection(inside)}`;
    for (const [key, value] of [
      ['mode', mode],
      ['user', user],
      ['group', group],
    ] as const) {
      if (value !== undefined) this.#host.setPath(`${prefix}/${key}`, value, true);
    }
  }
}

/** Whether one of the addresses of `listen` has a port behind it. */
function hasPort(value: string): boolean {
  if (!value.includes(':')) return false;
  return value
    .split(/[, ]+/)
    .some(
      (word) => word !== '' && word !== '*' && word !== '::' && word !== '[::]' && parseNet(word) === null,
    );
}

function swap(value: string, yes: string, no: string): string {
  const word = value.toLowerCase();
  if (word === 'yes') return yes;
  return word === 'no' ? no : value;
}

/** The lowest protocol that a list of 2.2 leaves switched on, or what is wrong with the list. */
export function lowestProtocol(list: string): { readonly protocol: string } | { readonly says: string } {
  const on = new Set<string>();
  const off = new Set<string>();
  for (const word of list.split(/[, ]+/).filter((part) => part !== '')) {
    const name = word.replace(/^!/, '');
    if (!(OLD_PROTOCOLS as readonly string[]).includes(name))
      return { says: `Unrecognized protocol '${name}'` };
    (word.startsWith('!') ? off : on).add(name);
    (word.startsWith('!') ? on : off).delete(name);
  }
  const explicit = list.split(/[, ]+/).some((word) => word !== '' && !word.startsWith('!'));
  const lowest = OLD_PROTOCOLS.find((name) => (explicit ? on.has(name) : !off.has(name)));
  return lowest === undefined ? { says: 'All protocols disabled' } : { protocol: lowest };
}
