import type { DovecotConfiguration } from '../../dovecot/configuration.ts';
import { type OpenSocket, openSockets, runningProtocols } from '../../dovecot/listeners.ts';
import type { Effective, PostfixConfiguration } from '../../postfix/configuration.ts';
import { proposeValue } from '../../postfix/proposals.ts';
import { isLoopback, listenAddress, type Service } from '../../postfix/services.ts';
import type { Location } from '../../text/source.ts';
import type {
  CheckContext,
  CrossCheck,
  CrossCheckContext,
  DovecotCheckContext,
  JudgedEndpoint,
  ProposedFix,
  Report,
} from '../check.ts';
import { decidingPlace, dovecotPlace } from '../locate.ts';
import { perDovecot, perPostfix } from './cross-shares.ts';
import { hasBranches, isAssumed } from './dovecot-common.ts';
import { isComplete, socketsOf, speaksToPostfix, withValues } from './dovecot-sockets.ts';
import { isTemplated } from './misread-lines.ts';
import { smtpdEndpoints } from './smtpd-auth.ts';

/**
 * Sockets over which Postfix asks Dovecot. Postfix opens them as `mail_owner`, from within `queue_directory`,
 * and in a chroot that folder is the root: smtpd(8), lmtp(8), master(5); xsasl_dovecot_server.c and
 * smtp_connect.c. Only what the files prove is reported: not what a group of more than one user, a link or a
 * mount could still make good. Held against running servers by test/servers/cross-sockets.test.ts.
 */

/** A path that Postfix connects to. */
interface Wanted {
  /** As the parameter has it, without `unix:`. */
  readonly written: string;
  /** The files that may be meant, as paths outside of any chroot: two where the chroot is not known. */
  readonly candidates: readonly string[];
  /** The service certainly runs in a chroot, and the path is absolute: where it would be without. */
  readonly outside: string | null;
  readonly service: Service;
  readonly of: Effective;
  readonly at: Location;
  readonly endpoint: JudgedEndpoint | null;
}

function* saslSocket(context: CrossCheckContext): Iterable<Report> {
  const { sasl } = neededBy(context.postfix);
  if (sasl.every((needed) => needed !== null && isMet(needed, context, speaksToUsers))) return;
  for (const { wanted, inet } of saslSockets(context.postfix)) {
    const report =
      inet === null ? socketReport(context, wanted, speaksToUsers) : portReport(context, wanted, inet);
    if (report !== null) yield report;
  }
}

/** The sockets over which Postfix logs users in; `inet` is the address of one that is a port. */
function* saslSockets(
  context: CheckContext,
): Iterable<{ readonly wanted: Wanted; readonly inet: string | null }> {
  const { postfix } = context;
  for (const endpoint of smtpdEndpoints(context)) {
    const { service, sasl } = endpoint;
    if (!sasl || postfix.value('smtpd_sasl_type', service) !== 'dovecot') continue;
    const of = postfix.get('smtpd_sasl_path', service);
    if (isTemplated(of.raw) || of.value === '') continue;
    const at = decidingPlace(postfix, of, service, ['smtpd_sasl_type', 'smtpd_sasl_auth_enable']);
    const inet = /^inet:(.*)$/.exec(of.value)?.[1] ?? null;
    const written = of.value.replace(/^unix:/, '');
    yield { wanted: wantedSocket(postfix, service, written, { of, at, endpoint }), inet };
  }
}

function speaksToUsers({ kind }: Pick<OpenSocket, 'kind'>): boolean {
  return speaksToPostfix(kind);
}

function isLmtp({ service }: { readonly service: { readonly name: string } }): boolean {
  return service.name === 'lmtp';
}

/** A port of this machine that Dovecot's auth service does not have. */
function portReport(
  { dovecot }: CrossCheckContext,
  { at, of, endpoint }: Wanted,
  address: string,
): Report | null {
  const { host, port } = listenAddress(address);
  if ((host !== '*' && !isLoopback(host)) || port === null || !isKnown(dovecot)) return null;
  const has = dovecot.endpoints.some(
    (one) => one.side === 'server' && one.spoken === 'auth' && one.port === port,
  );
  return has ? null : { at, of, endpoint, message: 'port', data: { port } };
}

/** Parameters that name a transport for mail to users of this host. */
const TRANSPORTS: readonly string[] = ['virtual_transport', 'mailbox_transport', 'local_transport'];

