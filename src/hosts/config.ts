import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import schema from '../../schemas/config.schema.json' with { type: 'json' };
import type { LevelByMessage } from '../model/finding.ts';
import { parseRelease } from '../model/release.ts';
import type { SomeThresholds } from '../model/thresholds.ts';
import { pointerPart } from '../text/json-places.ts';
import { nearest } from '../text/nearest.ts';
import { matchesGlobs, type PathGlob, pathGlob } from '../text/path-glob.ts';
import type { InputError } from './files.ts';
import { type JsonFile, readJsonFile } from './json-file.ts';
import type { GivenReleases } from './releases.ts';

/** The file that settles for a folder and all below it what would else be given as flags. */
const CONFIG_NAME = '.pfharden.json';

/** A name in a configuration file and its place, for what only those can check who know the profiles. */
export interface NamedProfile {
  /** As written: a built-in name, or a path from `folder`. */
  readonly name: string;
  readonly folder: string;
  /** An error at the place, to be thrown. */
  readonly error: (problem: string) => InputError;
}

/** Levels by rule id, and their places, for what only those can check who know the rules. */
export interface GivenSeverity {
  readonly levels: Readonly<Record<string, LevelByMessage>>;
  /** An error at a rule id, or at one of its message ids, to be thrown. */
  readonly error: (problem: string, ...ids: readonly [rule: string, message?: string]) => InputError;
}

/** What a file says of all hosts below it, or of some. */
export interface ConfigLayer {
  /** The path of the file. */
  readonly path: string;
  readonly profile: NamedProfile | undefined;
  readonly severity: GivenSeverity;
  readonly thresholds: SomeThresholds;
  readonly releases: GivenReleases;
}

/** What the `.pfharden.json` of a host says for it. */
export interface HostConfig {
  /** The path of the file. */
  readonly path: string;
  readonly profile: NamedProfile | undefined;
  /** What is said of the host, the strongest first. */
  readonly layers: readonly ConfigLayer[];
  readonly releases: GivenReleases;
  /** The file itself, with what is the same for all hosts. */
  readonly config: Config;
}

interface LayerText {
  readonly profile?: string;
  readonly severity?: GivenSeverity['levels'];
  readonly thresholds?: SomeThresholds;
  readonly releases?: Readonly<Partial<Record<keyof GivenReleases, string>>>;
}

interface ConfigText extends LayerText {
  readonly root?: boolean;
  readonly extends?: string;
  readonly rules?: readonly string[];
  readonly ignore?: readonly string[];
  readonly silencing?: { readonly reason?: 'required' | 'optional' };
  readonly hosts?: readonly (LayerText & { readonly paths: readonly string[] })[];
}

/** Globs of a file, which stand for paths from its folder. */
interface FolderGlobs {
  readonly folder: string;
  readonly globs: readonly PathGlob[];
}

/** A `.pfharden.json` with what it extends. */
export class Config {
  /** As it was found. */
  readonly path: string;
  /** What it and those that it extends say, whichever hosts it is for. */
  readonly layers: readonly ConfigLayer[];
  /** Folders of own rules, those of extended files first. */
  readonly rules: readonly string[];
  /** Whether a comment that silences a finding must give its reason. */
  readonly reasonRequired: boolean;
  /** Globs that lead nowhere, for the user. */
  readonly warnings: readonly string[];
  readonly #ignored: FolderGlobs;
  /** The weakest first; undefined: for all hosts. */
  readonly #choices: readonly { readonly layer: ConfigLayer; readonly hosts: FolderGlobs | undefined }[];
  readonly #base: Config | null;
  readonly #byChoice = new Map<string, HostConfig>();

  /** @throws InputError for what the schema cannot tell */
  constructor(file: JsonFile<ConfigText>, base: Config | null) {
    const { value } = file;
    const { path } = file.source;
    const folder = resolve(dirname(path));
    this.path = path;
    this.#base = base;
    this.#ignored = { folder, globs: readGlobs(file, '/ignore', value.ignore ?? []) };
    const warnings = [...(base?.warnings ?? [])];
    const own = (value.hosts ?? []).map((entry, index) => {
      const pointer = `/hosts/${index}`;
      const globs = readGlobs(file, `${pointer}/paths`, entry.paths);
      for (const [at, { fixed, absolute }] of globs.entries()) {
        if (!existsSync(absolute ? `/${fixed}` : join(folder, fixed)))
          warnings.push(
            file.error(`${pointer}/paths/${at}`, `no host can match: there is no ${fixed}`).message,
          );
      }
      return { layer: layerOf(file, entry, pointer), hosts: { folder, globs } };
    });
    this.#choices = [
      ...(base === null ? [] : base.#choices),
      { layer: layerOf(file, value, ''), hosts: undefined },
      ...own,
    ];
    this.layers = this.#choices.map(({ layer }) => layer);
    this.rules = [...(base?.rules ?? []), ...foldersOf(file, '/rules', value.rules ?? [])];
    this.reasonRequired =
      value.silencing?.reason === undefined
        ? (base?.reasonRequired ?? false)
        : value.silencing.reason === 'required';
    this.warnings = warnings;
  }

