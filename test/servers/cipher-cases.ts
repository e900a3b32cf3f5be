/**
 * Settings of listeners and clients whose suites are held against running servers; what stands in `{folder}`
 * is the folder of the run.
 */
import type { Root } from './roots.ts';

const MAY = 'smtpd_tls_security_level=may';
const ENCRYPT = 'smtpd_tls_security_level=encrypt';
const WRAPPER = 'smtpd_tls_wrappermode=yes';
const SERVER_ORDER = 'tls_preempt_cipherlist=yes';
const ALL = 'tls_medium_cipherlist=ALL:COMPLEMENTOFALL';

const certificate = (kind: string): string => `smtpd_tls_cert_file={folder}/${kind}.pem`;
const medium = (list: string): string => `tls_medium_cipherlist=${list}`;
const exclude = (words: string): string => `smtpd_tls_exclude_ciphers=${words}`;

/** Lists of ciphers as administrators write them, and as nobody should. */
const LISTS = [
  'ECDHE+AESGCM:DHE+AESGCM',
  'EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM:EECDH:EDH+aRSA:!aNULL:!eNULL:!LOW:!3DES:!MD5:!EXP:!PSK:!SRP:!DSS:!RC4',
  'HIGH:!aNULL:!MD5:!3DES:@STRENGTH',
  'TLSv1.2+HIGH:!aNULL',
  'SSLv3:!TLSv1.2',
  'SHA256',
  'aNULL',
  'eNULL',
  'NULL-SHA256:ECDHE-RSA-NULL-SHA',
  'PSK:SRP',
  'PSK:SRP:AES128-SHA',
  'AES128-SHA',
  'CAMELLIA128 -SHA',
  'DEFAULT',
  'ALL:+HIGH:!LOW',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:ECDHE-RSA-AES256-SHA',
  'ALL:@NONSENSE',
  'NOSUCHCIPHER',
  'kRSA:kDHE',
  'CHACHA20:AESGCM',
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305',
  'TLS_AES_128_GCM_SHA256',
  'ALL:COMPLEMENTOFALL',
] as const;

