/**
 * Makes src/dovecot/data/settings.json and services.json from the facts about Dovecot and from recorded
 * answers of `doveconf -d`.
 *
 *   node esbuild.mjs run src/build/dovecot-tables.ts FACTS_FOLDER
 *
 * FACTS_FOLDER holds dovecot-settings.json and dovecot-services.json. What the facts say wrongly or not at
 * all stands in dovecot-corrections.ts, each with its reason. The defaults of services are those that the
 * reference roots print (test/recorded/doveconf-d), because the facts have only a part of them. The form of
 * the result is described in src/dovecot/table-lines.ts.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Dated, ReplacementLine, SettingLine, SettingType } from '../dovecot/table-lines.ts';
import { compareReleases, type Release } from '../model/release.ts';
import { readDefaults } from './doveconf-answer.ts';
import {
  AUTH_SETTINGS,
  BY_CONFIG_VERSION,
  CORRECTIONS,
  HISTORY,
  LEFT_OUT,
  MORE_SETTINGS,
  OLDER_SERVICES,
  REPLACEMENTS,
  SERVICE_CHANGES,
  SERVICES_BY_CONFIG_VERSION,
  SERVICES_WITHOUT_PACKAGE,
} from './dovecot-corrections.ts';

/** One entry of dovecot-settings.json. */
interface Fact {
  name: string;
  section: string | null;
  module: string;
  type: SettingType;
  in22: boolean | null;
  in23: boolean | null;
  in24: boolean | null;
  type22?: SettingType;
  type23?: SettingType;
  type24?: SettingType;
  default22?: string | null;
  default23?: string | null;
  default24?: string | null;
  enum22?: string[];
  enum23?: string[];
  enum24?: string[];
  introduced?: string;
  removed?: string;
  defaultChanges?: Change<string | null>[];
  typeChanges?: Change<SettingType>[];
  hidden24?: boolean;
  secret?: boolean;
  nameField24?: string;
  renamedTo?: string | null;
  renameNote?: string | null;
}

interface Change<T> {
  version: string;
  from: T;
  to: T;
}

/** Keys and listeners of one service. */
type ServiceFact = Record<string, string | Record<string, Record<string, string>>>;

/** dovecot-services.json: services by name, by release. */
type ServiceFacts = Record<string, Record<string, ServiceFact>>;

/** Where the three languages begin. */
const ERAS = [
  { digits: '22', since: '2.2.0' },
  { digits: '23', since: '2.3.0' },
  { digits: '24', since: '2.4.0' },
] as const;

/** The releases whose answers are recorded, oldest first. */
const ROOTS: readonly Release[] = ['2.3.13', '2.3.19.1', '2.4.1', '2.4.5'];

/** What doveconf hides, but for paths of files and what only sounds like a secret. */
const SECRET = /(^|_)(password|nonce|secret|api_key|private_key)$|^ssl_(alt_|client_)?key$/;

const RELEASE = /^\d+(\.\d+)+$/;

function keyOf(fact: Fact): string {
  return fact.section === null ? fact.name : `${fact.section}/${fact.name}`;
}

function lineOf(fact: Fact): SettingLine {
  const line: SettingLine = {};
  const key = keyOf(fact);
  const type = undated(dated<SettingType>(fact, 'type', fact.typeChanges ?? [])) ?? fact.type;
  if (type !== 'str') line.type = type;
  const words = undated(dated<readonly string[]>(fact, 'enum', []));
  if (words !== undefined) line.words = words;
  const value = undated(dated<string | null>(fact, 'default', fact.defaultChanges ?? []));
  if (value !== undefined && value !== '') line.default = value;
  const since = sinceOf(fact);
  if (since !== null) line.since = since;
  if (fact.removed) line.until = fact.removed;
  if (fact.hidden24) line.hidden = true;
  if (fact.secret || SECRET.test(fact.name)) line.secret = true;
  if (fact.nameField24) line.nameField = fact.nameField24;
  if (BY_CONFIG_VERSION.includes(key)) line.byConfig = true;
  if (fact.module === 'auth') line.auth = true;
  const auth = AUTH_SETTINGS[key];
  if (auth !== undefined) line.auth = auth;
  const replaced = replacementOf(fact, key);
  if (replaced !== null) line.replaced = replaced;
  return { ...line, ...CORRECTIONS[key]?.change };
}

/** When a setting came; null: before 2.2. */
function sinceOf(fact: Fact): Release | null {
  const { introduced, type } = fact;
  if (introduced !== undefined) return introduced.startsWith('<=') ? null : introduced;
  return type === 'legacy' || fact.in22 !== false || fact.in24 === false ? null : '2.4.0';
}

