import type { DovecotConfiguration, DovecotListener } from '../../dovecot/configuration.ts';
import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { type OpenSocket, openSockets, runningProtocols, runningServices } from '../../dovecot/listeners.ts';
import { proposeSetting } from '../../dovecot/proposals.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { joinedFix } from '../judged-server.ts';
import { dovecotPlace } from '../locate.ts';
import { isOwn } from './dovecot-common.ts';

const sockets = new WeakMap<DovecotConfiguration, readonly OpenSocket[]>();

/** The sockets that will be there. */
export function socketsOf({ dovecot }: DovecotCheckContext): readonly OpenSocket[] {
  const known =
    sockets.get(dovecot) ?? openSockets(dovecot, runningServices(dovecot, runningProtocols(dovecot)));
  sockets.set(dovecot, known);
  return known;
}

/** Below a queue directory of Postfix. */
const IN_QUEUE_DIRECTORY = /\/postfix[^/]*\//;

/** Connecting takes the right to write (unix(7)). */
const OTHERS_CONNECT = 0o002;

function* authSocketMode(context: DovecotCheckContext): Iterable<Report> {
  for (const socket of socketsOf(context)) {
    const of = socket.listener.get('mode');
    if (of.at === null || !isOwn(context, of.at)) continue;
    const report =
      decimalReport(context, socket, of) ??
      workerReport(context, socket, of) ??
      openReport(context, socket, of);
    if (report !== null) yield report;
  }
}

/** A number without its leading 0: only digits that modes are made of are taken for one. */
const MODE_WITHOUT_ZERO = /^[0467]{3}$/;

function decimalReport(
  context: DovecotCheckContext,
  socket: OpenSocket,
  of: DovecotEffective,
): Report | null {
  // The value itself is shown as the octal number that it comes to.
  const written = of.assignment?.written ?? '';
  if (!MODE_WITHOUT_ZERO.test(written)) return null;
  return {
    message: 'decimal',
    at: dovecotPlace(context.dovecot, of),
    setting: 'mode',
    actual: written,
    expected: `0${written}`,
    data: { path: socket.path, octal: `0${Number(written).toString(8)}` },
    fix: withValues(context, socket, { mode: `0${written}` }),
  };
}

/** Kinds whose built-in sockets are open to all, since the folder around them is not, or since the server looks at who asks. */
const OPEN_BY_DESIGN: ReadonlySet<string> = new Set(['login', 'token-login']);

/** With exactly this mode the auth process answers users only about themselves (auth-master-connection.c). */
const GUARDED_MODE = 0o666;

function openReport(context: DovecotCheckContext, socket: OpenSocket, of: DovecotEffective): Report | null {
  const { kind, mode, path } = socket;
  if (kind === null || mode === null || OPEN_BY_DESIGN.has(kind) || (mode & OTHERS_CONNECT) === 0)
    return null;
  if (kind === 'userdb' && mode === GUARDED_MODE) return null;
  const isClient = kind !== 'userdb' && kind !== 'master';
  return {
    message: isClient ? 'default' : 'lookups',
    at: dovecotPlace(context.dovecot, of),
    setting: 'mode',
    actual: of.value,
    expected: '0660',
    data: { path },
    fix: closedFix(context, socket),
  };
}

/** The worker answers whoever connects as it answers the auth process: with the passwords that are stored (auth-worker.c). */
function workerReport(context: DovecotCheckContext, socket: OpenSocket, of: DovecotEffective): Report | null {
  const { service, mode, path } = socket;
  if (service.name !== 'auth-worker' || mode === null || (mode & OTHERS_CONNECT) === 0) return null;
  return {
    message: 'worker',
    at: dovecotPlace(context.dovecot, of),
    setting: 'mode',
    actual: of.value,
    expected: '0600',
    data: { path },
    fix: withValues(context, socket, { mode: '0600' }),
  };
}