/** Overrides of one smtpd each. */
export function serverCases(root: Root): readonly (readonly string[])[] {
  const old = root.release === 'bullseye' || root.release === 'bookworm';
  const grades = ['high', 'medium', 'low', 'export', 'null', 'HIGH', 'nonsense'];
  const cases: string[][] = [
    [MAY],
    [ENCRYPT],
    [WRAPPER],
    [MAY, SERVER_ORDER],
    [WRAPPER, SERVER_ORDER, ALL],
    [MAY, SERVER_ORDER, 'tls_ssl_options=PRIORITIZE_CHACHA'],
    // Grades, and the one that does not count.
    ...grades.map((grade) => [MAY, `smtpd_tls_ciphers=${grade}`, 'smtpd_tls_mandatory_ciphers=null']),
    ...grades.map((grade) => [ENCRYPT, `smtpd_tls_mandatory_ciphers=${grade}`, 'smtpd_tls_ciphers=null']),
    [MAY, 'smtpd_tls_ciphers=low', 'tls_low_cipherlist=AES128-SHA', medium('AES256-SHA')],
    [MAY, 'smtpd_tls_ciphers=null', 'tls_null_cipherlist=eNULL+kRSA'],
    [MAY, 'smtpd_tls_mandatory_ciphers='],
    [MAY, 'tls_high_cipherlist='],
    [MAY, 'tls_export_cipherlist='],
    // Exclusions.
    [MAY, exclude('aNULL')],
    [MAY, exclude('aNULL, RC4, MD5, DES, 3DES, SEED, IDEA'), SERVER_ORDER],
    [MAY, exclude('aNULL:kRSA eNULL')],
    [MAY, exclude('PSD, CBC3-SHA, KRB5-DE5')],
    [MAY, exclude('aNULL, !RC4')],
    [MAY, exclude('-3DES')],
    [MAY, exclude('@SECLEVEL=2')],
    [MAY, exclude('ALL')],
    [MAY, exclude('kRSA, ECDHE, DHE, aNULL')],
    [MAY, exclude('ECDHE-RSA-AES256-GCM-SHA384, AES128+DHE')],
    [MAY, 'smtpd_tls_mandatory_exclude_ciphers=aNULL'],
    [ENCRYPT, 'smtpd_tls_mandatory_exclude_ciphers=aNULL, CAMELLIA', exclude('SHA1')],
    [WRAPPER, 'smtpd_tls_mandatory_exclude_ciphers=aNULL, kRSA', SERVER_ORDER],
    [ENCRYPT, exclude('aNULL'), 'smtpd_tls_mandatory_exclude_ciphers=+MD5'],
    // Odd lists.
    ...LISTS.map((list, index) => [
      index % 3 === 0 ? MAY : index % 3 === 1 ? ENCRYPT : WRAPPER,
      medium(list),
      ...(index % 2 === 0 ? [SERVER_ORDER] : []),
    ]),
    ...[0, 1, 2, 4].map((level) => [
      MAY,
      medium(`ALL:COMPLEMENTOFALL:@SECLEVEL=${level}`),
      certificate('p384'),
    ]),
    [MAY, medium('ALL:@SECLEVEL=2'), certificate('rsa')],
    [MAY, medium('ALL:@SECLEVEL=2'), certificate('p256')],
    // Client certificates.
    [MAY, 'smtpd_tls_ask_ccert=yes'],
    [MAY, 'smtpd_tls_req_ccert=yes'],
    [WRAPPER, 'smtpd_tls_req_ccert=yes', ALL],
    [ENCRYPT, 'smtpd_tls_req_ccert=yes', medium('ALL:@SECLEVEL=2')],
    [MAY, 'smtpd_tls_ask_ccert=yes', 'smtpd_tls_cert_file=none'],
    // Keys.
    ...['none', 'p256', 'p384', 'ed25519', 'dsa', 'rsa1024', 'brainpool'].map((kind) => [
      MAY,
      kind === 'none' ? 'smtpd_tls_cert_file=none' : certificate(kind),
    ]),
    [WRAPPER, 'smtpd_tls_cert_file=none', ALL],
    [MAY, 'smtpd_tls_cert_file=none', exclude('aNULL')],
    [MAY, certificate('rsa'), 'smtpd_tls_eccert_file={folder}/p256.pem', SERVER_ORDER],
    [MAY, certificate('rsa'), 'smtpd_tls_eccert_file={folder}/p256.pem', exclude('aNULL, aRSA')],
    [MAY, certificate('p256'), medium('ECDHE+AES'), SERVER_ORDER],
    [MAY, 'smtpd_tls_chain_files={folder}/rsa.pem, {folder}/p256.pem', certificate('dsa'), SERVER_ORDER],
    [MAY, 'smtpd_tls_chain_files={folder}/ed25519.pem'],
    [MAY, certificate('rsa.crt'), 'smtpd_tls_key_file={folder}/p256.pem'],
    // Key exchange.
    ...['none', 'auto', 'strong', 'ultra', 'nonsense'].map((grade) => [
      MAY,
      `smtpd_tls_eecdh_grade=${grade}`,
    ]),
    ...['dh512.pem', 'dh1024.pem', 'dh2048.pem', 'absent.pem'].map((file) => [
      MAY,
      `smtpd_tls_dh1024_param_file={folder}/${file}`,
    ]),
    [MAY, 'smtpd_tls_dh1024_param_file=auto'],
    ...[
      'prime256v1',
      'X25519',
      'P-256',
      'secp256r1',
      'p-256',
      'SECP256R1',
      'x25519',
      'brainpoolP256r1',
      'nonsense',
      'X25519MLKEM768',
      'secp224r1 nonsense',
    ].map((curves) => [MAY, `tls_eecdh_auto_curves=${curves}`, ...(old ? [] : ['tls_ffdhe_auto_groups='])]),
    ...(old
      ? [[MAY, 'tls_eecdh_auto_curves=']]
      : [
          [MAY, 'tls_eecdh_auto_curves=', 'tls_ffdhe_auto_groups='],
          [MAY, 'tls_eecdh_auto_curves=', 'tls_ffdhe_auto_groups=ffdhe2048'],
          [MAY, 'tls_eecdh_auto_curves=nonsense', 'tls_ffdhe_auto_groups=ffdhe3072'],
          [MAY, 'tls_eecdh_auto_curves=?X25519MLKEM768:DEFAULT', 'tls_ffdhe_auto_groups='],
        ]),
    // An openssl.cnf of the administrator.
    [MAY, 'tls_config_file={folder}/suites.cnf'],
    [MAY, 'tls_config_file={folder}/suites.cnf', 'tls_config_name=mail'],
    [MAY, 'tls_config_file={folder}/suites.cnf', 'tls_config_name=nobody'],
    [MAY, 'tls_config_file={folder}/limits.cnf'],
    [MAY, 'tls_config_file={folder}/limits.cnf', 'tls_eecdh_auto_curves=nonsense'],
    ...(old
      ? []
      : [[MAY, 'tls_config_file={folder}/limits.cnf', 'tls_eecdh_auto_curves=', 'tls_ffdhe_auto_groups=']]),
    [MAY, 'tls_config_file=none'],
    [MAY, 'tls_config_file=suites.cnf'],
    // Protocols beside lists that have nothing for them.
    [MAY, 'smtpd_tls_protocols=!SSLv2,!SSLv3,!TLSv1.2,!TLSv1.3', medium('SHA256')],
    [MAY, 'smtpd_tls_protocols=TLSv1.3', exclude('aNULL')],
    [MAY, 'smtpd_tls_protocols=TLSv1.3', 'smtpd_tls_cert_file=none'],
    [MAY, 'smtpd_tls_protocols=TLSv1,TLSv1.2', ALL],
    [
      ENCRYPT,
      'smtpd_tls_mandatory_protocols=TLSv1.2,TLSv1.3',
      'smtpd_tls_mandatory_ciphers=high',
      exclude('aNULL, kRSA'),
    ],
    [MAY, 'smtpd_tls_protocols=SSLv3', ALL],
    [WRAPPER, 'smtpd_tls_mandatory_protocols=!SSLv3,!TLSv1', 'smtpd_tls_security_level=may'],
    // As submission services of master.cf override what main.cf says.
    [
      ENCRYPT,
      'smtpd_sasl_auth_enable=yes',
      'smtpd_tls_mandatory_protocols=TLSv1.2',
      'smtpd_tls_mandatory_ciphers=high',
      'tls_preempt_cipherlist=no',
    ],
    [WRAPPER, 'smtpd_sasl_auth_enable=yes', 'smtpd_tls_mandatory_exclude_ciphers=aNULL,MD5,SHA1,kRSA'],
  ];
  return cases;
}

