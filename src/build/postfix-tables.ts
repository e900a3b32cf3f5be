/**
 * Makes src/postfix/data/parameters.json from the facts about Postfix.
 *
 *   node esbuild.mjs run src/build/postfix-tables.ts FACTS_FOLDER
 *
 * FACTS_FOLDER holds postfix-parameters.json and postfix-obsolete.json. What the facts say wrongly or not
 * at all stands in CORRECTIONS and WORDS below, each with its reason. The form of the result is described
 * by `Line` in src/postfix/parameters.ts, which reads it.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type {
  Effect,
  Line,
  ObsoleteLine,
  ParameterType,
  Since,
  Storage,
} from '../postfix/parameter-lines.ts';
import { STORAGE_OF_TYPE } from '../postfix/parameter-lines.ts';

/** One entry of postfix-parameters.json. */
interface Fact {
  name: string;
  default: string | null;
  defaultsByVersion?: { since: string; default: string }[];
  alternativeDefaults?: { since: string; when: string; default: string }[];
  introduced: string | null;
  firstInPatch?: string[];
  type: ParameterType;
  storage?: Storage;
  values?: string[];
  min?: number;
  max?: number;
  daemons?: string[];
  compatDependent?: boolean;
  buildDependent?: boolean;
  deprecatedSince?: string | null;
  postconfWarnsSince?: string | null;
  removedSince?: string | null;
  replacedBy?: string | null;
  legacyAlias?: boolean;
}

/** postfix-obsolete.json, as far as it is not in the parameters. */
interface ObsoleteFacts {
  restrictions: { name: string; deprecatedSince: string; removedSince: string | null; replacedBy: string }[];
}

interface Correction {
  why: string;
  names: string[];
  change: Partial<Fact> & { onlyIn?: string[] };
}

const UNTIL_RENAMED =
  'read in mail_params.h of the release tags, and printed by postconf -d 3.5.25: the default before the name became an alias';

/** Lists of grades prefer anonymous suites wherever OpenSSL is 1.0.0 or newer, and so do all that are supported. */
const PREFER_ANONYMOUS = 'aNULL:-aNULL:';

function gradeList(name: string, early: string, middle: string, late: string): Correction {
  return {
    why: 'PREFER_aNULL of mail_params.h, 2.6.7, 2.7.1 and all from 2.8 to 3.3: the facts give what an older OpenSSL gets',
    names: [name],
    change: {
      defaultsByVersion: [
        since('2.3', early),
        since('2.6.7', PREFER_ANONYMOUS + early),
        since('2.7', early),
        since('2.7.1', PREFER_ANONYMOUS + early),
        since('3.1', PREFER_ANONYMOUS + middle),
        since('3.8', late),
      ],
    },
  };
}

const WEAK = ':!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5';

