import type { Release } from '../model/release.ts';
import type { KnownRelease, Origin } from '../model/setting.ts';
import type { Location, SourceFile } from '../text/source.ts';
import { type Expansion, expand } from './expand.ts';
import { type Parameter, type ParameterTable, parameterTable, transportParameters } from './parameters.ts';
import {
  assumedServices,
  masterServices,
  READ_ONLY,
  type Service,
  type ServiceOverride,
} from './services.ts';
import { parseMainCf } from './syntax/main-cf.ts';
import { parseMasterCf } from './syntax/master-cf.ts';
import type { MainCf, MainEntry, MasterCf, ServiceEntry } from './syntax/tree.ts';

/** What is needed to know one Postfix instance. */
export interface PostfixInput {
  /** The folder as the user gave it; the name of the instance in reports. */
  readonly directory: string;
  readonly main: SourceFile | null;
  readonly master: SourceFile | null;
  readonly release: KnownRelease;
  readonly openssl: KnownRelease;
  /** Reads a file that the configuration names (a lookup table); null when it is not there or cannot be read. */
  readonly open: (path: string) => SourceFile | null;
}

/** One assignment, in main.cf or as an override. */
export type PostfixSetting =
  | {
      readonly kind: 'main';
      readonly name: string;
      readonly value: string;
      readonly entry: MainEntry;
      readonly at: Location;
    }
  | {
      readonly kind: 'override';
      readonly name: string;
      readonly value: string;
      readonly entry: ServiceOverride;
      readonly service: Service;
      readonly at: Location;
    };

/** What a service uses for one parameter. */
export interface Effective {
  readonly name: string;
  /** As written, or the text of the default. */
  readonly raw: string;
  /** After expansion in the name space of the service, ends trimmed. */
  readonly value: string;
  readonly origin: Origin;
  /** The assignment that decides; null for a default. */
  readonly setting: PostfixSetting | null;
  readonly expansion: Expansion;
}

/**
 * One Postfix instance: both files, the release, and what follows from them. The value of a
 * parameter in a service is the last `-o` of that service, else the last line of main.cf, else the
 * default of the release (mail_conf.c, extpar.c; postconf(1) on `-P -x`).
 */
export class PostfixConfiguration {
  readonly directory: string;
  readonly release: Release;
  readonly releaseKnown: KnownRelease;
  readonly openssl: PostfixInput['openssl'];
  readonly main: MainCf | null;
  readonly master: MasterCf | null;
  readonly table: ParameterTable;
  /** As master(8) runs them; assumed ones where there is no master.cf. */
  readonly services: readonly Service[];
  readonly duplicateServices: readonly { readonly dead: ServiceEntry; readonly winner: ServiceEntry }[];
  /** Names such as `slow_destination_concurrency_limit` that the services bring into being. */
  readonly transportParameters: ReadonlyMap<string, Parameter>;
  readonly open: (path: string) => SourceFile | null;
  readonly #main = new Map<string, PostfixSetting & { kind: 'main' }>();
  readonly #dead: { dead: PostfixSetting; winner: PostfixSetting }[] = [];
  /** By service, and null for a program without overrides. */
  readonly #cache = new Map<Service | null, Map<string, Effective>>();

