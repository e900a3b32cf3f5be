/**
 * Configurations of smtpd for the question whether a stranger may relay. What each comes to was worked out
 * from the manual pages access(5), postconf(5) and smtpd(8) before it was run; `test/servers/relay.test.ts` holds it, and
 * the verdict of pfharden, against servers that run.
 *
 * The client comes from 127.9.9.9 without a login, `mynetworks` is 127.0.0.0/29, the host's own domain is
 * here.test, and it relays for no other. Without a line of its own a service has an empty
 * smtpd_relay_restrictions, so that one list decides.
 */

/** One service. */
export interface RelayCase {
  /** Settings of the service, one a line. `{T}` stands for the folder of its tables. */
  readonly set: readonly string[];
  /** Settings of the trivial-rewrite(8) that it asks. */
  readonly rewrite?: readonly string[];
  readonly verdict: 'open' | 'closed' | 'dead';
  /** It is taken, and does not reach its recipient. */
  readonly diverted?: true;
  /** The release no longer knows a word of it: smtpd answers 451. */
  readonly removed?: 'check_relay_domains' | 'permit_naked_ip_address';
  /** Tables by name. */
  readonly tables?: Readonly<Record<string, string>>;
}

const GUARD = 'reject_unauth_destination';

/** A recipient list and no relay list. */
function recipient(list: string): string[] {
  return ['smtpd_relay_restrictions =', `smtpd_recipient_restrictions = ${list}`];
}