function* lmtpSocket(context: CrossCheckContext): Iterable<Report> {
  const { lmtp } = neededBy(context.postfix);
  const isQuiet = (needed: Needed): boolean =>
    !isOfDovecot(needed, context) || (!isSwitchedOff(needed, context) && isMet(needed, context, isLmtp));
  if (lmtp.every(isQuiet)) return;
  for (const wanted of lmtpSockets(context.postfix)) {
    if (!isOfDovecot(neededFor(context.postfix, wanted), context)) continue;
    const report = switchedOffReport(context, wanted) ?? socketReport(context, wanted, isLmtp);
    if (report !== null) yield report;
  }
}

/** The sockets to which Postfix hands mail for users of this host. */
function* lmtpSockets({ postfix }: CheckContext): Iterable<Wanted> {
  for (const name of TRANSPORTS) {
    const of = postfix.get(name);
    if (of.setting === null || isTemplated(of.raw)) continue;
    const [, transport, written] = /^([^:\s]+):unix:(\S+)$/.exec(of.value) ?? [];
    if (transport === undefined || written === undefined) continue;
    const service = postfix.services.find((one) => one.type === 'unix' && one.name === transport);
    if (service === undefined || (service.program !== 'lmtp' && service.program !== 'smtp')) continue;
    yield wantedSocket(postfix, service, written, { of, at: of.setting.at, endpoint: null });
  }
}

/** What Postfix needs of a socket, as plain data: known of it for all hosts that have it. */
interface Needed extends Pick<Wanted, 'written' | 'candidates' | 'outside'> {
  readonly owner: string;
  readonly queue: string;
}

/** All that Postfix needs of Dovecot's sockets; null stands for a port. */
const neededBy = perPostfix((context) => ({
  sasl: [...saslSockets(context)].map(({ wanted, inet }) =>
    inet === null ? neededFor(context, wanted) : null,
  ),
  lmtp: [...lmtpSockets(context)].map((wanted) => neededFor(context, wanted)),
}));

function neededFor({ postfix }: CheckContext, { written, candidates, outside, service }: Wanted): Needed {
  const owner = postfix.value('mail_owner', service);
  return { written, candidates, outside, owner, queue: plainPath(postfix.value('queue_directory')) };
}

/** What Dovecot has for that, as plain data. */
const offeredBy = perDovecot((context) => {
  const sockets = unixSockets(context);
  const { assumed, names } = runningProtocols(context.dovecot);
  return {
    sockets: sockets.map(({ service: { name }, path, kind, mode, user, group }) => ({
      service: { name },
      path: plainPath(path),
      kind,
      mode,
      user,
      group,
    })),
    /** There may be others. */
    isOpen: !isKnown(context) || sockets.some(isUnknownSocket),
    runsLmtp: assumed || names.includes('lmtp'),
    /** Those for LMTP, whether the protocol is switched on or not. */
    lmtp: allSockets(context.dovecot)
      .filter(isLmtp)
      .map(({ path }) => plainPath(path)),
  };
});

/** True where it is sure that nothing keeps Postfix from using a socket, or that nothing is known of it. */
function isMet(
  { candidates, outside, owner }: Needed,
  { dovecot }: CrossCheckContext,
  fits: (socket: ReturnType<typeof offeredBy>['sockets'][number]) => boolean,
): boolean {
  const { sockets, isOpen } = offeredBy(dovecot);
  const found = sockets.find(({ path }) => candidates.includes(path));
  if (found !== undefined) return fits(found) && isPermitted(found, owner);
  return isOpen && !sockets.some(({ path }) => path === outside);
}

/** Other servers take LMTP too: Dovecot's is meant where the name says so, or where it opens a socket in the queue directory. */
function isOfDovecot({ written, candidates, queue }: Needed, { dovecot }: CrossCheckContext): boolean {
  return (
    /dovecot/.test(written) ||
    offeredBy(dovecot).lmtp.some((path) => candidates.includes(path) || path.startsWith(`${queue}/`))
  );
}

/** The socket is there in the files, but `protocols` leaves LMTP out. */
function isSwitchedOff({ candidates }: Pick<Wanted, 'candidates'>, { dovecot }: CrossCheckContext): boolean {
  const { runsLmtp, lmtp } = offeredBy(dovecot);
  return !runsLmtp && lmtp.some((path) => candidates.includes(path));
}

/** The sockets of all services, of those too whose protocol is not switched on. */
function allSockets(dovecot: DovecotConfiguration): readonly OpenSocket[] {
  return openSockets(dovecot, dovecot.services());
}

