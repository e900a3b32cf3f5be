import type { Host } from '../hosts/host.ts';
import { TemplatedHost } from '../hosts/renderings.ts';
import { type EndpointAuth, type EndpointTls, SERVER_NAMES } from '../model/endpoint.ts';
import { shownValue } from '../model/secrets.ts';
import type { Origin } from '../model/setting.ts';
import { protocolsText, type TableFormat } from './endpoint-table.ts';
import { type HostHead, hostHead } from './json.ts';
import type { Palette } from './palette.ts';
import { type ShownEndpoint, shownEndpoints, tlsLines } from './show-endpoints.ts';
import { type ShownSetting, settingsOf } from './show-settings.ts';
import { type EndpointJson, FILLED, templatedEndpoints } from './show-template.ts';
import { hostName, judgedPrograms, PROGRAM_NAMES, partSentence } from './text.ts';
import { shownText, widthOf, wrap } from './words.ts';

/** A setting as JSON. */
interface SettingJson extends Pick<ShownSetting, 'server' | 'service' | 'name'> {
  readonly value: string | null;
  readonly effective: string | null;
  readonly templated?: true;
  readonly origin: OriginJson;
}

interface OriginJson {
  readonly kind: Origin['kind'];
  readonly file: string | null;
  readonly line: number | null;
}

/** A host of `show --format json`. */
export interface HostJson extends HostHead {
  readonly settings: readonly SettingJson[];
  readonly endpoints: readonly EndpointJson[];
}

/** A host of `show --format json`. */
export function showHost(host: Host, all: boolean): HostJson {
  return {
    ...hostHead(host),
    settings: settingsOf(host, all).map(({ server, service, name, raw, value, filled, origin }) => ({
      server,
      service,
      name,
      value: filled === 'written' ? null : shownValue(name, raw),
      effective: filled === null ? shownValue(name, value) : null,
      ...(filled === null ? {} : { templated: true as const }),
      origin: originJson(origin),
    })),
    endpoints: endpointsJson(host),
  };
}

/** Of templates, what all that they may come to have in common. */
function endpointsJson(host: Host): readonly EndpointJson[] {
  const templated = TemplatedHost.of(host.input);
  return templated === null ? plainEndpoints(host) : templatedEndpoints(templated, plainEndpoints);
}

function plainEndpoints(host: Host): readonly EndpointJson[] {
  return shownEndpoints(host).map(({ endpoint, tls, notes }) => {
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
  });
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

function originJson(origin: Origin): OriginJson {
  if (origin.kind === 'default') return { kind: 'default', file: null, line: null };
  const { source, span } = origin.at;
  return { kind: origin.kind, file: source.path, line: source.position(span.start).line };
}

/** What the settings and endpoints of a part are. */
const PART =
  'is a part of a configuration: what it does not set is shown at its defaults, as if nothing else set it';
const PARTS =
  'are parts of a configuration: what they do not set is shown at its defaults, as if nothing else set it';

/** Settings and endpoints of a host for the terminal. */
export function showText(host: Host, all: boolean, format: TableFormat): string {
  const { palette, width } = format;
  const { releases } = host;
  const programs = judgedPrograms(host).map(
    (program) => `${PROGRAM_NAMES[program]} ${releases[program].version} (${releases[program].versionFrom})`,
  );
  const lines = [
    `${palette.strong(hostName(host))}: ${programs.join(', ')}`,
    ...partSentence(host, PART, PARTS).flatMap((text) => wrap(text, width)),
  ];
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
  const templated = TemplatedHost.of(host.input);
  lines.push('', palette.strong('Endpoints'));
  if (templated === null) {
    const endpoints = shownEndpoints(host);
    lines.push(...endpointTable(endpoints), ...tlsLines(endpoints, format));
  } else lines.push(...table(templatedEndpoints(templated, plainRows).map(filledRow)));
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
  if (setting.filled !== null) lines.push(`       ${palette.dim('-> ')}${palette.dim(FILLED)}`);
  else if (value !== raw)
    lines.push(
      ...wrap(value, width - 11).map(
        (line, index) => `       ${palette.dim(index === 0 ? '-> ' : '   ')}${line}`,
      ),
    );
  return lines;
}

const HEADINGS = ['endpoint', 'role', 'address', 'TLS', 'protocols', 'AUTH'];

function endpointTable(endpoints: readonly ShownEndpoint[]): string[] {
  return table(endpoints.map(endpointRow));
}

/** The rows of the table with the ids of their endpoints. */
function plainRows(host: Host): readonly EndpointJson[] {
  return shownEndpoints(host).map((shown) => {
    const [, role, address, mode, protocols, auth] = endpointRow(shown);
    return { id: shown.endpoint.id, role, address, mode, protocols, auth };
  });
}

function filledRow({ id, role, address, mode, protocols, auth }: EndpointJson): string[] {
  const cells = [role, address, mode, protocols, auth];
  return [
    shownText(id.replace(/>.*$/s, '')),
    ...cells.map((cell) => (typeof cell === 'string' ? cell : FILLED)),
  ];
}

function endpointRow({ endpoint, tls, fault }: ShownEndpoint): string[] {
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
}

function table(endpoints: readonly (readonly string[])[]): string[] {
  if (endpoints.length === 0) return ['  none'];
  const rows = [HEADINGS, ...endpoints];
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