  /** Whether a path is not to be judged. */
  ignores(path: string): boolean {
    return matches(this.#ignored, path) || (this.#base?.ignores(path) ?? false);
  }

  /**
   * What is said of a host that has these folders or files; the same object for hosts that are told the
   * same. Without any, what is said of all hosts.
   */
  forHost(paths: readonly string[]): HostConfig {
    const chosen = this.#choices.filter(
      ({ hosts }) => hosts === undefined || paths.some((path) => matches(hosts, path)),
    );
    const key = chosen.map((choice) => this.#choices.indexOf(choice)).join();
    const known = this.#byChoice.get(key);
    if (known !== undefined) return known;
    const layers = chosen.map(({ layer }) => layer).toReversed();
    const made: HostConfig = {
      path: this.path,
      profile: layers.find(({ profile }) => profile !== undefined)?.profile,
      layers,
      releases: {
        postfix: layers.find(({ releases }) => releases.postfix !== undefined)?.releases.postfix,
        dovecot: layers.find(({ releases }) => releases.dovecot !== undefined)?.releases.dovecot,
        openssl: layers.find(({ releases }) => releases.openssl !== undefined)?.releases.openssl,
      },
      config: this,
    };
    this.#byChoice.set(key, made);
    return made;
  }
}

function matches({ folder, globs }: FolderGlobs, path: string): boolean {
  const absolute = resolve(path);
  return globs.length > 0 && matchesGlobs(globs, relative(folder, absolute), absolute);
}

function readGlobs(file: JsonFile<ConfigText>, pointer: string, patterns: readonly string[]): PathGlob[] {
  return patterns.map((pattern, index) => {
    const glob = pathGlob(pattern);
    if (glob === null)
      throw file.error(`${pointer}/${index}`, 'the braces make too many patterns: 256 at most');
    return glob;
  });
}

/** Folders by their paths from that of the file. @throws InputError for one that is not there */
function foldersOf(file: JsonFile<ConfigText>, pointer: string, names: readonly string[]): string[] {
  return names.map((name, index) => {
    const path = fromFile(file, name);
    if (!isFolder(path)) throw file.error(`${pointer}/${index}`, `there is no folder ${path}`);
    return path;
  });
}

function fromFile({ source }: JsonFile<ConfigText>, path: string): string {
  return path.startsWith('/') ? path : join(dirname(source.path), path);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function layerOf(file: JsonFile<ConfigText>, text: LayerText, pointer: string): ConfigLayer {
  const releases: { -readonly [K in keyof GivenReleases]: GivenReleases[K] } = {};
  for (const server of ['postfix', 'dovecot', 'openssl'] as const) {
    const written = text.releases?.[server];
    if (written === undefined) continue;
    const release = parseRelease(written);
    if (release === null) {
      throw file.error(
        `${pointer}/releases/${server}`,
        `"${written}" is no release; write it as 3.7.11 or 3.7`,
      );
    }
    releases[server] = release;
  }
  return {
    path: file.source.path,
    profile:
      text.profile === undefined
        ? undefined
        : {
            name: text.profile,
            folder: dirname(file.source.path),
            error: (problem) => file.error(`${pointer}/profile`, problem),
          },
    severity: {
      levels: text.severity ?? {},
      error: (problem, ...ids) =>
        file.keyError([`${pointer}/severity`, ...ids.map((id) => pointerPart(id ?? ''))].join('/'), problem),
    },
    thresholds: text.thresholds ?? {},
    releases,
  };
}

/** Finds and reads the settings of folders; each file is read once. */
export class Configs {
  readonly #byFolder = new Map<string, Promise<Config | null>>();
  readonly #byFile = new Map<string, Promise<Config>>();

  /**
   * The nearest `.pfharden.json` in the folder or above it. What stands above that one does not count
   * unless it says so.
   *
   * @throws InputError when it is not as its schema asks, or what it extends is not there
   */
  of(folder: string): Promise<Config | null> {
    const absolute = resolve(folder);
    const known = this.#byFolder.get(absolute);
    if (known !== undefined) return known;
    const path = join(absolute, CONFIG_NAME);
    const above = dirname(absolute);
    const found = existsSync(path)
      ? this.#read(path, [])
      : above === absolute
        ? Promise.resolve(null)
        : this.of(above);
    this.#byFolder.set(absolute, found);
    return found;
  }

  /** @param from the files that extend this one, each the next */
  #read(path: string, from: readonly string[]): Promise<Config> {
    const known = this.#byFile.get(path);
    if (known !== undefined) return known;
    const read = this.#readNew(path, from);
    this.#byFile.set(path, read);
    return read;
  }

  async #readNew(path: string, from: readonly string[]): Promise<Config> {
    const shown = (file: string): string => relative('', file);
    const file = await readJsonFile<ConfigText>(shown(path), schema);
    const chain = [...from, path];
    const { root = true, extends: extended } = file.value;
    let base = extended === undefined ? null : resolve(fromFile(file, extended));
    let pointer = '/extends';
    if (!root) {
      if (extended !== undefined)
        throw file.error('/root', '"root": false extends the file above, and "extends" names another');
      base = fileAbove(dirname(path));
      pointer = '/root';
      if (base === null) throw file.error(pointer, `no folder above has a ${CONFIG_NAME}`);
    }
    if (base === null) return new Config(file, null);
    if (isFolder(base)) base = join(base, CONFIG_NAME);
    if (!existsSync(base)) throw file.error(pointer, `there is no ${shown(base)}${hintOf(base)}`);
    if (chain.includes(base)) {
      const round = [...chain.slice(chain.indexOf(base)), base].map(shown);
      throw file.error(pointer, `extends itself: ${round.join(' extends ')}`);
    }
    return new Config(file, await this.#read(base, chain));
  }
}

function fileAbove(folder: string): string | null {
  for (let at = folder; dirname(at) !== at; ) {
    at = dirname(at);
    const path = join(at, CONFIG_NAME);
    if (existsSync(path)) return path;
  }
  return null;
}

/** The file beside it that was probably meant. */
function hintOf(path: string): string {
  const folder = dirname(path);
  const meant = isFolder(folder)
    ? nearest(
        path,
        readdirSync(folder).map((name) => join(folder, name)),
      )
    : null;
  return meant === null ? '' : `; did you mean ${relative('', meant)}?`;
}