const CORRECTIONS: Correction[] = [
  gradeList(
    'tls_high_cipherlist',
    'ALL:!EXPORT:!LOW:!MEDIUM:+RC4:@STRENGTH',
    'HIGH:@STRENGTH',
    `${PREFER_ANONYMOUS}HIGH${WEAK}:@STRENGTH`,
  ),
  gradeList(
    'tls_medium_cipherlist',
    'ALL:!EXPORT:!LOW:+RC4:@STRENGTH',
    'HIGH:MEDIUM:+RC4:@STRENGTH',
    `${PREFER_ANONYMOUS}HIGH:MEDIUM${WEAK}:+RC4:@STRENGTH`,
  ),
  gradeList('tls_low_cipherlist', 'ALL:!EXPORT:+RC4:@STRENGTH', 'HIGH:MEDIUM:LOW:+RC4:@STRENGTH', ''),
  gradeList('tls_export_cipherlist', 'ALL:+RC4:@STRENGTH', 'HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH', ''),
  {
    why: UNTIL_RENAMED,
    names: ['postscreen_dnsbl_whitelist_threshold'],
    change: { type: 'int', defaultsByVersion: [since('2.11', '0'), since('3.6', '')] },
  },
  {
    why: UNTIL_RENAMED,
    names: ['postscreen_whitelist_interfaces'],
    change: { defaultsByVersion: [since('2.9', 'static:all'), since('3.6', '')] },
  },
  {
    why: UNTIL_RENAMED,
    names: ['tlsproxy_client_level'],
    change: {
      type: 'tls-security-level',
      defaultsByVersion: [since('3.4', '$smtp_tls_security_level'), since('3.7', '')],
    },
  },
  {
    why: UNTIL_RENAMED,
    names: ['tlsproxy_client_policy'],
    change: {
      type: 'map-list',
      defaultsByVersion: [since('3.4', '$smtp_tls_policy_maps'), since('3.7', '')],
    },
  },
  {
    why: UNTIL_RENAMED,
    names: ['postscreen_blacklist_action'],
    change: { defaultsByVersion: [since('2.8', 'ignore'), since('3.6', '')] },
  },
  {
    why: UNTIL_RENAMED,
    names: ['postscreen_dnsbl_ttl'],
    change: { type: 'time', defaultsByVersion: [since('2.8', '1h'), since('3.1', '')] },
  },
  {
    why: 'the facts give the number in the C table; postconf -d 3.5.25 prints the word of a boolean',
    names: ['lmtp_per_record_deadline', 'smtp_per_record_deadline'],
    change: { type: 'bool', defaultsByVersion: [since('2.9', 'no'), since('3.7', '')] },
  },
  {
    why: UNTIL_RENAMED,
    names: ['smtpd_per_record_deadline'],
    change: {
      type: 'bool',
      storage: 'nbool',
      defaultsByVersion: [
        since('2.9', '${stress?yes}${stress:no}'),
        since('3.0', '${stress?{yes}:{no}}'),
        since('3.7', ''),
      ],
    },
  },
  {
    why: 'the facts give the number in the C table of a boolean (mail_params.h 2.11.0 to 3.3.22)',
    names: ['tls_dane_trust_anchor_digest_enable'],
    change: { type: 'bool', default: 'yes', defaultsByVersion: [] },
  },
  {
    why: 'postconf_service.c: the suffix came with default_transport_rate_delay; 3.0 has neither',
    names: ['<transport>_transport_rate_delay'],
    change: { introduced: '3.1' },
  },
  {
    why: 'the name lasted one patch in each branch, and became tls_fast_shutdown_enable in the next (release tags)',
    names: ['tls_fast_shutdown'],
    change: {
      type: 'bool',
      default: 'yes',
      onlyIn: ['3.1.13', '3.2.10', '3.3.5', '3.4.6'],
      replacedBy: 'tls_fast_shutdown_enable',
    },
  },
];

/** The facts tell these in words: "built with OpenSSL >= 3.5". */
const BUILT_WITH = /^built with OpenSSL >= (\d+(?:\.\d+)*)$/;

interface Words {
  why: string;
  names: RegExp;
  words?: (string | Since<string>)[];
  tolerated?: string[];
  sameCase?: boolean;
  bad?: Effect;
}

/**
 * What the facts do not say about words, read in Postfix's sources (snapshot 3.12-20260821 and the release
 * tags). name_code() does not look at capitals; name_mask() does unless it is told otherwise.
 */
