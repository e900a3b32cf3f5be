import { buildHost, type Host } from '../hosts/host.ts';
import { hasMark, type TemplatedHost } from '../hosts/renderings.ts';
import type { Location } from '../text/source.ts';
import type { ShownSetting } from './show-settings.ts';

/** What is said in the place of what a template engine will fill. */
export const FILLED = 'filled by the template';

/** The settings of a host, as one rendering of its templates has them. */
type SettingsOf = (host: Host) => readonly ShownSetting[];

/**
 * The settings of all that the templates may come to, each at its place in the template. One whose value is
 * not the same in all of them is `filled`.
 */
export function templatedSettings(host: TemplatedHost, settingsOf: SettingsOf): ShownSetting[] {
  const known = new Map<string, ShownSetting>();
  for (let way = 0; way < host.ways; way++) {
    const { input, places } = host.marked(way);
    for (const setting of settingsOf(buildHost(input))) {
      const { server, service, name, raw, value } = setting;
      const origin =
        setting.origin.kind === 'default'
          ? setting.origin
          : { ...setting.origin, at: places.back(setting.origin.at) };
      const place = origin.kind === 'default' ? '' : `${origin.at.source.path}\0${origin.at.span.start}`;
      const key = [server, service, name, origin.kind, place].join('\0');
      const before = known.get(key);
      const shown = { ...setting, origin, raw: host.restored(raw), value: host.restored(value) };
      const differs = before !== undefined && before.raw !== shown.raw;
      const isWorthFilled = hasMark(value) || (before !== undefined && before.value !== shown.value);
      const own = hasMark(raw) || differs ? 'written' : isWorthFilled ? 'worth' : null;
      const filled = before?.filled === 'written' ? 'written' : (own ?? before?.filled ?? null);
      known.set(key, {
        ...(before ?? shown),
        ...(differs && origin.kind !== 'default' ? { raw: writtenAt(origin.at) } : {}),
        service: service === null ? null : host.restored(service),
        filled,
      });
    }
  }
  return inOrder([...known.values()]);
}

/** A value as the template has it, branches and all. */
function writtenAt({ source, span }: Location): string {
  const { end } = source.lineSpan(source.position(span.end).line);
  return source.slice({ start: span.start, end }).replace(/^[^=]*=\s*/, '');
}

/** Where the lines of a setting stand in the files; each file at the place of its first setting. */
function inOrder(settings: readonly ShownSetting[]): ShownSetting[] {
  const groups = new Map<string, ShownSetting[]>();
  for (const setting of settings) {
    const { server, origin } = setting;
    const file = `${server}\0${origin.kind === 'default' ? '' : origin.at.source.path}`;
    groups.set(file, [...(groups.get(file) ?? []), setting]);
  }
  const start = ({ origin }: ShownSetting): number => (origin.kind === 'default' ? 0 : origin.at.span.start);
  return [...groups.values()].flatMap((group) => group.sort((a, b) => start(a) - start(b)));
}

/** An endpoint as JSON. */
export interface EndpointJson {
  readonly id: string;
  readonly [field: string]: unknown;
}

/**
 * The endpoints of all that the templates may come to, as JSON: null in the place of what is not the same in
 * all of them, and then `templated` is true.
 */
export function templatedEndpoints(
  host: TemplatedHost,
  endpointsOf: (host: Host) => readonly EndpointJson[],
): EndpointJson[] {
  const known = new Map<string, EndpointJson>();
  for (let way = 0; way < host.ways; way++) {
    const marked = endpointsOf(buildHost(host.marked(way).input));
    const isNew = new Set(marked.flatMap(({ id }) => (known.has(keyOf(id)) ? [] : [keyOf(id)])));
    for (const endpoint of marked) {
      const key = keyOf(endpoint.id);
      const before = known.get(key);
      // A service whose name is to be filled in has no like among the fillings, and no role that is known.
      if (hasMark(key)) {
        const own = { ...endpoint, role: UNKNOWN };
        known.set(key, before === undefined ? own : (common(before, own) as EndpointJson));
      } else if (isNew.has(key)) known.set(key, endpoint);
    }
    for (let filling = 0; filling < host.fillings; filling++) {
      for (const endpoint of endpointsOf(buildHost(host.filled(way, filling).input))) {
        const key = known.has(endpoint.id) ? endpoint.id : withoutDestination(endpoint.id);
        const before = known.get(key);
        if (before === undefined) continue;
        // What a server makes of a mark is nothing; what it is worth, the first filling tells.
        const own = isNew.delete(key) ? { ...endpoint, id: before.id } : before;
        known.set(key, common(own, { ...endpoint, id: before.id }) as EndpointJson);
      }
    }
  }
  return [...known.values()].map((endpoint) => {
    const shown = withoutMarks(endpoint) as EndpointJson;
    const isTemplated = JSON.stringify(shown) !== JSON.stringify(endpoint) || hasUnknown(endpoint);
    return { ...shown, id: host.restored(endpoint.id), ...(isTemplated ? { templated: true } : {}) };
  });
}

/** What the endpoint is known by: a client whose destination is to be filled in, without it. */
function keyOf(id: string): string {
  return hasMark(id) ? withoutDestination(id) : id;
}

function withoutDestination(id: string): string {
  return id.replace(/>.*$/s, '');
}

/** Told from null, which JSON has for what no file tells. */
const UNKNOWN = '\ue000';

/** What two values have in common. */
function common(one: unknown, other: unknown): unknown {
  if (JSON.stringify(one) === JSON.stringify(other)) return one;
  if (!isRecord(one) || !isRecord(other)) return UNKNOWN;
  return Object.fromEntries(Object.entries(one).map(([key, value]) => [key, common(value, other[key])]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasUnknown(value: unknown): boolean {
  return isRecord(value) ? Object.values(value).some(hasUnknown) : value === UNKNOWN;
}

/** Null in the place of what holds a mark. */
function withoutMarks(value: unknown): unknown {
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMarks(item)]));
  return hasMark(JSON.stringify(value) ?? '') ? null : value;
}
