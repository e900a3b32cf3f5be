/**
 * What the server finds wrong when all is read: settings that do not go together, and values that their
 * type would take. doveconf names no line for them.
 *
 * Sources: the check functions between `<settings checks>` in the settings files of 2.3.13, 2.3.19.1, 2.4.1,
 * 2.4.4 and 2.4.5; each was seen on a reference server.
 */
import type { Release } from '../model/release.ts';
import { eventFilterFault } from './event-filter.ts';
import { type DovecotFeature, hasDovecotFeature } from './releases.ts';
import { checkValue } from './values.ts';
import { variableNames } from './variable-program.ts';

/** What settings are worth in the section that is checked. */
export interface Checked {
  readonly release: Release;
  /** Null where the release has no such setting, or where it is not known before references are replaced. */
  value(name: string): string | null;
  /** The words of a list. */
  words(name: string): readonly string[];
}

/** One thing that the server checks. */
interface Check {
  /** What it looks at; the first is to blame. */
  readonly names: readonly string[];
  /** What doveconf says, or null where nothing is wrong. */
  says(checked: Checked): string | null;
}

const WORKAROUNDS: Readonly<Record<string, readonly string[]>> = {
  imap: ['delay-newmail', 'tb-extra-mailbox-sep', 'tb-lsub-flags'],
  lmtp: ['whitespace-before-path', 'mailbox-for-path'],
  pop3: ['outlook-no-nuls', 'oe-ns-eoh'],
  submission: ['whitespace-before-path', 'mailbox-for-path', 'implicit-auth-external', 'exotic-backend'],
};

const FACILITIES: ReadonlySet<string> = new Set(
  'auth authpriv cron daemon ftp kern local0 local1 local2 local3 local4 local5 local6 local7 lpr mail news syslog user uucp'.split(
    ' ',
  ),
);

/** Hash algorithms that are not safe for fingerprints. */
const UNSAFE_HASHES: ReadonlySet<string> = new Set(['md4', 'md5', 'sha1', 'rmd160', 'sm3']);
const UIDL_VARIABLES: ReadonlySet<string> = new Set(['uidvalidity', 'uid', 'md5', 'filename', 'guid']);
const ONE_GIGABYTE = 1024n ** 3n;

const words = (text: string): string[] => text.split(/[ ,]+/).filter((word) => word !== '');

/** A number of one of the numeric types, as far as the value is one. */
function numberOf(checked: Checked, name: string, type: 'uint' | 'size' | 'time'): bigint | null {
  const value = checked.value(name);
  if (value === null) return null;
  const number = checkValue(type, value, [], checked.release);
  return number.ok ? number.number : null;
}

const isYes = (value: string | null): boolean => value !== null && /^(?:yes|y|1)$/i.test(value);

/** A check of numbers that must not be 0. */
function notZero(name: string, type: 'uint' | 'size' | 'time', says = `${name} must not be 0`): Check {
  return { names: [name], says: (checked) => (numberOf(checked, name, type) === 0n ? says : null) };
}

/** A bound of 0 is none. */
function notLarger(first: string, last: string): Check {
  return {
    names: [first, last],
    says(checked) {
      const low = numberOf(checked, first, 'uint');
      const high = numberOf(checked, last, 'uint');
      if (low === null || high === null || high === 0n) return null;
      return low > high ? `${first} can't be larger than ${last}` : null;
    },
  };
}

function workarounds(protocol: string): Check {
  const name = `${protocol}_client_workarounds`;
  return {
    names: [name],
    says(checked) {
      const known = WORKAROUNDS[protocol] ?? [];
      const unknown = checked.words(name).find((word) => !known.includes(word.toLowerCase()));
      return unknown === undefined ? null : `${name}: Unknown workaround: ${unknown}`;
    },
  };
}

function oneOf(name: string, known: readonly string[], says: (value: string) => string): Check {
  return {
    names: [name],
    says(checked) {
      const value = checked.value(name);
      return value === null || known.includes(value) ? null : says(value);
    },
  };
}

function eventFilter(name: string): Check {
  return {
    names: [name],
    says(checked) {
      const value = checked.value(name) ?? '';
      const fault = value === '' ? null : eventFilterFault(value, checked.release);
      return fault === null ? null : `Invalid ${name}: ${fault}`;
    },
  };
}

