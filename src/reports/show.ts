import { scopePath } from '../dovecot/assignment.ts';
import type { DovecotConfiguration } from '../dovecot/configuration.ts';
import { originOf } from '../dovecot/effective.ts';
import type { Host } from '../hosts/host.ts';
import { type EndpointAuth, type EndpointTls, SERVER_NAMES, type Server } from '../model/endpoint.ts';
import { shownValue } from '../model/secrets.ts';
import type { Origin } from '../model/setting.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from '../postfix/configuration.ts';
import { protocolsText, type TableFormat } from './endpoint-table.ts';
import { hostHead } from './json.ts';
import type { Palette } from './palette.ts';
import { type ShownEndpoint, shownEndpoints, tlsLines } from './show-endpoints.ts';
import { hostName, judgedPrograms, PROGRAM_NAMES } from './text.ts';
import { shownText, widthOf, wrap } from './words.ts';

interface ShownSetting {
  readonly server: Server;
  /** The service of an override; the path of the section of a line of Dovecot. */
  readonly service: string | null;
  readonly name: string;
  /** As written, or the text of the default. */
  readonly raw: string;
  readonly value: string;
  readonly origin: Origin;
}

/** What is set, and with `all` also what is left at its default. */
function settingsOf({ postfix, dovecot }: Host, all: boolean): ShownSetting[] {
  return [
    ...(postfix === null ? [] : postfixSettings(postfix.configuration, all)),
    ...(dovecot === null ? [] : dovecotSettings(dovecot.configuration, all)),
  ];
}

function postfixSettings(configuration: PostfixConfiguration, all: boolean): ShownSetting[] {
  const shown = (service: string | null, { name, raw, value, origin }: Effective): ShownSetting => ({
    server: 'postfix',
    service,
    name,
    raw,
    value,
    origin,
  });
  const explicit = configuration
    .settings()
    .filter((setting) => setting.kind === 'main' || setting.entry.reached);
  const set = explicit.map((setting: PostfixSetting): ShownSetting => {
    const service = setting.kind === 'override' ? setting.service : null;
    return shown(service?.id ?? null, configuration.get(setting.name, service));
  });
  if (!all) return set;
  const names = new Set(explicit.flatMap(({ kind, name }) => (kind === 'main' ? [name] : [])));
  const rest = [...configuration.table.names(), ...configuration.transportParameters.keys()].filter(
    (name) => !names.has(name),
  );
  return [...set, ...rest.sort().map((name) => shown(null, configuration.get(name)))];
}

function dovecotSettings(configuration: DovecotConfiguration, all: boolean): ShownSetting[] {
  const dead = new Set(configuration.deadSettings().map((pair) => pair.dead));
  const set = configuration
    .settings()
    .filter((assignment) => !dead.has(assignment))
    .map((assignment): ShownSetting => {
      const { name, written, value, scope, at } = assignment;
      const path = scopePath(scope).join(' > ');
      return {
        server: 'dovecot',
        service: path === '' ? null : path,
        name,
        raw: written,
        value: value ?? written,
        origin: originOf(at, assignment),
      };
    });
  if (!all) return set;
  const names = new Set(set.flatMap(({ service, name }) => (service === null ? [name] : [])));
  const rest = [...configuration.table.names()].filter(
    (name) => !names.has(name) && configuration.table.get(name)?.default !== null,
  );
  const defaults = rest.sort().map((name): ShownSetting => {
    const { value, origin } = configuration.get(name);
    return { server: 'dovecot', service: null, name, raw: value, value, origin };
  });
  return [...set, ...defaults];
}

/** A host of `show --format json`. */
export function showHost(host: Host, all: boolean): unknown {
  return {
    ...hostHead(host),
    settings: settingsOf(host, all).map(({ server, service, name, raw, value, origin }) => ({
      server,
      service,
      name,
      value: shownValue(name, raw),
      effective: shownValue(name, value),
      origin: originJson(origin),
    })),
    endpoints: shownEndpoints(host).map(({ endpoint, tls, notes }) => {
      const { id, server, side, role, address, port, auth } = endpoint;
      return {
        id,
        server,
        side,
        role,
        address,
        port,
        tls: tlsJson(tls),
        auth: { beforeTls: auth.beforeTls, afterTls: auth.afterTls },
        notes,
      };
    }),
  };
}