/**
 * The values of a property by release. Each language has one, that of its last release; `changes` tell of
 * those before, in the order of time.
 */
function dated<T>(
  fact: Fact,
  property: 'type' | 'default' | 'enum',
  changes: readonly Change<T>[],
): [T, Release][] {
  const values = new Map<Release, T>();
  for (const [at, { digits, since }] of ERAS.entries()) {
    const value = fact[`${property}${digits}`] as T | undefined;
    if (fact[`in${digits}`] === false || value === undefined) continue;
    const end = ERAS[at + 1]?.since ?? null;
    const within = changes.filter(
      ({ version }) =>
        RELEASE.test(version) &&
        compareReleases(version, since) > 0 &&
        (end === null || compareReleases(version, end) < 0),
    );
    values.set(since, within[0] ? within[0].from : value);
    for (const { version, to } of within) values.set(version, to);
  }
  return [...values]
    .map(([since, value]): [T, Release] => [value, since])
    .sort((a, b) => compareReleases(a[1], b[1]));
}

/** The one value where all are the same; undefined where there is none. */
function undated<T>(values: readonly (readonly [T, Release])[]): T | Dated<T> | undefined {
  const kept = values.filter(([value], at) => at === 0 || !same(value, values[at - 1]?.[0]));
  return kept.length <= 1 ? kept[0]?.[0] : kept;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function replacementOf(fact: Fact, key: string): ReplacementLine | null {
  const known = REPLACEMENTS[key];
  if (known) return known;
  const { renamedTo, renameNote, section } = fact;
  if (renameNote?.startsWith('moved: ')) return { kind: 'same' };
  if (section === 'plugin') return pluginReplacement(fact);
  if (fact.removed === undefined) return null;
  if (renamedTo) return { kind: 'rename', to: renamedTo };
  return { kind: 'decide', note: renameNote ?? `removed in ${fact.removed}` };
}

/** Settings of the section plugin become global ones, or nothing is known of them. */
function pluginReplacement({ renamedTo, name }: Fact): ReplacementLine {
  if (renamedTo && /^\w+$/.test(renamedTo) && renamedTo !== 'quota_warning') {
    return { kind: 'rename', to: renamedTo };
  }
  if (renamedTo) return { kind: 'decide', to: renamedTo, note: 'written otherwise in 2.4' };
  return { kind: 'decide', note: `2.4 has no ${name} of this form` };
}

/** The default of a key of a service, by the last part of the key: what is equal to it is left out. */
const SERVICE_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  client_limit: ['0'],
  restart_request_count: ['0'],
  drop_priv_before_exec: ['no'],
  idle_kill: ['0'],
  process_limit: ['0'],
  process_min_avail: ['0'],
  service_count: ['0'],
  vsz_limit: ['18446744073709551615 B'],
  ssl: ['no'],
  haproxy: ['no'],
  reuse_port: ['no'],
};

/** What a root says about its services, without defaults; and about those of packages that it lacks. */
function servicesOf(
  release: Release,
  answer: ReadonlyMap<string, string>,
  facts: ServiceFacts,
): Map<string, string> {
  const found = new Map<string, string>();
  const old = compareReleases(release, '2.4.0') < 0;
  for (const service of SERVICES_WITHOUT_PACKAGE) {
    if ([...answer.keys()].some((key) => key.startsWith(`service/${service}/`))) continue;
    const listed = facts['2.3.19.1']?.[service] ?? {};
    const keys = old ? listed : { ...renamedKeys(listed), ...facts['2.4.4']?.[service] };
    for (const [key, value] of factKeys(service, keys)) found.set(key, value);
  }
  for (const [key, value] of answer) {
    // What a service says of its protocol's settings is no default of the service.
    if (key.startsWith('service/') && !/_capability\/|submission_max/.test(key)) {
      found.set(key.slice('service/'.length), value);
    }
  }
  for (const [key, value] of found) {
    const name = key.slice(key.lastIndexOf('/') + 1);
    if (name !== 'executable' && (value === '' || SERVICE_DEFAULTS[name]?.includes(value))) found.delete(key);
  }
  return found;
}

/** The keys of a service of 2.3 as 2.4 has them, without listeners. */
function renamedKeys(keys: ServiceFact): ServiceFact {
  const renamed: ServiceFact = {};
  for (const [key, value] of Object.entries(keys)) {
    if (typeof value !== 'string' || key === 'idle_kill' || key === 'extra_groups') continue;
    renamed[key === 'service_count' ? 'restart_request_count' : key] = value.replace(/^\$/, '$SET:');
  }
  return renamed;
}