/** Overrides of one client each, with an entry of its policy table where it has one. */
export interface ClientCase {
  /** `smtp` where it is left out. */
  readonly program?: 'lmtp';
  readonly overrides: readonly string[];
  readonly policy?: string;
}

const client = (level: string): string => `smtp_tls_security_level=${level}`;
const IMPLICIT = 'smtp_tls_wrappermode=yes';

/** Settings of smtp and lmtp clients. */
export const CLIENT_CASES: readonly ClientCase[] = [
  { overrides: [client('may')] },
  { overrides: [client('encrypt')] },
  { overrides: [client('verify')] },
  { overrides: [client('secure')] },
  { overrides: [client('fingerprint'), 'smtp_tls_fingerprint_cert_match=3D:95:34:51'] },
  { overrides: [client('dane')] },
  { overrides: [client('encrypt'), IMPLICIT] },
  { overrides: [client('verify'), IMPLICIT, 'smtp_tls_mandatory_ciphers=high'] },
  { overrides: [client('may'), 'smtp_tls_ciphers=high'] },
  { overrides: [client('may'), 'smtp_tls_ciphers=export'] },
  { overrides: [client('may'), 'smtp_tls_ciphers=null'] },
  { overrides: [client('encrypt'), 'smtp_tls_mandatory_ciphers=null'] },
  { overrides: [client('may'), 'smtp_tls_ciphers=nonsense'] },
  { overrides: [client('may'), 'smtp_tls_exclude_ciphers=aNULL, MD5, kRSA'] },
  { overrides: [client('may'), 'smtp_tls_exclude_ciphers=!aNULL'] },
  { overrides: [client('may'), 'smtp_tls_exclude_ciphers=ALL'] },
  { overrides: [client('may'), 'smtp_tls_mandatory_exclude_ciphers=aNULL'] },
  { overrides: [client('encrypt'), 'smtp_tls_mandatory_exclude_ciphers=aNULL, SHA1'] },
  { overrides: [client('may'), ALL] },
  { overrides: [client('verify'), ALL] },
  { overrides: [client('may'), medium('ALL:@SECLEVEL=2')] },
  { overrides: [client('secure'), medium('ALL:@SECLEVEL=2')] },
  { overrides: [client('may'), medium('PSK:SRP:AES128-SHA')] },
  { overrides: [client('may'), 'smtp_tls_protocols=!SSLv2,!SSLv3,!TLSv1,!TLSv1.1'] },
  { overrides: [client('may'), 'smtp_tls_protocols=TLSv1.3'] },
  { overrides: [client('may'), 'smtp_tls_protocols=TLSv1.2'] },
  { overrides: [client('may'), 'smtp_tls_protocols=TLSv1,TLSv1.1', ALL] },
  { overrides: [client('may'), 'smtp_tls_protocols=TLSv1,TLSv1.1', medium('SHA256')] },
  { overrides: [client('may'), 'smtp_tls_protocols=!TLSv1.2'] },
  {
    overrides: [
      client('encrypt'),
      'smtp_tls_mandatory_protocols=TLSv1.2,TLSv1.3',
      'smtp_tls_protocols=TLSv1',
    ],
  },
  { overrides: [client('may')], policy: 'encrypt' },
  { overrides: [client('may')], policy: 'encrypt ciphers=high exclude=SHA1:kRSA' },
  { overrides: [client('may'), 'smtp_tls_exclude_ciphers=CAMELLIA'], policy: 'may exclude=' },
  { overrides: [client('may')], policy: 'encrypt protocols=TLSv1.2' },
  { overrides: [client('encrypt')], policy: 'may protocols=!TLSv1.3 ciphers=export' },
  { overrides: [client('none')], policy: 'verify match=mail.example.org ciphers=high' },
  { overrides: [client('may')], policy: 'encrypt exclude=!RC4' },
  { overrides: [client('may')], policy: 'encrypt ciphers=nonsense' },
  { overrides: [client('may')], policy: 'secure exclude=aRSA' },
  { program: 'lmtp', overrides: ['lmtp_tls_security_level=may', 'lmtp_tls_ciphers=high'] },
  {
    program: 'lmtp',
    overrides: ['lmtp_tls_security_level=encrypt', 'lmtp_tls_mandatory_exclude_ciphers=aNULL, kRSA'],
  },
];