const WORDS: Words[] = [
  {
    why: 'tls_level.c: dane and dane-only came with 2.11; any other word is "Invalid TLS level", fatal at start',
    names: /^(smtp|lmtp)_tls_security_level$|^tlsproxy_client_(security_)?level$/,
    words: [
      'none',
      'may',
      'encrypt',
      'fingerprint',
      ['dane', '2.11'],
      ['dane-only', '2.11'],
      'verify',
      'secure',
    ],
  },
  {
    why: 'smtpd.c, postscreen_tls_conf.c, tlsproxy_server.c: a stronger level is treated as encrypt, with a warning',
    names: /^(smtpd_tls|postscreen_tls|tlsproxy_tls)_security_level$/,
    tolerated: ['verify', 'secure', 'fingerprint'],
  },
  {
    why: 'tls_misc.c, tls_set_ciphers(): an unknown grade is found out when a session begins, and refuses it',
    names: /_tls_(mandatory_)?ciphers$/,
    bad: 'session',
  },
  {
    why: 'tls_log_mask() in tls_misc.c: one unknown word is warned of and the level becomes 0; words since 2.9, dane by 3.6',
    names: /_tls_loglevel$|^tlsproxy_client_loglevel$/,
    words: [
      ...Array.from('0123456789'),
      ...[
        [
          'none',
          'routine',
          'debug',
          'ssl-expert',
          'ssl-developer',
          'summary',
          'untrusted',
          'peercert',
          'certmatch',
        ],
        ['verbose', 'cache', 'ssl-debug', 'ssl-handshake-packet-dump', 'ssl-session-packet-dump'],
      ]
        .flat()
        .map((word): Since<string> => [word, '2.9']),
      ['dane', '3.6'],
      ['trace', '3.12'],
    ],
    bad: 'degraded',
  },
  {
    why: 'each session fails on an unknown word; capitals count for Cyrus (xsasl_cyrus_security.c), not for Dovecot (xsasl_dovecot_server.c), so they are let pass',
    names: /_sasl_.*security_options$/,
    bad: 'session',
  },
  {
    why: 'xsasl_server.c compares exactly; "SASL per-process initialization failed"',
    names: /_sasl_type$/,
    sameCase: true,
  },
  {
    why: 'ehlo_mask.c: what is not known is skipped silently',
    names: /_discard_(ehlo|lhlo)_keywords$|^postscreen_discard_ehlo_keywords$/,
    bad: 'ignored',
  },
  {
    why: 'name_mask() without NAME_MASK_ANY_CASE in inet_proto.c, cleanup_init.c, smtp.c and mynetworks.c',
    names: /^(inet_protocols|masquerade_classes|(smtp|lmtp)_host_lookup|mynetworks_style)$/,
    sameCase: true,
  },
  { why: 'smtpd_state.c: read for each session', names: /^notify_classes$/, sameCase: true, bad: 'session' },
  {
    why: 'milter8.c: an unknown action is warned of and mail is deferred when the filter does not answer; shutdown as in the tags',
    names: /^milter_default_action$/,
    words: [
      'accept',
      'reject',
      'tempfail',
      'quarantine',
      ['shutdown', '3.11', '3.7.20', '3.8.15', '3.9.9', '3.10.8'],
    ],
    bad: 'degraded',
  },
  {
    why: 'smtpd.c of the tags: a boolean in 3.5.23, 3.6.13, 3.7.9 and 3.8.4, and `note` only since 3.9',
    names: /^smtpd_forbid_bare_newline$/,
    words: [
      'no',
      'yes',
      ['normalize', '3.9', '3.5.24', '3.6.14', '3.7.10', '3.8.5'],
      ['reject', '3.9', '3.5.24', '3.6.14', '3.7.10', '3.8.5'],
      ['note', '3.9'],
    ],
  },
  {
    why: 'smtpd_check.c, tempfail_actions: reject is not among them',
    names: /_tempfail_action$/,
    words: ['defer_if_permit', 'defer'],
  },
  {
    why: 'postscreen.c: "continue" still stands for ignore',
    names: /^postscreen_.*_action$/,
    words: ['ignore', 'enforce', 'drop', 'continue'],
  },
  {
    why: 'smtp.c, 3.1.0 to 3.12: none and all stronger levels are fatal',
    names: /^smtp_tls_dane_insecure_mx_policy$/,
    words: ['may', 'encrypt', 'dane'],
  },
  {
    why: 'tls_dh.c until 3.5: a warning, and the server goes on without EECDH; not read since',
    names: /_tls_eecdh_grade$/,
    bad: 'degraded',
  },
];

function since(release: string, text: string): { since: string; default: string } {
  return { since: release, default: text };
}