/** Ciphers are null where nothing is known of them; who decides on the order and the keys belong to servers. */
function tlsJson({ mode, protocols, ciphers, preference, keyTypes }: EndpointTls): unknown {
  const known = ciphers ?? (protocols.length === 0 ? [] : null);
  return {
    mode,
    protocols,
    ciphers: known?.map(({ protocol, name }) => ({ protocol, name })) ?? null,
    preference: preference ?? null,
    keyTypes: keyTypes ?? null,
  };
}

function originJson(origin: Origin): unknown {
  if (origin.kind === 'default') return { kind: 'default', file: null, line: null };
  const { source, span } = origin.at;
  return { kind: origin.kind, file: source.path, line: source.position(span.start).line };
}

/** Settings and endpoints of a host for the terminal. */
export function showText(host: Host, all: boolean, format: TableFormat): string {
  const { palette, width } = format;
  const { releases } = host;
  const programs = judgedPrograms(host).map(
    (program) => `${PROGRAM_NAMES[program]} ${releases[program].version} (${releases[program].versionFrom})`,
  );
  const lines = [`${palette.strong(hostName(host))}: ${programs.join(', ')}`];
  let place = '';
  for (const setting of settingsOf(host, all)) {
    const { service, origin } = setting;
    const file =
      origin.kind === 'default'
        ? `defaults of ${SERVER_NAMES[origin.server]} ${origin.release}`
        : shownText(origin.at.source.path);
    const heading = service === null ? file : `${file}, ${shownText(service)}`;
    if (heading !== place) lines.push('', palette.strong(heading));
    place = heading;
    lines.push(...settingLines(setting, palette, width));
  }
  const endpoints = shownEndpoints(host);
  lines.push('', palette.strong('Endpoints'), ...endpointTable(endpoints), ...tlsLines(endpoints, format));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function settingLines(setting: ShownSetting, palette: Palette, width: number): string[] {
  const { name, origin } = setting;
  // White space as postconf prints it: what a value means does not hang on it.
  const shown = (text: string): string => shownText(shownValue(name, text).replace(/\s+/g, ' '), 2000);
  const raw = shown(setting.raw);
  const value = shown(setting.value);
  const number =
    origin.kind === 'default' ? '' : String(origin.at.source.position(origin.at.span.start).line);
  const [first = '', ...rest] = wrap(`${name} = ${raw}`, width - 8);
  const lines = [`${palette.dim(number.padStart(5))}  ${first}`, ...rest.map((line) => `           ${line}`)];
  if (value !== raw)
    lines.push(
      ...wrap(value, width - 11).map(
        (line, index) => `       ${palette.dim(index === 0 ? '-> ' : '   ')}${line}`,
      ),
    );
  return lines;
}

const HEADINGS = ['endpoint', 'role', 'address', 'TLS', 'protocols', 'AUTH'];

function endpointTable(endpoints: readonly ShownEndpoint[]): string[] {
  if (endpoints.length === 0) return ['  none'];
  const rows = [
    HEADINGS,
    ...endpoints.map(({ endpoint, tls, fault }) => {
      const { id, role, address, port, auth } = endpoint;
      const assumed = endpoint.server === 'postfix' && endpoint.service.assumed;
      return [
        // The destination of a client is its address.
        shownText(id.replace(/>.*$/s, '')) + (assumed ? ' (assumed)' : ''),
        role,
        `${shownText(address)}${port === null ? '' : `:${port}`}`,
        tls.mode,
        fault === null ? protocolsText(tls.protocols) : `none: ${fault.replaceAll('-', ' ')}`,
        authText(auth),
      ];
    }),
  ];
  const widths = HEADINGS.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[column] ?? '')), 0),
  );
  return rows.map(
    (row) =>
      `  ${row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))).join('  ')}`,
  );
}

function offered(mechanisms: readonly string[] | null): boolean {
  return mechanisms === null || mechanisms.length > 0;
}

function authText({ beforeTls, afterTls }: EndpointAuth): string {
  const before = offered(beforeTls);
  const after = offered(afterTls);
  if (!before && !after) return '-';
  const names = [...new Set([...(beforeTls ?? []), ...(afterTls ?? [])])].join(' ');
  const when = before && after ? 'before and after TLS' : before ? 'without TLS' : 'after TLS';
  return names === '' ? when : `${names} ${when}`;
}
