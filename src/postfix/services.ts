import type { Location, SourceFile } from '../text/source.ts';
import type { MasterCf, Override, ServiceEntry } from './syntax/tree.ts';

/** An override, and whether the program gets as far as reading it. */
export type ServiceOverride = Override & { readonly reached: boolean };

/**
 * One service as master(8) runs it. `entry` is null for a service that is assumed: a main.cf was
 * given without its master.cf, and these services are in every master.cf that Postfix comes with.
 */
export interface Service {
  /** `submission/inet` */
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Base name of the command: `smtpd`, `smtp`, `pipe`. */
  readonly program: string;
  readonly entry: ServiceEntry | null;
  /**
   * The last override of each name. A stray word among the arguments keeps the
   * daemon from starting at all; what stands behind it is what the service is meant to be, and is judged
   * so, or mending the word would bring surprises; what stands in a comment behind a value is not.
   */
  readonly overrides: ReadonlyMap<string, ServiceOverride>;
  /** Overrides that a later one of the same name beats. */
  readonly deadOverrides: readonly ServiceOverride[];
  /** A service that stands for "any service of this kind": nothing may be said of its defaults. */
  readonly assumed: boolean;
}

/**
 * Names that every program sets itself, whatever main.cf and `-o` say. postconf takes process_name for one of
 * them too, but the programs set that before they read main.cf (single_server.c and its kin).
 */
export const READ_ONLY: ReadonlySet<string> = new Set(['process_id', 'service_name']);

/** Host and port of an inet service name: `25`, `smtp`, `127.0.0.1:10025`, `[::1]:10025`. */
export interface ListenAddress {
  /** `*` where the service name has no host: inet_interfaces decides. */
  readonly host: string;
  /** Null for a name that the table of ports here does not hold. */
  readonly port: number | null;
  readonly portName: string;
}

/** Service names of mail (IANA, and /etc/services of the distributions) and their ports. */
const MAIL_PORTS: Readonly<Record<string, number>> = {
  smtp: 25,
  mail: 25,
  smtps: 465,
  ssmtp: 465,
  urd: 465,
  submissions: 465,
  submission: 587,
  msa: 587,
  lmtp: 24,
  qmqp: 628,
  qmtp: 209,
  imap2: 143,
  imap: 143,
  imaps: 993,
  pop3: 110,
  pop3s: 995,
};

/** Takes the name of an inet service apart (inet_listen.c, host_port.c). */
export function listenAddress(name: string): ListenAddress {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(name);
  let host = '*';
  let portName = name;
  if (bracketed !== null) {
    host = bracketed[1] ?? '';
    portName = bracketed[2] ?? '';
  } else {
    const colon = name.lastIndexOf(':');
    if (colon >= 0) {
      host = name.slice(0, colon) || '*';
      portName = name.slice(colon + 1);
    }
  }
  const port = /^\d{1,5}$/.test(portName) ? Number(portName) : (MAIL_PORTS[portName.toLowerCase()] ?? null);
  return { host: host.replace(/^IPv6:/i, ''), port, portName };
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    /^127(\.\d{1,3}){0,3}$/.test(name) ||
    /^(0{0,4}:){2,7}0{0,3}1$/.test(name) ||
    /^::ffff:127(\.\d{1,3}){3}$/.test(name) ||
    /^(ip6-)?localhost(\.localdomain|[46])?$/.test(name) ||
    name === 'ip6-loopback'
  );
}

/** Two master.cf names are one service to master(8) when type and listening address agree. */
function serviceKey(name: string, type: string): string {
  if (type !== 'inet') return `${name}/${type}`;
  const { host, port, portName } = listenAddress(name);
  return `${host}:${port ?? portName}/inet`;
}

/** The services of a master.cf as master(8) takes them, with those that a later line replaces. */
export function masterServices(
  master: MasterCf,
  disabled: (name: string, type: string) => boolean,
): {
  readonly services: readonly Service[];
  readonly duplicates: readonly { readonly dead: ServiceEntry; readonly winner: ServiceEntry }[];
} {
  const byKey = new Map<string, ServiceEntry>();
  const duplicates: { dead: ServiceEntry; winner: ServiceEntry }[] = [];
  for (const item of master.items) {
    if (item.kind !== 'service') continue;
    const { service, type } = item.fields;
    if (disabled(service.text, type.text)) continue;
    const key = serviceKey(service.text, type.text);
    const earlier = byKey.get(key);
    if (earlier !== undefined) duplicates.push({ dead: earlier, winner: item });
    byKey.delete(key);
    byKey.set(key, item);
  }
  const services = [...byKey.values()]
    .map((entry) => toService(entry, master.source))
    .sort((a, b) => (a.entry?.line.span.start ?? 0) - (b.entry?.line.span.start ?? 0));
  return { services, duplicates };
}

function toService(entry: ServiceEntry, source: SourceFile): Service {
  const { service, type, command } = entry.fields;
  const overrides = new Map<string, ServiceOverride>();
  const deadOverrides: ServiceOverride[] = [];
  // Behind a word that begins with #, the rest of a physical line is what somebody took for a comment.
  let commentEnd = -1;
  for (const argument of entry.arguments) {
    if (argument.kind === 'stray' && argument.text.startsWith('#') && argument.span.start >= commentEnd) {
      commentEnd = source.lineSpan(source.position(argument.span.start).line).end;
    }
    if (argument.kind !== 'override' || READ_ONLY.has(argument.name)) continue;
    if (argument.span.start < commentEnd) continue;
    const earlier = overrides.get(argument.name);
    if (earlier !== undefined) deadOverrides.push(earlier);
    overrides.set(argument.name, argument);
  }
  return {
    id: `${service.text}/${type.text}`,
    name: service.text,
    type: type.text,
    program: command.text.replace(/^.*\//, ''),
    entry,
    overrides,
    deadOverrides,
    assumed: false,
  };
}

const ASSUMED: readonly (readonly [string, string, string, boolean])[] = [
  ['smtp', 'inet', 'smtpd', false],
  ['submission', 'inet', 'smtpd', true],
  ['smtp', 'unix', 'smtp', false],
];

/**
 * The services that stand in where main.cf comes alone: the public smtpd and the smtp client that
 * every master.cf begins with, and a submission service with mandatory TLS that says what the
 * mandatory settings of main.cf are worth.
 */
export function assumedServices(): readonly Service[] {
  return ASSUMED.map(([name, type, program, assumed]) => ({
    id: `${name}/${type}`,
    name,
    type,
    program,
    entry: null,
    overrides: new Map<string, ServiceOverride>(),
    deadOverrides: [],
    assumed,
  }));
}

/** Where a service is defined; null for an assumed one. */
export function serviceLocation(master: MasterCf | null, service: Service): Location | null {
  if (master === null || service.entry === null) return null;
  const { service: first, command } = service.entry.fields;
  return { source: master.source, span: { start: first.span.start, end: command.span.end } };
}
