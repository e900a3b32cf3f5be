import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import schema from '../../schemas/config.schema.json' with { type: 'json' };
import { parseRelease } from '../model/release.ts';
import { readJsonFile } from './json-file.ts';
import type { GivenReleases } from './releases.ts';

/** The file that settles for a folder and all below it what would else be given as flags. */
const CONFIG_NAME = '.pfharden.json';

/** What a `.pfharden.json` says. */
export interface Config {
  readonly path: string;
  /** As written; a file is named relative to the folder of `path`. */
  readonly profile: string | undefined;
  readonly releases: GivenReleases;
}

interface ConfigFile {
  readonly profile?: string;
  readonly releases?: Readonly<Partial<Record<keyof GivenReleases, string>>>;
}

/** Finds and reads the settings of folders; each file is read once. */
export class Configs {
  readonly #byFolder = new Map<string, Promise<Config | null>>();

  /**
   * The nearest `.pfharden.json` in the folder or above it.
   *
   * @throws InputError when it is not as its schema asks
   */
  of(folder: string): Promise<Config | null> {
    const absolute = resolve(folder);
    const known = this.#byFolder.get(absolute);
    if (known !== undefined) return known;
    const path = join(absolute, CONFIG_NAME);
    const above = dirname(absolute);
    const found = existsSync(path)
      ? readConfig(relative('', path))
      : above === absolute
        ? Promise.resolve(null)
        : this.of(above);
    this.#byFolder.set(absolute, found);
    return found;
  }
}

async function readConfig(path: string): Promise<Config> {
  const file = await readJsonFile<ConfigFile>(path, schema);
  const releases: { -readonly [K in keyof GivenReleases]: GivenReleases[K] } = {};
  for (const server of ['postfix', 'dovecot', 'openssl'] as const) {
    const text = file.value.releases?.[server];
    if (text === undefined) continue;
    const release = parseRelease(text);
    if (release === null)
      throw file.error(`/releases/${server}`, `"${text}" is no release; write it as 3.7.11 or 3.7`);
    releases[server] = release;
  }
  return { path, profile: file.value.profile, releases };
}
