/**
 * The form of src/postfix/data/parameters.json: written by src/build/postfix-tables.ts, read by
 * parameters.ts. What is equal to its default is left out, so that the file stays small.
 */
import type { Release } from '../model/release.ts';

/** What a value means. The first five are checked when a process starts, the others as each says. */
export type ParameterType =
  | 'string'
  | 'raw-string'
  | 'bool'
  | 'int'
  | 'time'
  | 'path'
  | 'path-list'
  | 'list'
  | 'map-list'
  | 'match-list'
  | 'network-list'
  | 'restriction-list'
  | 'restriction-class-names'
  | 'milter-list'
  | 'postscreen-access-list'
  | 'header-rewrite-clients'
  | 'enum'
  | 'enum-list'
  | 'sasl-security-options'
  | 'tls-security-level'
  | 'tls-protocols'
  | 'tls-cipher-grade'
  | 'tls-exclude-ciphers'
  | 'tls-loglevel'
  | 'openssl-cipherlist'
  | 'openssl-options';

/**
 * The table of the C program that reads the value (mail_conf.h): `nbool` and `nint` are written as text
 * in the defaults, `raw` is not expanded when it is read; null where no table of the newest release has it.
 */
export type Storage = 'str' | 'raw' | 'bool' | 'nbool' | 'int' | 'nint' | 'long' | 'time' | null;

/** What Postfix does about a value that it does not understand. */
export type Effect =
  /** The process ends as it starts: the service does not run. */
  | 'fatal'
  /** The process runs, but every session (handshake, login, delivery) that needs the value fails. */
  | 'session'
  /** A warning in the log, and Postfix goes on with something else. */
  | 'degraded'
  /** Nothing at all: what is not understood has no effect. */
  | 'ignored';

/** A value, the release that brought it, and the patches of older branches that have it too. */
export type Since<T> = readonly [value: T, since: Release, ...patches: Release[]];

/** One parameter in the file. */
export interface Line {
  /** Left out: string. */
  type?: ParameterType;
  /** Left out: what STORAGE_OF_TYPE says. */
  storage?: Storage;
  min?: number;
  max?: number;
  /** Names of programs, separated by blanks. */
  in?: string;
  /** Left out: older than the oldest supported release. */
  since?: Release;
  /** First patches of older branches that have it too. */
  patches?: readonly Release[];
  /** The releases that have it, where `since` and `removed` cannot tell. */
  onlyIn?: readonly Release[];
  /** Left out: empty; null: computed; a list: oldest first, each with the release that brought it. */
  default?: string | null | readonly Since<string>[];
  /** Other defaults of a Postfix built with an OpenSSL of this release or newer: default, since, OpenSSL. */
  openssl?: readonly (readonly [text: string, since: Release, openssl: Release])[];
  compat?: true;
  build?: true;
  deprecated?: Release;
  warns?: Release;
  removed?: Release;
  instead?: string;
  /** Since when the name lives on only in the default of `instead`. */
  alias?: Release;
  words?: readonly (string | Since<string>)[];
  /** Words that are accepted with a warning and read as something else. */
  tolerated?: readonly string[];
  /** Capitals count in words. Left out: they do not. */
  sameCase?: true;
  /** What an unknown word does. Left out: fatal. */
  bad?: Effect;
}

/** One restriction that is deprecated or gone. */
export interface ObsoleteLine {
  deprecated: Release;
  removed: Release | null;
  instead: string;
}

/** The whole file. */
export interface ParameterFile {
  readonly parameters: Readonly<Record<string, Line>>;
  readonly restrictions: Readonly<Record<string, ObsoleteLine>>;
}

/** The usual storage of each type. */
export const STORAGE_OF_TYPE: Readonly<Record<ParameterType, Storage>> = {
  string: 'str',
  'raw-string': 'raw',
  bool: 'bool',
  int: 'int',
  time: 'time',
  path: 'str',
  'path-list': 'str',
  list: 'str',
  'map-list': 'str',
  'match-list': 'str',
  'network-list': 'str',
  'restriction-list': 'str',
  'restriction-class-names': 'str',
  'milter-list': 'str',
  'postscreen-access-list': 'str',
  'header-rewrite-clients': 'str',
  enum: 'str',
  'enum-list': 'str',
  'sasl-security-options': 'str',
  'tls-security-level': 'str',
  'tls-protocols': 'str',
  'tls-cipher-grade': 'str',
  'tls-exclude-ciphers': 'str',
  'tls-loglevel': 'str',
  'openssl-cipherlist': 'str',
  'openssl-options': 'str',
};
