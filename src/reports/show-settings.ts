import { scopePath } from '../dovecot/assignment.ts';
import type { DovecotConfiguration } from '../dovecot/configuration.ts';
import { originOf } from '../dovecot/effective.ts';
import type { Host } from '../hosts/host.ts';
import { TemplatedHost } from '../hosts/renderings.ts';
import type { Server } from '../model/endpoint.ts';
import type { Origin } from '../model/setting.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from '../postfix/configuration.ts';
import { templatedSettings } from './show-template.ts';

/** A setting as `show` prints it. */
export interface ShownSetting {
  readonly server: Server;
  /** The service of an override; the path of the section of a line of Dovecot. */
  readonly service: string | null;
  readonly name: string;
  /** As written, or the text of the default. */
  readonly raw: string;
  readonly value: string;
  /** What a template engine fills or decides on: what is written, or only what it is worth. */
  readonly filled: 'written' | 'worth' | null;
  readonly origin: Origin;
}

/** What is set, and with `all` also what is left at its default. */
export function settingsOf(host: Host, all: boolean): readonly ShownSetting[] {
  const templated = TemplatedHost.of(host.input);
  return templated === null
    ? plainSettings(host, all)
    : templatedSettings(templated, (rendered) => plainSettings(rendered, all));
}

function plainSettings({ postfix, dovecot }: Host, all: boolean): ShownSetting[] {
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
    filled: null,
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
        filled: null,
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
    return { server: 'dovecot', service: null, name, raw: value, value, filled: null, origin };
  });
  return [...set, ...defaults];
}
