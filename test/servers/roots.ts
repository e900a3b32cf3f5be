/**
 * The reference roots that test/servers/setup makes, and how to run their programs.
 *
 * They stand below PFHARDEN_SERVERS, else XDG_CACHE_HOME/pfharden/servers, else
 * ~/.cache/pfharden/servers, and are shared by all tests: whoever writes there uses a folder of its own.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** One root: a folder with a whole Debian release. */
export interface Root {
  /** Debian's name for it: bullseye, bookworm, trixie, sid. */
  readonly release: string;
  /** The folder, absolute. */
  readonly path: string;
  /** What `postconf mail_version` prints there. */
  readonly postfix: string;
  /** What `dovecot --version` prints there: its number. */
  readonly dovecot: string;
  /** What `openssl version` prints there: the second word. */
  readonly openssl: string;
}

/** How a program ended and what it wrote. */
export interface Outcome {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program finds in its root. */
export interface Surroundings {
  readonly stdin?: string;
  /** Files by name, for a folder that is made for this run alone; names may have folders in them. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Stands in an argument for the folder with the files of this run. */
export const FOLDER = '{folder}';

/** Debian's releases, oldest first. */
const RELEASES = ['bullseye', 'bookworm', 'trixie', 'sid'];

/**
 * What Debian sets otherwise than Postfix's own sources: its paths, NIS for aliases, and (sid) the types
 * of tables that its build prefers.
 */
export const DISTRIBUTION: ReadonlySet<string> = new Set([
  'alias_maps',
  'daemon_directory',
  'default_cache_db_type',
  'default_database_type',
  'html_directory',
  'manpage_directory',
  'meta_directory',
  'readme_directory',
  'shlib_directory',
]);

let found: readonly Root[] | null = null;

/**
 * The roots that are ready, oldest first.
 *
 * @throws Error when there is none: test/servers is run by `npm run test:servers`, which makes them
 */
export function roots(): readonly Root[] {
  found ??= RELEASES.filter((release) => fs.existsSync(path.join(folder(), release, '.pfharden-ready'))).map(
    (release) => {
      const root = path.join(folder(), release);
      const postfix = inRoot({ path: root }, ['postconf', '-d', '-h', 'mail_version']);
      const openssl = inRoot({ path: root }, ['openssl', 'version']);
      const dovecot = inRoot({ path: root }, ['dovecot', '--version']);
      if (postfix.status !== 0 || openssl.status !== 0 || dovecot.status !== 0) {
        throw new Error(`${root}: ${postfix.stderr}${openssl.stderr}${dovecot.stderr}`);
      }
      return {
        release,
        path: root,
        postfix: postfix.stdout.trim(),
        // Debian's own number follows a hyphen: 2.4.1-4.
        dovecot: /^[\d.]+/.exec(dovecot.stdout)?.[0] ?? '',
        openssl: openssl.stdout.split(' ')[1] ?? '',
      };
    },
  );
  if (found.length === 0) throw new Error(`no reference root below ${folder()}: run npm run test:servers`);
  return found;
}

/**
 * Runs a program in a root, as root, and waits for it; at most two minutes.
 *
 * @param args program and arguments; `{folder}` in them is the folder with the files of this run, which
 *   goes away afterwards, and exists only when there are files
 * @throws Error when the program could not be started or took too long; a status other than 0 is an answer
 */
export function inRoot(
  root: Pick<Root, 'path'>,
  args: readonly string[],
  { stdin = '', files = {} }: Surroundings = {},
): Outcome {
  let home: string | null = null;
  try {
    let inside = FOLDER;
    if (Object.keys(files).length > 0) {
      home = fs.mkdtempSync(path.join(root.path, 'tmp', 'pfharden-'));
      // Daemons that have dropped their rights read there too.
      fs.chmodSync(home, 0o755);
      inside = `/${path.relative(root.path, home)}`;
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(home, name);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, text);
      }
    }
    const { error, status, stdout, stderr } = spawnSync(
      'chroot',
      [root.path, ...args.map((arg) => arg.replaceAll(FOLDER, inside))],
      {
        input: stdin,
        encoding: 'utf8',
        timeout: 120_000,
        maxBuffer: 256 * 1024 * 1024,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', HOME: '/root' },
      },
    );
    if (error) throw error;
    return { status, stdout, stderr };
  } finally {
    if (home !== null) fs.rmSync(home, { recursive: true, force: true });
  }
}

function folder(): string {
  const { PFHARDEN_SERVERS, XDG_CACHE_HOME } = process.env;
  return (
    PFHARDEN_SERVERS || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'pfharden', 'servers')
  );
}