function lineOf(fact: Fact & { onlyIn?: string[] }, introducedOf: Map<string, string | null>): Line {
  const line: Line = {};
  if (fact.type !== 'string') line.type = fact.type;
  const storage = fact.storage ?? null;
  if (storage !== STORAGE_OF_TYPE[fact.type]) line.storage = storage;
  if (fact.min !== undefined) line.min = fact.min;
  if (fact.max !== undefined) line.max = fact.max;
  if (fact.daemons) line.in = fact.daemons.join(' ');
  if (fact.introduced !== null) line.since = fact.introduced;
  if (fact.firstInPatch && fact.onlyIn === undefined) line.patches = fact.firstInPatch;
  if (fact.onlyIn) line.onlyIn = fact.onlyIn;

  const byRelease = fact.defaultsByVersion ?? [];
  const newest = byRelease.at(-1)?.default ?? fact.default;
  if (byRelease.length > 0) line.default = byRelease.map((entry) => [entry.default, entry.since]);
  else if (newest !== '') line.default = newest;
  const built = fact.alternativeDefaults?.map((alternative): [string, string, string] => {
    const openssl = BUILT_WITH.exec(alternative.when)?.[1];
    if (openssl === undefined) throw new Error(`${fact.name}: do not understand "${alternative.when}"`);
    return [alternative.default, alternative.since, openssl];
  });
  if (built) line.openssl = built;
  if (fact.compatDependent) line.compat = true;
  if (fact.buildDependent) line.build = true;

  if (fact.deprecatedSince) line.deprecated = fact.deprecatedSince;
  if (fact.postconfWarnsSince) line.warns = fact.postconfWarnsSince;
  if (fact.removedSince) line.removed = fact.removedSince;
  if (fact.replacedBy) line.instead = fact.replacedBy;
  if (fact.legacyAlias) {
    // The old name lives on in the default of the new one, and so from the release that brought the new.
    const renamed = introducedOf.get(fact.replacedBy ?? '');
    if (!renamed) throw new Error(`${fact.name}: an alias, but since when?`);
    line.alias = renamed;
  }

  if (fact.type !== 'bool') {
    if (fact.values) line.words = fact.values;
    for (const rule of WORDS) {
      if (!rule.names.test(fact.name)) continue;
      if (rule.words) line.words = rule.words;
      if (rule.tolerated) line.tolerated = rule.tolerated;
      if (rule.sameCase) line.sameCase = true;
      if (rule.bad) line.bad = rule.bad;
    }
  }
  return line;
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await fs.readFile(file, 'utf8'));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node esbuild.mjs run src/build/postfix-tables.ts FACTS_FOLDER');
  process.exit(2);
}
const facts = (await readJson(path.join(folder, 'postfix-parameters.json'))) as Fact[];
const obsolete = (await readJson(path.join(folder, 'postfix-obsolete.json'))) as ObsoleteFacts;

const corrected = facts.map((fact) => {
  const changes = CORRECTIONS.filter(({ names }) => names.includes(fact.name)).map(({ change }) => change);
  return Object.assign({}, fact, ...changes) as Fact;
});
const known = new Map(corrected.map((fact) => [fact.name, fact.introduced]));
for (const { names } of CORRECTIONS) {
  for (const name of names)
    if (!known.has(name)) throw new Error(`a correction for ${name}, which the facts do not have`);
}

const parameters = corrected.map(
  (fact) => `    ${JSON.stringify(fact.name)}: ${JSON.stringify(lineOf(fact, known))}`,
);
const restrictions = obsolete.restrictions.map(({ name, deprecatedSince, removedSince, replacedBy }) => {
  const line: ObsoleteLine = { deprecated: deprecatedSince, removed: removedSince, instead: replacedBy };
  return `    ${JSON.stringify(name)}: ${JSON.stringify(line)}`;
});
const text = `{\n  "parameters": {\n${parameters.join(',\n')}\n  },\n  "restrictions": {\n${restrictions.join(',\n')}\n  }\n}\n`;
const target = path.join('src', 'postfix', 'data', 'parameters.json');
await fs.writeFile(target, text);
console.log(`${target}: ${parameters.length} parameters, ${Buffer.byteLength(text)} bytes`);
