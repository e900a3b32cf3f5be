import type { Host } from '../hosts/host.ts';
import { type EndpointAuth, SERVER_NAMES } from '../model/endpoint.ts';
import { shownValue } from '../model/secrets.ts';
import type { Effective, PostfixSetting } from '../postfix/configuration.ts';
import type { PostfixEndpoint } from '../postfix/endpoints.ts';
import { hostHead } from './json.ts';
import type { Palette } from './palette.ts';
import { hostName, judgedPrograms, PROGRAM_NAMES } from './text.ts';
import { shownText, widthOf, wrap } from './words.ts';

interface ShownSetting {
  /** The service of an override. */
  readonly service: string | null;
  readonly effective: Effective;
}

/** What is set, and with `all` also what is left at its default. */
function settingsOf(host: Host, all: boolean): ShownSetting[] {
  if (host.postfix === null) return [];
  const { configuration } = host.postfix;
  const explicit = configuration
    .settings()
    .filter((setting) => setting.kind === 'main' || setting.entry.reached);
  const shown = explicit.map((setting: PostfixSetting): ShownSetting => {
    const service = setting.kind === 'override' ? setting.service : null;
    return { service: service?.id ?? null, effective: configuration.get(setting.name, service) };
  });
  if (!all) return shown;
  const set = new Set(explicit.flatMap(({ kind, name }) => (kind === 'main' ? [name] : [])));
  const rest = [...configuration.table.names(), ...configuration.transportParameters.keys()].filter(
    (name) => !set.has(name),
  );
  return [...shown, ...rest.sort().map((name) => ({ service: null, effective: configuration.get(name) }))];
}

/** A host of `show --format json`. */
export function showHost(host: Host, all: boolean): unknown {
  return {
    ...hostHead(host),
    settings: settingsOf(host, all).map(({ service, effective }) => ({
      server: 'postfix',
      service,
      name: effective.name,
      value: shownValue(effective.name, effective.raw),
      effective: shownValue(effective.name, effective.value),
      origin: originJson(effective),
    })),
    endpoints: (host.postfix?.endpoints ?? []).map(
      ({ id, server, side, role, address, port, tls, auth }) => ({
        id,
        server,
        side,
        role,
        address,
        port,
        tls: { mode: tls.mode, protocols: tls.protocols },
        auth: { beforeTls: auth.beforeTls, afterTls: auth.afterTls },
      }),
    ),
  };
}

function originJson({ origin }: Effective): unknown {
  if (origin.kind === 'default') return { kind: 'default', file: null, line: null };
  const { source, span } = origin.at;
  return { kind: origin.kind, file: source.path, line: source.position(span.start).line };
}

/** Settings and endpoints of a host for the terminal. */
export function showText(
  host: Host,
  all: boolean,
  { palette, width }: { readonly palette: Palette; readonly width: number },
): string {
  const { postfix, releases } = host;
  const programs = judgedPrograms(host).map(
    (program) => `${PROGRAM_NAMES[program]} ${releases[program].version} (${releases[program].versionFrom})`,
  );
  const lines = [`${palette.strong(hostName(host))}: ${programs.join(', ')}`];
  let place = '';
  for (const { service, effective } of settingsOf(host, all)) {
    const { origin } = effective;
    const file =
      origin.kind === 'default'
        ? `defaults of ${SERVER_NAMES[origin.server]} ${origin.release}`
        : shownText(origin.at.source.path);
    const heading = service === null ? file : `${file}, ${service}`;
    if (heading !== place) lines.push('', palette.strong(heading));
    place = heading;
    lines.push(...settingLines(effective, palette, width));
  }
  lines.push('', palette.strong('Endpoints'), ...endpointTable(postfix?.endpoints ?? []));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function settingLines(effective: Effective, palette: Palette, width: number): string[] {
  const { name, origin } = effective;
  // White space as postconf prints it: what a value means does not hang on it.
  const shown = (text: string): string => shownText(shownValue(name, text).replace(/\s+/g, ' '), 2000);
  const raw = shown(effective.raw);
  const value = shown(effective.value);
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

function endpointTable(endpoints: readonly PostfixEndpoint[]): string[] {
  if (endpoints.length === 0) return ['  none'];
  const rows = [
    HEADINGS,
    ...endpoints.map(({ id, role, address, port, tls, auth, fault, service }) => [
      // The destination of a client is its address.
      shownText(id.replace(/>.*$/s, '')) + (service.assumed ? ' (assumed)' : ''),
      role,
      `${shownText(address)}${port === null ? '' : `:${port}`}`,
      tls.mode,
      fault === null ? protocolsText(tls.protocols) : `none: ${fault.replaceAll('-', ' ')}`,
      authText(auth),
    ]),
  ];
  const widths = HEADINGS.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[column] ?? '')), 0),
  );
  return rows.map(
    (row) =>
      `  ${row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))).join('  ')}`,
  );
}

function protocolsText(protocols: readonly string[]): string {
  if (protocols.length <= 2) return protocols.join(' ') || '-';
  return `${protocols[0]} to ${protocols.at(-1)}`;
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