/** Mode 0660, and who is to connect: known for Postfix alone. */
function closedFix(context: DovecotCheckContext, socket: OpenSocket): ProposedFix | null {
  const { path, user, group } = socket;
  const names = [user, group];
  if (!IN_QUEUE_DIRECTORY.test(path)) {
    const fix = names.some(isNamed) ? withValues(context, socket, { mode: '0660' }) : null;
    return fix && { ...fix, safe: false };
  }
  if (names.includes('postfix')) return withValues(context, socket, { mode: '0660' });
  const fix = withValues(context, socket, { mode: '0660', user: 'postfix', group: 'postfix' });
  return fix && { ...fix, safe: false };
}

function isNamed(name: string): boolean {
  return name !== '' && name !== 'root';
}

/** A fix that gives keys of a socket values. */
export function withValues(
  { dovecot }: DovecotCheckContext,
  { service, listener }: { readonly service: { readonly name: string }; readonly listener: DovecotListener },
  values: Readonly<Record<string, string>>,
): ProposedFix | null {
  const sections = [
    { type: 'service', name: service.name },
    { type: listener.kind, name: listener.name },
  ];
  const parts = Object.entries(values).map(([name, value]): ProposedFix | null => {
    const proposal = proposeSetting(dovecot, { name, value, sections });
    return proposal === null ? null : { title: `set ${name} to ${value}`, ...proposal };
  });
  return parts.every((part) => part !== null) ? joinedFix(parts) : null;
}

/** What Postfix cannot speak. The kind `login` answers it like `auth` does, measured with 2.3.13 to 2.4.5 (test/servers/cross-sockets.test.ts). */
const NOT_FOR_POSTFIX: ReadonlySet<string> = new Set(['master', 'userdb', 'token', 'token-login']);

/** Whether smtpd(8) can log users in over a socket of this kind; null: of another service than auth. */
export function speaksToPostfix(kind: string | null): boolean {
  return kind !== null && !NOT_FOR_POSTFIX.has(kind);
}

function* authSocketKind(context: DovecotCheckContext): Iterable<Report> {
  for (const { kind, path, listener } of socketsOf(context)) {
    if (kind === null || speaksToPostfix(kind) || !IN_QUEUE_DIRECTORY.test(path)) continue;
    const of = context.dovecot.hasNamedFilters ? listener.get('type') : null;
    const at = of?.at ?? listener.openings[0];
    if (at === undefined || !isOwn(context, at)) continue;
    const byName = of === null || of.value === '';
    yield {
      message: byName ? (context.dovecot.hasNamedFilters ? 'name-or-type' : 'default') : 'type',
      at,
      data: { path, kind, lookups: kind === 'master' || kind === 'userdb' },
    };
  }
}

function* authOnNetwork(context: DovecotCheckContext): Iterable<Report> {
  for (const endpoint of context.endpoints) {
    if (endpoint.side !== 'server' || !endpoint.public || endpoint.filter !== null) continue;
    for (const message of networkFaults(context, endpoint)) {
      const of = endpoint.open.listener.get('port');
      const at = dovecotPlace(context.dovecot, of);
      if (isOwn(context, at)) yield { message, at, endpoint, setting: 'port', actual: of.value };
    }
  }
}

/** Without a password doveadm answers nobody; one that stands in a file that is not here is not missed. */
function networkFaults(
  context: DovecotCheckContext,
  { spoken, tls }: DovecotServerEndpoint,
): readonly string[] {
  if (spoken === 'auth') return ['default'];
  if (spoken !== 'doveadm') return [];
  const { dovecot } = context;
  const isSet = (name: string): boolean => dovecot.table.get(name) !== null && dovecot.value(name) !== '';
  if (!isSet('doveadm_password') && !isSet('doveadm_api_key') && isComplete(dovecot))
    return ['doveadm-password'];
  return tls.mode === 'none' ? ['doveadm'] : [];
}

/** Whether all files are here that the configuration names. */
export function isComplete({ tree }: DovecotCheckContext['dovecot']): boolean {
  return tree.statements.every(
    ({ statement }) => statement.kind !== 'include' || (tree.included.get(statement) ?? []).length > 0,
  );
}

/** Checks of sockets and of ports that are not for mail programs, by the name that rule files call. */
export const dovecotSocketChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/auth-socket-mode': authSocketMode,
  'dovecot/auth-socket-kind': authSocketKind,
  'dovecot/auth-on-network': authOnNetwork,
};