function switchedOffReport(context: CrossCheckContext, wanted: Wanted): Report | null {
  if (!isSwitchedOff(wanted, context)) return null;
  const { dovecot } = context;
  const protocols = runningProtocols(dovecot.dovecot);
  const socket = allSockets(dovecot.dovecot).find(
    ({ service, path }) => service.name === 'lmtp' && wanted.candidates.includes(plainPath(path)),
  );
  if (socket === undefined) return null;
  return {
    message: 'protocol',
    at: dovecotPlace(dovecot.dovecot, protocols.from),
    setting: 'protocols',
    actual: protocols.names.join(' '),
    data: { ...dataOf(wanted), path: socket.path },
    related: [{ at: wanted.at, message: `${wanted.of.name} sends mail there` }],
  };
}

function wantedSocket(
  postfix: PostfixConfiguration,
  service: Service,
  written: string,
  rest: Pick<Wanted, 'of' | 'at' | 'endpoint'>,
): Wanted {
  const queue = plainPath(postfix.value('queue_directory', service));
  const inQueue = plainPath(`${queue}/${written}`);
  const flag = service.entry?.fields.chroot.text ?? '-';
  const outside = written.startsWith('/') ? plainPath(written) : null;
  // Within a chroot a path that repeats the queue directory leads nowhere either.
  const candidates =
    outside === null || flag === 'y' ? [inQueue] : flag === 'n' ? [outside] : [outside, inQueue];
  return { written, candidates, outside: flag === 'y' ? outside : null, service, ...rest };
}

