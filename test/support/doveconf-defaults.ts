/**
 * Holds the tables of Dovecot's settings and services against what `doveconf -d` prints.
 */
import { readDefaults } from '../../src/build/doveconf-answer.ts';
import { defaultServices } from '../../src/dovecot/services.ts';
import { settingsTable } from '../../src/dovecot/settings.ts';
import type { Release } from '../../src/model/release.ts';

/** Settings of packages that the reference roots do not have: databases, ManageSieve, search indexes. */
export const OTHER_PACKAGES =
  /^(cassandra|mysql|pgsql|sqlite|fts_flatcurve|fts_solr|language_tokenizer_kuromoji|managesieve|cdb|ldap|(passdb|userdb)_ldap)_|^imap_urlauth_(stream|submit)_user$|^submission_backend_capabilities$/;

/** Names of one release, and where the tables and the answer differ. */
export interface Comparison {
  /** Global names of the table that a package brings which the answer was made without. */
  readonly unprinted: readonly string[];
  /** Names that are printed and not in the table. */
  readonly unknown: readonly string[];
  /** Printed values that the table has otherwise, as `name: table, printed`. */
  readonly defaults: readonly string[];
  /** The same for keys of services, the default of the setting included. */
  readonly services: readonly string[];
  /** How many values were compared. */
  readonly compared: number;
}

/** Compares an answer of `doveconf -d` with the tables of that release. */
export function compareDefaults(release: Release, answer: string): Comparison {
  const table = settingsTable(release);
  const printed = readDefaults(answer);
  const paths = [...printed.keys()];
  const global = [...printed].filter(([path]) => !path.includes('/'));
  const defaults = global.flatMap(([name, value]) => {
    const setting = table.get(name);
    if (!setting || setting.buildDependent || value === '# hidden, use -P to show it') return [];
    // A word of a list with a special character is printed in quotes.
    return setting.default?.replaceAll('"', '') === value.replaceAll('"', '')
      ? []
      : [`${name}: ${setting.default}, ${value}`];
  });
  const services = compareServices(release, printed);
  return {
    unprinted: [...table.names()].filter(
      (name) => table.get(name)?.default !== null && !paths.some((path) => isOrHolds(path, name)),
    ),
    unknown: global.map(([name]) => name).filter((name) => !table.get(name)),
    defaults,
    services: services.differences,
    compared: global.length + services.compared,
  };
}

/**
 * Whether a path is that of a setting, of a pair in it (`imap_id_send/name`), or of the setting within the
 * filter that it is named after (`mbox/read_locks`, which `doveconf -d mbox_read_locks` mistakes for the global
 * one).
 */
function isOrHolds(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name}/`) || path.replaceAll('/', '_') === name;
}

function compareServices(
  release: Release,
  printed: ReadonlyMap<string, string>,
): { readonly differences: string[]; readonly compared: number } {
  const differences: string[] = [];
  let compared = 0;
  const services = defaultServices(release);
  for (const [path, value] of printed) {
    const [first, name = '', ...rest] = path.split('/');
    const key = rest.at(-1) ?? '';
    // A service may bring a value for a setting of its protocol.
    if (first !== 'service' || rest[0]?.endsWith('_capability') || key.startsWith('submission_')) continue;
    compared++;
    const service = services.get(name);
    const [kind, listener] = rest.length > 1 ? rest : [];
    const found =
      kind === undefined
        ? service?.keys.get(key)
        : service?.listeners
            .find((one) => one.kind === kind && one.name === listener?.replaceAll('\\s', '/'))
            ?.keys.get(key);
    const own = found ?? defaultOf(release, kind, key);
    if (own !== value) differences.push(`${path}: ${own}, ${value}`);
  }
  for (const { name, listeners } of services.values()) {
    for (const { kind, name: path } of listeners) {
      const head = `service/${name}/${kind}/${path.replaceAll('/', '\\s')}/`;
      const known = [...printed.keys()].some((key) => key.startsWith(`service/${name}/`));
      if (known && ![...printed.keys()].some((key) => key.startsWith(head)))
        differences.push(`${head}: only in the table`);
    }
  }
  return { differences, compared };
}

/** The default of a key of a service or listener: of its section until 2.3, of the global setting in 2.4. */
function defaultOf(release: Release, kind: string | undefined, key: string): string | undefined {
  const table = settingsTable(release);
  const old = table.get(key, kind === undefined ? 'service' : `service/${kind}`);
  const value = (old ?? table.get(`${kind ?? 'service'}_${key}`))?.default ?? undefined;
  // doveconf prints the greatest number for "unlimited".
  return value === 'unlimited' && old ? '18446744073709551615 B' : value;
}