/** Cases that are decided. */
export const RELAY_CASES: readonly RelayCase[] = [
  // The lists themselves.
  { set: [], verdict: 'closed' },
  { set: [`smtpd_relay_restrictions = permit_mynetworks, ${GUARD}`], verdict: 'closed' },
  { set: ['smtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination'], verdict: 'closed' },
  { set: recipient(`permit_mynetworks, ${GUARD}`), verdict: 'closed' },
  { set: recipient('permit_mynetworks, reject'), verdict: 'closed' },
  { set: recipient('permit_mynetworks, defer'), verdict: 'closed' },
  { set: recipient('permit_sasl_authenticated, reject'), verdict: 'closed' },
  { set: ['smtpd_relay_restrictions =', 'smtpd_recipient_restrictions ='], verdict: 'dead' },
  { set: recipient('permit_mynetworks'), verdict: 'dead' },
  { set: recipient(`permit, ${GUARD}`), verdict: 'dead' },
  { set: recipient(`warn_if_reject ${GUARD}`), verdict: 'dead' },
  { set: recipient(`warn_if_reject ${GUARD}, permit_mynetworks, reject`), verdict: 'closed' },
  // Each list has its own guard: one that refuses is enough.
  {
    set: ['smtpd_relay_restrictions =', `smtpd_recipient_restrictions = ${GUARD}, permit`],
    verdict: 'closed',
  },
  {
    set: [`smtpd_relay_restrictions = ${GUARD}`, 'smtpd_recipient_restrictions = permit'],
    verdict: 'closed',
  },
  {
    set: ['smtpd_relay_restrictions = permit_mynetworks, permit', `smtpd_recipient_restrictions = ${GUARD}`],
    verdict: 'closed',
  },
  {
    set: [
      `smtpd_relay_restrictions = static:OK, ${GUARD}`,
      `smtpd_recipient_restrictions = permit_mynetworks, static:OK, ${GUARD}`,
    ],
    verdict: 'open',
  },
  {
    set: [`smtpd_relay_restrictions = static:OK, ${GUARD}`, `smtpd_recipient_restrictions = ${GUARD}`],
    verdict: 'closed',
  },
  { set: [`smtpd_relay_restrictions = static:OK, ${GUARD}`], verdict: 'open' },
  // Other lists close too, but do not open.
  { set: ['smtpd_sender_restrictions = permit'], verdict: 'closed' },
  { set: [...recipient(`static:OK, ${GUARD}`), 'smtpd_client_restrictions = reject'], verdict: 'closed' },
  {
    set: [...recipient(`static:OK, ${GUARD}`), 'smtpd_client_restrictions = permit_mynetworks, reject'],
    verdict: 'closed',
  },
  {
    set: [...recipient(`static:OK, ${GUARD}`), 'smtpd_sender_restrictions = reject_unauth_destination'],
    verdict: 'closed',
  },
  {
    set: [
      ...recipient(`static:OK, ${GUARD}`),
      `smtpd_client_restrictions = ${GUARD}`,
      'smtpd_delay_reject = no',
    ],
    verdict: 'open',
  },
  {
    set: [
      ...recipient(`static:OK, ${GUARD}`),
      'smtpd_client_restrictions = reject',
      'smtpd_delay_reject = no',
    ],
    verdict: 'closed',
  },
  // Who says no HELO does not come to its list.
  {
    set: [...recipient(`static:OK, ${GUARD}`), 'smtpd_helo_restrictions = reject'],
    verdict: 'open',
  },
  {
    set: [
      ...recipient(`static:OK, ${GUARD}`),
      'smtpd_helo_restrictions = reject',
      'smtpd_helo_required = yes',
    ],
    verdict: 'closed',
  },
  {
    set: [
      ...recipient(`static:OK, ${GUARD}`),
      'smtpd_helo_restrictions = reject',
      'smtpd_helo_required = yes',
      'smtpd_delay_reject = no',
    ],
    verdict: 'closed',
  },
  // warn_if_reject
  { set: recipient(`warn_if_reject reject, ${GUARD}`), verdict: 'closed' },
  { set: recipient('static:OK, warn_if_reject reject, reject'), verdict: 'open' },
  {
    set: [
      ...recipient('warn_if_reject strict, static:OK, reject'),
      'smtpd_restriction_classes = strict',
      `strict = ${GUARD}, reject`,
    ],
    verdict: 'open',
  },
  { set: recipient('warn_if_reject no_such_word, static:OK, reject'), verdict: 'dead' },
  // defer_if_permit
  { set: recipient('defer_if_permit, static:OK'), verdict: 'closed' },
  { set: recipient('warn_if_reject defer_if_permit, static:OK, reject'), verdict: 'open' },
  {
    set: [...recipient(`static:OK, ${GUARD}`), 'smtpd_sender_restrictions = defer_if_permit'],
    verdict: 'closed',
  },
  { set: recipient('defer_if_reject, static:OK, reject'), verdict: 'open' },
  { set: recipient(`check_client_access static:DEFER_IF_PERMIT, static:OK, ${GUARD}`), verdict: 'closed' },
  // Classes.
  {
    set: [...recipient('guard'), 'smtpd_restriction_classes = guard', `guard = permit_mynetworks, ${GUARD}`],
    verdict: 'closed',
  },
  {
    set: [...recipient(`easy, ${GUARD}`), 'smtpd_restriction_classes = easy', 'easy = static:OK'],
    verdict: 'open',
  },
  {
    set: [
      ...recipient(`outer, ${GUARD}`),
      'smtpd_restriction_classes = outer, inner',
      'outer = permit_mynetworks, inner',
      'inner = check_client_access static:RELAY',
    ],
    verdict: 'open',
  },
  { set: [...recipient(`gone, ${GUARD}`), 'smtpd_restriction_classes = gone'], verdict: 'dead' },
  { set: recipient(`no_such_word, ${GUARD}`), verdict: 'dead' },
  { set: recipient(`check_client_access nothing, ${GUARD}`), verdict: 'dead' },
  // Networks.
  { set: [`mynetworks = 127.0.0.0/8`], verdict: 'open' },
  { set: [`mynetworks = 0.0.0.0/0`], verdict: 'open' },
  { set: [`mynetworks = !127.9.9.0/24, 127.0.0.0/8`], verdict: 'closed' },
  { set: [`mynetworks = 127.0.0.0/8, !127.9.9.0/24`], verdict: 'open' },
  { set: [`mynetworks = !!127.9.9.9`], verdict: 'open' },
  { set: [`mynetworks = 127.9.9.9`], verdict: 'open' },
  { set: [`mynetworks = [127.9.9.9]`], verdict: 'open' },
  { set: [`mynetworks = [127.9.9.0]/24`], verdict: 'open' },
  { set: [`mynetworks = 127.9.9`], verdict: 'closed' },
  { set: [`mynetworks = 127.9.9.1/24`], verdict: 'dead' },
  { set: [`mynetworks = 127.9.9.0/255.255.255.0`], verdict: 'dead' },
  { set: [`mynetworks = 127.9.9.0/24, 127.9.9.1/24`], verdict: 'open' },
  { set: [`mynetworks = 127.0.0.0/29 ::1/128`], verdict: 'dead' },
  { set: [`mynetworks = 127.0.0.0/29 2001:db8::/32`], verdict: 'dead' },
  { set: [`mynetworks = 127.0.0.0/8 2001:db8::/32`], verdict: 'open' },
  { set: [`mynetworks = 127.0.0.0/8 ::1`], verdict: 'dead' },
  { set: [`mynetworks = 127.0.0.0/8 !`], verdict: 'dead' },
  { set: [`mynetworks = nosuchtype:x 127.0.0.0/8`], verdict: 'dead' },
  { set: [`mynetworks = 127.0.0.0/29 [::]/0`], verdict: 'closed' },
  { set: [`mynetworks = [::1]/64, 127.0.0.0/29`], verdict: 'closed' },
  { set: [`mynetworks = unknown`], verdict: 'open' },
  { set: [`mynetworks = static:all`], verdict: 'open' },
  { set: [`mynetworks = cidr:{T}/nets`], tables: { nets: '127.0.0.0/8 OK\n' }, verdict: 'open' },
  { set: [`mynetworks = cidr:{T}/nets`], tables: { nets: '127.9.0.0/29 OK\n' }, verdict: 'closed' },
  // The value does not matter where only a key is looked for.
  { set: [`mynetworks = cidr:{T}/nets`], tables: { nets: '127.9.9.9 REJECT\n' }, verdict: 'open' },
  { set: [`mynetworks = texthash:{T}/nets`], tables: { nets: '127.9.9.9 OK\n' }, verdict: 'open' },
  { set: [`mynetworks = texthash:{T}/nets`], tables: { nets: '127.9.9 OK\n' }, verdict: 'closed' },
  {
    set: [`mynetworks = {T}/nets`],
    tables: { nets: '# nets\n127.9.9.0/24\n  10.0.0.0/8\n' },
    verdict: 'open',
  },
  { set: [`mynetworks = !{T}/nets, 127.0.0.0/8`], tables: { nets: '127.9.9.0/24\n' }, verdict: 'closed' },
  { set: [`mynetworks = !{T}/nets, 127.0.0.0/8`], tables: { nets: '!127.9.9.0/24\n' }, verdict: 'open' },
  { set: [`mynetworks = fail:x, 127.0.0.0/8`], verdict: 'dead' },
  // Domains that are relayed for: trivial-rewrite knows them, whatever an -o of smtpd says.
  { set: ['relay_domains = static:all'], verdict: 'closed' },
  { set: [], rewrite: ['relay_domains = static:all'], verdict: 'open' },
  { set: [], rewrite: ['relay_domains = *'], verdict: 'closed' },
  { set: [], rewrite: ['relay_domains = com'], verdict: 'open' },
  { set: [], rewrite: ['relay_domains = com', 'parent_domain_matches_subdomains ='], verdict: 'closed' },
  { set: [], rewrite: ['relay_domains = .com', 'parent_domain_matches_subdomains ='], verdict: 'open' },
  { set: [], rewrite: ['relay_domains = texthash:{T}/d'], tables: { d: '* x\n' }, verdict: 'closed' },
  { set: [], rewrite: ['relay_domains = texthash:{T}/d'], tables: { d: 'de x\n' }, verdict: 'open' },
  { set: [], rewrite: ['relay_domains = regexp:{T}/d'], tables: { d: '/./ x\n' }, verdict: 'open' },
  {
    set: [],
    rewrite: ['relay_domains = pcre:{T}/d'],
    tables: { d: '/^partner\\.example$/ x\n' },
    verdict: 'closed',
  },
  { set: [], rewrite: ['relay_domains = partner.example'], verdict: 'closed' },
  { set: [], rewrite: ['relay_domains = !static:all'], verdict: 'closed' },
  {
    set: ['relay_recipient_maps = inline:{ a@b.example=x }'],
    rewrite: ['relay_domains = static:all'],
    verdict: 'closed',
  },
  { set: ['relay_recipient_maps = static:x'], rewrite: ['relay_domains = static:all'], verdict: 'open' },
  {
    set: ['relay_recipient_maps = inline:{ a@b.example=x }', 'smtpd_reject_unlisted_recipient = no'],
    rewrite: ['relay_domains = static:all'],
    verdict: 'open',
  },
  // Tables by client.
  {
    set: recipient(`check_client_access cidr:{T}/c, ${GUARD}`),
    tables: { c: '0.0.0.0/0 OK\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access cidr:{T}/c, ${GUARD}`),
    tables: { c: '10.0.0.0/8 OK\n' },
    verdict: 'closed',
  },
  {
    set: recipient(`check_client_access cidr:{T}/c, static:OK, reject`),
    tables: { c: '127.0.0.0/8 REJECT no\n' },
    verdict: 'closed',
  },
  {
    set: recipient(`check_client_access texthash:{T}/c, ${GUARD}`),
    tables: { c: '127 OK\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access texthash:{T}/c, ${GUARD}`),
    tables: { c: '127. OK\n' },
    verdict: 'closed',
  },
  {
    set: recipient(`check_client_access texthash:{T}/c, ${GUARD}`),
    tables: { c: 'unknown OK\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access texthash:{T}/c, ${GUARD}`),
    tables: { c: '127.9.9.9 1700000000\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access texthash:{T}/c, ${GUARD}`),
    tables: { c: '127.9.9.9 550\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access texthash:{T}/c, static:OK, reject`),
    tables: { c: '127.9.9.9 550 go away\n' },
    verdict: 'closed',
  },
  {
    set: recipient(`check_client_access regexp:{T}/c, ${GUARD}`),
    tables: { c: '/^127\\./ OK\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access regexp:{T}/c, ${GUARD}`),
    tables: { c: '!/^10\\./ OK\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access pcre:{T}/c, ${GUARD}`),
    tables: { c: 'if /^127/\n/^127\\.0\\.0\\.1$/ OK\nendif\n' },
    verdict: 'closed',
  },
  { set: recipient(`check_client_access inline:{ 127.9=OK }, ${GUARD}`), verdict: 'open' },
  {
    set: recipient(`check_client_access inline:{ {127.9.9.9 = permit_mynetworks, permit} }, ${GUARD}`),
    verdict: 'open',
  },
  {
    set: [
      ...recipient(`check_client_access inline:{ 127.9.9.9=easy }, ${GUARD}`),
      'smtpd_restriction_classes = easy',
      'easy = static:OK',
    ],
    verdict: 'open',
  },
  { set: recipient(`check_client_access inline:{ 127.9.9.9=nothing_known }, ${GUARD}`), verdict: 'dead' },
  { set: recipient(`check_client_access inline:{ {127.9.9.9=static:OK} }, ${GUARD}`), verdict: 'dead' },
  { set: recipient(`check_client_access fail:x, ${GUARD}`), verdict: 'dead' },
  { set: recipient(`check_client_access static:WARN, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`check_client_access static:{ok trailing words}, ${GUARD}`), verdict: 'open' },
  { set: recipient(`check_reverse_client_hostname_access static:OK, ${GUARD}`), verdict: 'dead' },
  { set: recipient(`check_reverse_client_hostname_access static:permit, ${GUARD}`), verdict: 'dead' },
  { set: recipient(`check_reverse_client_hostname_access static:DUNNO, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`check_client_mx_access static:OK, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`check_ccert_access static:OK, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`check_sasl_access static:OK, ${GUARD}`), verdict: 'closed' },
  // Tables of patterns are not asked for parts of an address.
  {
    set: recipient(`check_client_access regexp:{T}/c, ${GUARD}`),
    tables: { c: '/^127\\.9$/ OK\n' },
    verdict: 'closed',
  },
  // pipemap and unionmap.
  {
    set: recipient(`check_client_access pipemap:{inline:{127.9.9.9=a},inline:{a=OK}}, ${GUARD}`),
    verdict: 'open',
  },
  {
    set: recipient(`check_client_access pipemap:{inline:{127.9.9.9=a},inline:{b=OK}}, ${GUARD}`),
    verdict: 'closed',
  },
  {
    set: recipient(`check_client_access unionmap:{inline:{127.9.9.9=OK},inline:{x=y}}, ${GUARD}`),
    verdict: 'open',
  },
  { set: recipient(`check_client_access unionmap:{static:OK,static:OK}, ${GUARD}`), verdict: 'dead' },
  // Tables by what the client says.
  { set: recipient(`check_sender_access inline:{ boss@partner.example=OK }, ${GUARD}`), verdict: 'open' },
  { set: recipient(`check_sender_access inline:{ partner.example=OK }, ${GUARD}`), verdict: 'open' },
  { set: recipient(`check_sender_access inline:{ boss@=OK }, ${GUARD}`), verdict: 'open' },
  {
    set: recipient(`check_sender_access regexp:{T}/s, ${GUARD}`),
    tables: { s: '/example$/ OK\n' },
    verdict: 'open',
  },
  {
    set: recipient(`check_sender_access regexp:{T}/s, ${GUARD}`),
    tables: { s: '/^boss@/ OK\n' },
    verdict: 'open',
  },
  // A class that only a table names.
  {
    set: [
      ...recipient(`check_client_access inline:{ 127.9.9.9=door }, ${GUARD}`),
      'smtpd_restriction_classes = door',
      'door = check_helo_access inline:{ secret.example=OK }',
    ],
    verdict: 'open',
  },
  // Who has to write a full domain writes one below the key.
  {
    set: recipient(`reject_non_fqdn_sender, check_sender_access inline:{ example=OK }, ${GUARD}`),
    verdict: 'open',
  },
  {
    set: [
      ...recipient(`check_sender_access inline:{ example=OK }, ${GUARD}`),
      'parent_domain_matches_subdomains =',
    ],
    verdict: 'open',
  },
  { set: recipient(`check_sender_access inline:{ {<>=OK} }, ${GUARD}`), verdict: 'open' },
  { set: recipient(`check_sender_access inline:{ partner.example=REJECT }, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`check_sender_access inline:{ partner.example=DUNNO }, ${GUARD}`), verdict: 'closed' },
  {
    set: recipient(`check_sender_access regexp:{T}/s, ${GUARD}`),
    tables: { s: '/@partner\\.example$/ OK\n' },
    verdict: 'open',
  },
  {
    set: [
      ...recipient(`static:OK, ${GUARD}`),
      'smtpd_sender_restrictions = check_sender_access inline:{ partner.example=OK }, reject',
    ],
    verdict: 'open',
  },
  { set: recipient(`check_helo_access inline:{ secret.example=OK }, ${GUARD}`), verdict: 'open' },
  { set: recipient(`check_helo_access static:REJECT, static:OK, ${GUARD}`), verdict: 'open' },
  { set: recipient(`check_sender_access static:REJECT, static:OK, ${GUARD}`), verdict: 'closed' },
  {
    set: recipient(`check_sender_access regexp:{T}/s, static:OK, ${GUARD}`),
    tables: { s: '/./ REJECT\n' },
    verdict: 'closed',
  },
  // Tables by recipient: what is listed is no door for everybody.
  { set: recipient(`check_recipient_access inline:{ partner.example=OK }, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`check_recipient_access inline:{ com=OK }, ${GUARD}`), verdict: 'open' },
  { set: recipient(`regexp:{T}/r, ${GUARD}`), tables: { r: '/@here\\.test$/ OK\n' }, verdict: 'closed' },
  { set: recipient(`regexp:{T}/r, ${GUARD}`), tables: { r: '!/@here\\.test$/ OK\n' }, verdict: 'open' },
  // What is taken and reaches nobody, or somebody else.
  { set: recipient(`check_client_access static:DISCARD, ${GUARD}`), verdict: 'closed', diverted: true },
  {
    set: recipient(`check_client_access static:DISCARD, ${GUARD}`).concat(
      'smtpd_sender_restrictions = reject',
    ),
    verdict: 'closed',
  },
  {
    set: recipient(
      `check_client_access inline:{ {127.9.9.9 = redirect trap@here.test} }, static:OK, ${GUARD}`,
    ),
    verdict: 'closed',
    diverted: true,
  },
  { set: recipient(`check_client_access static:HOLD, static:OK, ${GUARD}`), verdict: 'open' },
  // What strangers cannot have, or do not have.
  { set: recipient(`permit_tls_all_clientcerts, permit_tls_clientcerts, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`permit_inet_interfaces, ${GUARD}`), verdict: 'closed' },
  { set: recipient(`permit_auth_destination, ${GUARD}`), verdict: 'closed' },
  { set: recipient('permit_auth_destination, reject'), verdict: 'closed' },
  { set: recipient('reject_plaintext_session, static:OK, reject'), verdict: 'closed' },
  { set: recipient(`sleep 0, static:OK, ${GUARD}`), verdict: 'open' },
  { set: recipient(`reject_unknown_client_hostname, static:OK, ${GUARD}`), verdict: 'closed' },
  {
    set: recipient(`reject_non_fqdn_sender, reject_non_fqdn_recipient, static:OK, ${GUARD}`),
    verdict: 'open',
  },
  { set: recipient(`reject_unlisted_recipient, static:OK, ${GUARD}`), verdict: 'open' },
  { set: recipient('check_relay_domains'), verdict: 'closed', removed: 'check_relay_domains' },
  {
    set: recipient(`permit_naked_ip_address, ${GUARD}`),
    verdict: 'open',
    removed: 'permit_naked_ip_address',
  },
  // Capitals and order.
  { set: recipient('Permit_MyNetworks, REJECT_UNAUTH_DESTINATION'), verdict: 'closed' },
  { set: recipient('Check_Client_Access static:ok, REJECT'), verdict: 'open' },
];

/** What is not in the files: two contents of one table, or two answers of a policy service, with which it comes to both. */
export interface UndecidedCase {
  readonly set: readonly string[];
  readonly rewrite?: readonly string[];
  /** Content of the table `{T}/hidden`; null for the answer of the policy service `{POLICY}`. */
  readonly open: string;
  readonly closed: string;
}

/** Cases that are not decided by the files. */
export const UNDECIDED_CASES: readonly UndecidedCase[] = [
  {
    set: recipient(`check_client_access cidr:{T}/hidden, ${GUARD}`),
    open: '0.0.0.0/0 OK\n',
    closed: '10.0.0.0/8 OK\n',
  },
  {
    set: recipient(`check_client_access regexp:{T}/hidden, ${GUARD}`),
    open: '/./ OK\n',
    closed: '/^10\\./ OK\n',
  },
  {
    set: recipient(`check_sender_access texthash:{T}/hidden, ${GUARD}`),
    open: 'someone@stranger-host.net OK\n',
    closed: 'spam.example REJECT\n',
  },
  {
    set: recipient(`check_helo_access texthash:{T}/hidden, ${GUARD}`),
    open: 'mail.stranger-host.net OK\n',
    closed: 'spam.example REJECT\n',
  },
  {
    set: recipient(`regexp:{T}/hidden, static:OK, ${GUARD}`),
    open: '/^postmaster@/ OK\n',
    closed: '!/@here\\.test$/ REJECT\n',
  },
  { set: ['mynetworks = {T}/hidden'], open: '127.0.0.0/8\n', closed: '10.0.0.0/8\n' },
  { set: ['mynetworks = cidr:{T}/hidden'], open: '127.0.0.0/8 x\n', closed: '10.0.0.0/8 x\n' },
  { set: ['mynetworks = !{T}/hidden 127.0.0.0/8'], open: '10.0.0.0/8\n', closed: '127.0.0.0/8\n' },
  {
    set: [],
    rewrite: ['relay_domains = regexp:{T}/hidden'],
    open: '/./ x\n',
    closed: '/^partner\\.example$/ x\n',
  },
  {
    set: [
      ...recipient(`door, ${GUARD}`),
      'smtpd_restriction_classes = door',
      'door = check_client_access cidr:{T}/hidden',
    ],
    open: '127.0.0.0/8 OK\n',
    closed: '127.0.0.0/8 DUNNO\n',
  },
  {
    set: recipient(`check_policy_service {POLICY}, ${GUARD}`),
    open: 'ok',
    closed: 'dunno',
  },
  {
    set: recipient(`static:OK, ${GUARD}`).concat('smtpd_sender_restrictions = check_policy_service {POLICY}'),
    open: 'dunno',
    closed: 'reject',
  },
];