/** `/var/run` is a link to `/run` wherever Dovecot is packaged. */
function plainPath(path: string): string {
  return path
    .replace(/\/{2,}/g, '/')
    .replace(/(^|\/)(?:\.\/)+/g, '$1')
    .replace(/^\/var\/run\//, '/run/')
    .replace(/(.)\/$/, '$1');
}

/** What keeps Postfix from using a socket; null where nothing does, or nothing is known. */
function socketReport(
  context: CrossCheckContext,
  wanted: Wanted,
  fits: (socket: OpenSocket) => boolean,
): Report | null {
  const sockets = unixSockets(context.dovecot);
  const at = (paths: readonly (string | null)[]): OpenSocket | undefined =>
    sockets.find(({ path }) => paths.includes(plainPath(path)));
  const found = at(wanted.candidates);
  if (found !== undefined)
    return fits(found) ? permissionReport(context, wanted, found) : kindReport(context, wanted, found);
  const { of, endpoint } = wanted;
  const outside = at([wanted.outside]);
  const place = { at: wanted.at, of, endpoint };
  if (outside !== undefined)
    return {
      ...place,
      message: 'chroot',
      data: dataOf(wanted),
      related: [{ at: placeOf(context, outside), message: 'the socket that Dovecot opens' }],
    };
  if (!isKnown(context.dovecot) || sockets.some(isUnknownSocket)) return null;
  if (mayBeMounted(context, wanted, sockets)) return null;
  const others = sockets.filter((socket) => fits(socket) && inQueueDirectory(context, socket) !== null);
  return {
    ...place,
    message: 'missing',
    data: { ...dataOf(wanted), others: others.map(({ path }) => path) },
    related: others.map((socket) => ({
      at: placeOf(context, socket),
      message: 'a socket that Dovecot opens for Postfix',
    })),
    fix: others.length === 1 && others[0] !== undefined ? pathFix(context, wanted, others[0]) : null,
  };
}

function unixSockets(context: DovecotCheckContext): readonly OpenSocket[] {
  return socketsOf(context).filter(({ listener }) => listener.kind === 'unix_listener');
}

/** What the messages name. */
function dataOf({ written, candidates: [path = ''], service }: Wanted): Readonly<Record<string, unknown>> {
  return { written, path, service: service.id };
}

/** Whether all of Dovecot's files are here, and none of them is for a template engine to fill. */
function isKnown({ dovecot, host }: CrossCheckContext['dovecot']): boolean {
  return isComplete(dovecot) && !isAssumed(host, dovecot.tree.main.source) && !hasBranches(dovecot);
}

/** A path that is not known before a template engine has filled it in. */
function isUnknown(path: string): boolean {
  return isTemplated(path) || /[{}%]/.test(path);
}

/**
 * Where the servers run in containers, one folder has a path in each: a socket that Dovecot opens under the
 * same name in a folder outside of the queue directory can be the one, except in those that Postfix has for
 * itself.
 */
function mayBeMounted(
  context: CrossCheckContext,
  { candidates, service }: Wanted,
  sockets: readonly OpenSocket[],
): boolean {
  const queue = plainPath(context.postfix.postfix.value('queue_directory', service));
  const own = [`${queue}/private/`, `${queue}/public/`];
  return candidates.some(
    (path) =>
      !own.some((folder) => path.startsWith(folder)) &&
      sockets.some(
        (socket) =>
          socket.listener.name.startsWith('/') &&
          inQueueDirectory(context, socket) === null &&
          baseName(socket.path) === baseName(path),
      ),
  );
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A socket of the user's own whose path is not known; Dovecot's own have variables in their names. */
function isUnknownSocket({ path, listener }: OpenSocket): boolean {
  return listener.openings.length > 0 && isUnknown(path);
}

/** The path of a socket below the queue directory, as Postfix would write it; null where it is elsewhere. */
function inQueueDirectory({ postfix }: CrossCheckContext, { path }: OpenSocket): string | null {
  const queue = `${plainPath(postfix.postfix.value('queue_directory'))}/`;
  return plainPath(path).startsWith(queue) ? plainPath(path).slice(queue.length) : null;
}

function pathFix(
  context: CrossCheckContext,
  { of, written }: Wanted,
  socket: OpenSocket,
): ProposedFix | null {
  const path = inQueueDirectory(context, socket);
  if (path === null || of.setting === null) return null;
  const value = of.value.replace(written, path);
  return { title: `set ${of.name} to ${value}`, ...proposeValue(context.postfix.postfix, of.setting, value) };
}

function kindReport(context: CrossCheckContext, wanted: Wanted, socket: OpenSocket): Report {
  return {
    message: 'kind',
    at: placeOf(context, socket),
    endpoint: wanted.endpoint,
    data: { ...dataOf(wanted), dovecot: socket.service.name, kind: socket.kind ?? '' },
    related: [{ at: wanted.at, message: `${wanted.of.name} names it` }],
  };
}

function permissionReport(context: CrossCheckContext, wanted: Wanted, socket: OpenSocket): Report | null {
  const owner = context.postfix.postfix.value('mail_owner', wanted.service);
  const { mode, user, group } = socket;
  if (mode === null || isPermitted(socket, owner)) return null;
  const mode660 = mode & 0o060 ? {} : { mode: '0660' };
  return {
    message: 'permission',
    at: placeOf(context, socket),
    endpoint: wanted.endpoint,
    data: {
      ...dataOf(wanted),
      path: socket.path,
      owner,
      mode: `0${mode.toString(8)}`,
      user: user === '' ? 'root' : user,
      group: group === '' ? 'root' : group,
    },
    related: [{ at: wanted.at, message: `${wanted.of.name} names it` }],
    fix: withValues(context.dovecot, socket, {
      ...mode660,
      ...(user === owner ? {} : { user: owner }),
      ...(group === owner ? {} : { group: owner }),
    }),
  };
}

/** Who may connect to a socket. */
type Permissions = Pick<OpenSocket, 'mode' | 'user' | 'group'>;

/** Whether a user may connect, as far as is known. */
function isPermitted(socket: Permissions, who: string): boolean {
  const { mode, user, group } = socket;
  return mode === null || [user, group].some(isUnknown) || mayConnect(socket, who) !== false;
}

/**
 * Whether a user may connect: the first of owner, group and others that fits decides, and it takes the right
 * to write. Null where it takes to know who is in a group, or which name a number has.
 */
function mayConnect({ mode, user, group }: Permissions, who: string): boolean | null {
  const bits = mode ?? 0;
  if (/^\d+$/.test(user) || (/^\d+$/.test(group) && group !== '0')) return null;
  if (user === who) return (bits & 0o200) !== 0;
  const ofGroup = (bits & 0o020) !== 0;
  const ofOthers = (bits & 0o002) !== 0;
  if (group === who) return ofGroup;
  const isRoots = ['', 'root', '0'].includes(group);
  if (isRoots || ofGroup === ofOthers) return ofOthers;
  return null;
}

/** Where a socket gets its mode, or is opened. */
function placeOf({ dovecot }: CrossCheckContext, { listener }: OpenSocket): Location {
  return listener.openings.at(-1) ?? dovecotPlace(dovecot.dovecot, listener.get('mode'));
}

/** Checks of the sockets between the servers, by the name that rule files call. */
export const crossSocketChecks: Readonly<Record<string, CrossCheck>> = {
  'cross/sasl-socket': saslSocket,
  'cross/lmtp-socket': lmtpSocket,
};