const VERBOSE_PASSWORDS: Check = {
  names: ['auth_verbose_passwords'],
  says(checked) {
    const value = checked.value('auth_verbose_passwords') ?? 'no';
    const colon = value.indexOf(':');
    const length = value.slice(colon + 1);
    if (colon >= 0 && !/^0*[1-9][0-9]*$/.test(length))
      return `auth_verbose_passwords: Invalid truncation number: '${length}'`;
    const word = colon < 0 ? value : value.slice(0, colon);
    return ['no', 'plain', 'sha1', 'yes'].includes(word) ? null : 'auth_verbose_passwords: Invalid value';
  },
};

const CACHE_SIZE: Check = {
  names: ['auth_cache_size'],
  says(checked) {
    const size = numberOf(checked, 'auth_cache_size', 'size') ?? 0n;
    return size > 0n && size < 1024n ? `auth_cache_size value is too small (${size} bytes)` : null;
  },
};

const POLICY_NONCE: Check = {
  names: ['auth_policy_hash_nonce', 'auth_policy_server_url'],
  says(checked) {
    if ((checked.value('auth_policy_server_url') ?? '') === '') return null;
    const nonce = checked.value('auth_policy_hash_nonce');
    return nonce === '' ? 'auth_policy_hash_nonce must be set when policy server is used' : null;
  },
};

/** Flags of ssl_options; 2.4 no longer knows that compression is off anyway. */
const SSL_OPTIONS: Check = {
  names: ['ssl_options'],
  says(checked) {
    const named = hasDovecotFeature(checked.release, 'namedFilters');
    if (!named && checked.value('ssl') === 'no') return null;
    const known = ['compression', 'no_ticket', ...(named ? [] : ['no_compression'])];
    const unknown = words(checked.value('ssl_options') ?? '').find(
      (word) => !known.includes(word.toLowerCase()),
    );
    return unknown === undefined ? null : `ssl_options: unknown flag: '${unknown}'`;
  },
};

/** Up to 2.3: variables of one letter, or with a long name by its letter. */
const OLD_UIDL_FORMAT: Check = {
  names: ['pop3_uidl_format'],
  says(checked) {
    const format = checked.value('pop3_uidl_format');
    if (format === null) return null;
    let found = false;
    for (const [, key = ''] of format.matchAll(/%(?:[-.0-9]*[A-Z]*)*(.)/gs)) {
      if (!'vumfg%{'.includes(key)) return `Unknown pop3_uidl_format variable: %${key}`;
      found ||= key !== '%';
    }
    return found ? null : "pop3_uidl_format setting doesn't contain any %% variables.";
  },
};

const UIDL_FORMAT: Check = {
  names: ['pop3_uidl_format'],
  says(checked) {
    const format = checked.value('pop3_uidl_format');
    const names = format === null ? null : variableNames(format);
    if (names === null) return null;
    const unknown = names.find((name) => !UIDL_VARIABLES.has(name));
    if (unknown !== undefined) return `Unknown pop3_uidl_format variable: %{${unknown}}`;
    return names.length > 0 ? null : "pop3_uidl_format setting doesn't contain any %{variables}.";
  },
};

const MAIL: readonly Check[] = [
  notZero('mailbox_idle_check_interval', 'time'),
  {
    names: ['mail_nfs_index'],
    says(checked) {
      if (!isYes(checked.value('mail_nfs_index'))) return null;
      if (!isYes(checked.value('mmap_disable'))) return 'mail_nfs_index=yes requires mmap_disable=yes';
      return checked.value('mail_fsync') === 'always'
        ? null
        : 'mail_nfs_index=yes requires mail_fsync=always';
    },
  },
  {
    names: ['mail_cache_max_size'],
    says: (checked) =>
      (numberOf(checked, 'mail_cache_max_size', 'size') ?? 0n) > ONE_GIGABYTE
        ? "mail_cache_max_size can't be over 1 GB"
        : null,
  },
  {
    names: ['mail_cache_purge_delete_percentage'],
    says: (checked) =>
      (numberOf(checked, 'mail_cache_purge_delete_percentage', 'uint') ?? 0n) > 100n
        ? "mail_cache_purge_delete_percentage can't be over 100"
        : null,
  },
];