function factKeys(service: string, fact: ServiceFact): [string, string][] {
  return Object.entries(fact).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'string')
      return [[`${service}/${key === 'service_extra_groups' ? 'extra_groups' : key}`, value]];
    return Object.entries(value).flatMap(([name, keys]) =>
      Object.entries(keys)
        .filter(([of]) => of !== 'path' && of !== 'name')
        .map(([of, text]): [string, string] => [
          `${service}/${key}/${name.replaceAll('/', '\\s')}/${of}`,
          text,
        ]),
    );
  });
}

/** The release in which a key got the value that the later of two roots has. */
function changedIn(key: string, before: Release, after: Release): Release {
  if (compareReleases(before, '2.4.0') < 0 && compareReleases(after, '2.4.0') >= 0) return '2.4.0';
  const found = SERVICE_CHANGES.find(
    ([keys, release]) =>
      keys.test(key) && compareReleases(release, before) > 0 && compareReleases(release, after) <= 0,
  );
  if (!found) throw new Error(`${key} differs between ${before} and ${after}: since when?`);
  return found[1];
}

function datedServices(
  byRoot: readonly (readonly [Release, ReadonlyMap<string, string>])[],
): Record<string, string | Dated<string | null>> {
  const keys = new Set([
    ...byRoot.flatMap(([, values]) => [...values.keys()]),
    ...Object.keys(OLDER_SERVICES),
  ]);
  const services: Record<string, string | Dated<string | null>> = {};
  for (const key of [...keys].sort()) {
    const known = HISTORY[key];
    if (known) {
      services[key] = known;
      continue;
    }
    const values: [string | null, Release][] = (OLDER_SERVICES[key] ?? []).map(([value, since]) => [
      value,
      since,
    ]);
    for (const [at, [release, root]] of byRoot.entries()) {
      const value = root.get(key) ?? null;
      const last = values.at(-1);
      const before = byRoot[at - 1]?.[0];
      if (last && same(last[0], value)) continue;
      values.push([value, before === undefined ? '2.2.0' : changedIn(key, before, release)]);
    }
    const [only] = values;
    services[key] = values.length === 1 && typeof only?.[0] === 'string' ? only[0] : values;
  }
  return services;
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await fs.readFile(file, 'utf8'));
}

async function write(name: string, rows: readonly string[], rest: string): Promise<void> {
  const file = path.join('src', 'dovecot', 'data', name);
  const text = `{\n${rest}${rows.join(',\n')}\n  }\n}\n`;
  await fs.writeFile(file, text);
  console.log(`${file}: ${rows.length} entries, ${Buffer.byteLength(text)} bytes`);
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node esbuild.mjs run src/build/dovecot-tables.ts FACTS_FOLDER');
  process.exit(2);
}
const facts = (await readJson(path.join(folder, 'dovecot-settings.json'))) as Fact[];
const serviceFacts = (await readJson(path.join(folder, 'dovecot-services.json'))) as ServiceFacts;

const lines = new Map<string, SettingLine>();
for (const fact of facts) {
  if (LEFT_OUT.some(({ names }) => fact.section === null && names.test(fact.name))) continue;
  lines.set(keyOf(fact), lineOf(fact));
}
for (const [key, line] of Object.entries(MORE_SETTINGS)) lines.set(key, line);
for (const key of [...Object.keys(CORRECTIONS), ...Object.keys(REPLACEMENTS), ...BY_CONFIG_VERSION]) {
  if (!lines.has(key)) throw new Error(`a correction for ${key}, which the facts do not have`);
}
const settings = [...lines]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([key, line]) => `    ${JSON.stringify(key)}: ${JSON.stringify(line)}`);
await write('settings.json', settings, '  "settings": {\n');

const byRoot = await Promise.all(
  ROOTS.map(async (release) => {
    const answer = await fs.readFile(path.join('test', 'recorded', 'doveconf-d', `${release}.txt`), 'utf8');
    return [release, servicesOf(release, readDefaults(answer), serviceFacts)] as const;
  }),
);
const services = datedServices(byRoot);
const byConfig = Object.keys(services).filter((key) => SERVICES_BY_CONFIG_VERSION.test(key));
await write(
  'services.json',
  Object.entries(services).map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`),
  `  "byConfig": ${JSON.stringify(byConfig)},\n  "services": {\n`,
);