  constructor(input: PostfixInput) {
    this.directory = input.directory;
    this.release = input.release.version;
    this.releaseKnown = input.release;
    this.openssl = input.openssl;
    this.open = input.open;
    this.table = parameterTable(this.release, input.openssl.version);
    this.main = input.main === null ? null : parseMainCf(input.main);
    this.master = input.master === null ? null : parseMasterCf(input.master);
    if (this.main !== null) this.#readMain(this.main);
    if (this.master === null) {
      this.services = assumedServices();
      this.duplicateServices = [];
    } else {
      const { services, duplicates } = masterServices(this.master, this.#disabledServices());
      this.services = services;
      this.duplicateServices = duplicates;
      for (const service of services) {
        for (const dead of service.deadOverrides) {
          const winner = service.overrides.get(dead.name);
          if (winner !== undefined)
            this.#dead.push({ dead: this.#override(service, dead), winner: this.#override(service, winner) });
        }
      }
    }
    this.transportParameters = transportParameters(this.table, [
      ...(this.master === null ? this.services : []),
      // Of services that master(8) leaves out too: the queue manager does not know that.
      ...(this.master?.items ?? [])
        .filter((item) => item.kind === 'service')
        .map(({ fields }) => ({ name: fields.service.text, program: fields.command.text })),
    ]);
  }

  /** What `name` is worth in a service, or for a program without overrides when `service` is left out. */
  get(name: string, service: Service | null = null): Effective {
    let ofService = this.#cache.get(service);
    if (ofService === undefined) this.#cache.set(service, (ofService = new Map()));
    const known = ofService.get(name);
    if (known !== undefined) return known;
    const setting = this.setting(name, service);
    const raw = setting?.value ?? this.#default(name, service) ?? '';
    // Parameters that are expanded for each use (`default_rbl_reply`) are read as they are.
    const expansion =
      this.parameter(name)?.storage === 'raw'
        ? { value: raw, problems: [], failed: false }
        : this.expand(raw, service);
    const origin: Origin =
      setting === null
        ? { kind: 'default', server: 'postfix', release: this.release }
        : setting.kind === 'main'
          ? { kind: 'file', at: setting.at }
          : { kind: 'override', server: 'postfix', at: setting.at, service: setting.service.id };
    const effective = { name, raw, value: expansion.value.trim(), origin, setting, expansion };
    ofService.set(name, effective);
    return effective;
  }

  /** The value alone. */
  value(name: string, service: Service | null = null): string {
    return this.get(name, service).value;
  }

  /** True for `yes` in any case; what is not a boolean is fatal to the server and counts as no here. */
  isYes(name: string, service: Service | null = null): boolean {
    return this.value(name, service).toLowerCase() === 'yes';
  }

  /** The assignment that decides on `name` in a service, or null where the default stands. */
  setting(name: string, service: Service | null = null): PostfixSetting | null {
    const override = service?.overrides.get(name);
    if (service !== null && override !== undefined) return this.#override(service, override);
    return this.#main.get(name) ?? null;
  }

  /** The assignment in main.cf, whatever the services override. */
  mainSetting(name: string): (PostfixSetting & { kind: 'main' }) | null {
    return this.#main.get(name) ?? null;
  }

  /** Every assignment that counts somewhere: main.cf in order, then the overrides of each service. */
  settings(): readonly PostfixSetting[] {
    const all: PostfixSetting[] = [...this.#main.values()].sort((a, b) => a.at.span.start - b.at.span.start);
    for (const service of this.services) {
      for (const override of service.overrides.values()) all.push(this.#override(service, override));
    }
    return all;
  }

  /** Assignments without effect, each with the one that beats it. */
  deadSettings(): readonly { readonly dead: PostfixSetting; readonly winner: PostfixSetting }[] {
    return this.#dead;
  }

  /** Expands a text in the name space of a service. */
  expand(text: string, service: Service | null = null): Expansion {
    return expand(text, (name) => this.#lookup(name, service), this.release);
  }

  /** The parameter of that name at this release, templates of the services included. */
  parameter(name: string): Parameter | null {
    return this.table.get(name) ?? this.transportParameters.get(name) ?? null;
  }

  #override(service: Service, entry: ServiceOverride): PostfixSetting {
    const source = this.master?.source;
    if (source === undefined) throw new Error('an override without a master.cf');
    return {
      kind: 'override',
      name: entry.name,
      value: entry.value,
      entry,
      service,
      at: { source, span: entry.span },
    };
  }

  #readMain(main: MainCf): void {
    for (const item of main.items) {
      if (item.kind !== 'entry' || READ_ONLY.has(item.name)) continue;
      const span = { start: item.nameSpan.start, end: Math.max(item.valueSpan.end, item.equalsSpan.end) };
      const setting: PostfixSetting & { kind: 'main' } = {
        kind: 'main',
        name: item.name,
        value: item.value,
        entry: item,
        at: { source: main.source, span },
      };
      const earlier = this.#main.get(item.name);
      if (earlier !== undefined) this.#dead.push({ dead: earlier, winner: setting });
      this.#main.set(item.name, setting);
    }
    for (const pair of this.#dead) pair.winner = this.#main.get(pair.dead.name) ?? pair.winner;
  }

  /** Raw text of a name for expansion; undefined where nothing defines it. */
  #lookup(name: string, service: Service | null): string | undefined {
    if (name === 'service_name' && service !== null) return service.name;
    const value = this.setting(name, service)?.value;
    if (name === 'process_name' && service !== null) return value ?? service.program;
    return value ?? this.#default(name, service);
  }

  #default(name: string, service: Service | null): string | undefined {
    const parameter = this.parameter(name);
    if (parameter === null) return undefined;
    return parameter.default ?? this.#computed(name, service);
  }

  /** Defaults that the programs work out when they start; a name that only the running system knows stays a name. */
  #computed(name: string, service: Service | null): string {
    if (name === 'mail_version') return this.release;
    const host = name === 'mydomain' ? this.setting('myhostname', service) : null;
    if (host !== null) {
      // Before anything else is read: no default is known yet.
      const explicit = (other: string): string | undefined => this.setting(other, service)?.value;
      const { value } = expand(host.value, explicit, this.release);
      const dot = value.indexOf('.');
      return dot < 0 ? 'localdomain' : value.slice(dot + 1);
    }
    return `$$${name}`;
  }

  #disabledServices(): (name: string, type: string) => boolean {
    const words = (this.#main.get('master_service_disable')?.value ?? '')
      .split(/[\s,]+/)
      .filter((word) => word !== '');
    if (words.length === 0) return () => false;
    return (name, type) =>
      words.some((word) => word === type || word === `${name}/${type}` || word === `${name}.${type}`);
  }
}

/** Words of a Postfix list: separated by commas and white space (mystrtok with CHARS_COMMA_SP). */
export function listWords(value: string): string[] {
  return value.split(/[,\s]+/).filter((word) => word !== '');
}