const COMMON: readonly Check[] = [
  {
    names: ['syslog_facility'],
    says(checked) {
      const facility = checked.value('syslog_facility') ?? 'mail';
      return FACILITIES.has(facility) ? null : `Unknown syslog_facility: ${facility}`;
    },
  },
  eventFilter('log_debug'),
  eventFilter('log_core_filter'),
  eventFilter('process_shutdown_filter'),
  CACHE_SIZE,
  VERBOSE_PASSWORDS,
  POLICY_NONCE,
  SSL_OPTIONS,
  ...Object.keys(WORKAROUNDS).map(workarounds),
  oneOf(
    'lmtp_hdr_delivery_address',
    ['none', 'final', 'original'],
    (value) => `Unknown lmtp_hdr_delivery_address: ${value}`,
  ),
  {
    names: ['pop3_delete_type', 'pop3_deleted_flag'],
    says(checked) {
      const type = checked.value('pop3_delete_type');
      if (type === 'flag' && checked.value('pop3_deleted_flag') === '')
        return 'pop3_delete_type=flag, but pop3_deleted_flag not set';
      return null;
    },
  },
  ...MAIL,
  notLarger('first_valid_uid', 'last_valid_uid'),
  notLarger('first_valid_gid', 'last_valid_gid'),
];

const OLD: readonly Check[] = [
  {
    names: ['listen'],
    says: (checked) => (checked.value('listen') === '' ? "listen can't be set empty" : null),
  },
  notZero('auth_worker_max_count', 'uint', 'auth_worker_max_count must be above zero'),
  {
    names: ['ssl_verify_client_cert', 'ssl_ca'],
    says(checked) {
      if (checked.value('ssl') === 'no' || !isYes(checked.value('ssl_verify_client_cert'))) return null;
      return checked.value('ssl_ca') === '' ? 'ssl_verify_client_cert set, but ssl_ca not' : null;
    },
  },
  OLD_UIDL_FORMAT,
];

const NEW: readonly Check[] = [
  {
    names: ['auth_allow_cleartext', 'ssl'],
    says(checked) {
      if (checked.value('ssl') !== 'required' || !isYes(checked.value('auth_allow_cleartext'))) return null;
      return 'auth_allow_cleartext=yes has no effect with ssl=required';
    },
  },
  {
    names: ['mailbox_root_directory_name'],
    says: (checked) =>
      (checked.value('mailbox_root_directory_name') ?? '').includes('/')
        ? "mailbox_root_directory_name must not contain '/'"
        : null,
  },
  UIDL_FORMAT,
];

/** Checks that came with a release of 2.4. */
const LATER: Readonly<Partial<Record<DovecotFeature, readonly Check[]>>> = {
  safeFingerprints: [
    {
      names: ['ssl_peer_certificate_fingerprint_hash'],
      says(checked) {
        const hash = checked.value('ssl_peer_certificate_fingerprint_hash') ?? '';
        if (!UNSAFE_HASHES.has(hash.toLowerCase())) return null;
        return `ssl_peer_certificate_fingerprint_hash: Unsafe hash algorithm '${hash}' used`;
      },
    },
    {
      names: ['ssl_server_request_client_cert', 'ssl_server_ca_file'],
      says(checked) {
        if (checked.value('ssl') === 'no' || checked.value('ssl_server_request_client_cert') !== 'yes')
          return null;
        if (checked.value('ssl_server_ca_file') !== '') return null;
        return 'ssl_server_request_client_cert=yes, but ssl_server_ca_file not provided';
      },
    },
  ],
  zeroRefused: [
    notZero('last_valid_uid', 'uint'),
    notZero('last_valid_gid', 'uint'),
    notZero('mail_sort_max_read_count', 'uint'),
    notZero('mail_vsize_bg_after_count', 'uint'),
    notZero('mail_cache_max_header_name_length', 'uint'),
    notZero('mail_cache_max_headers_count', 'uint'),
    {
      names: ['ssl_min_protocol'],
      says: (checked) =>
        checked.value('ssl_min_protocol') === '' ? 'ssl_min_protocol cannot be empty' : null,
    },
  ],
};

/** All that is wrong with the settings of one section, with the setting to blame. */
export function checkSettings(checked: Checked): readonly { readonly name: string; readonly says: string }[] {
  const has = (feature: DovecotFeature): boolean => hasDovecotFeature(checked.release, feature);
  const later = Object.entries(LATER).flatMap(([feature, checks]) =>
    has(feature as DovecotFeature) ? checks : [],
  );
  return [...COMMON, ...(has('namedFilters') ? NEW : OLD), ...later].flatMap((check) => {
    const says = check.says(checked);
    return says === null ? [] : [{ name: check.names[0] ?? '', says }];
  });
}
