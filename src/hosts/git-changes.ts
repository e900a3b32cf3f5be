// Loaded where --diff-base is given.
import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { diffArrays } from 'diff';
import type { ChangedFile, Changes } from './changes.ts';
import { errorCode, InputError } from './files.ts';

/** Larger files, and those that differ in more lines, count as changed as a whole. */
const LARGEST = 1 << 20;
const MOST_LINES = 5000;

/**
 * What has changed in the repositories of paths since a revision: in the files as they lie there, committed or
 * not, against the last commit that the revision and HEAD have in common, as a merge request shows it.
 *
 * @param rev a branch, a tag or a commit
 * @throws InputError where there is no git or no repository, or git does not know the revision
 */
export async function changesSince(rev: string, paths: readonly string[]): Promise<Changes> {
  const files: ChangedFile[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    const top = await topOf(path);
    if (seen.has(top)) continue;
    seen.add(top);
    for (const file of await changesBelow(top, await mergeBase(top, rev))) files.push(file);
  }
  return { since: rev, files };
}

/** The root of the repository that a path lies in, the outermost where it is in a submodule. */
async function topOf(path: string): Promise<string> {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const { status, out, said } = await git(realpathSync(folder), ['rev-parse', '--show-toplevel']);
  if (status !== 0) {
    if (/not a git repository/.test(said))
      throw new InputError(`--diff-base: ${path} is in no git repository`);
    throw new InputError(`--diff-base: ${path}: git says: ${said}`);
  }
  const top = nameIn(out);
  const outer = await git(top, ['rev-parse', '--show-superproject-working-tree']);
  return nameIn(outer.out) === '' ? top : topOf(nameIn(outer.out));
}

/** A path that git prints on a line of its own. */
function nameIn(out: Buffer): string {
  return out.toString('utf8').replace(/\n$/, '');
}

/** The last commit that a revision and HEAD have in common. */
async function mergeBase(top: string, rev: string): Promise<string> {
  const commit = rev.startsWith('-')
    ? null
    : await git(top, ['rev-parse', '--verify', '--quiet', `${rev}^{commit}`]);
  const shallow = async (): Promise<string> =>
    nameIn((await git(top, ['rev-parse', '--is-shallow-repository'])).out) === 'true'
      ? ': this clone is shallow, have it fetch the whole history (fetch-depth: 0, GIT_DEPTH: 0)'
      : '';
  if (commit?.status !== 0)
    throw new InputError(`--diff-base ${rev}: git knows no such revision in ${top}${await shallow()}`);
  const base = await git(top, ['merge-base', nameIn(commit.out), 'HEAD']);
  if (base.status !== 0)
    throw new InputError(
      `--diff-base ${rev}: it has no commit in common with HEAD in ${top}${await shallow()}`,
    );
  return nameIn(base.out);
}

/** One file as `git diff --raw` names it: with its mode and the id of its text at the commit. */
interface RawChange {
  readonly mode: string;
  readonly id: string;
  readonly status: string;
  readonly path: string;
}

/** What has changed in a working tree since a commit of it. */
async function changesBelow(top: string, commit: string): Promise<ChangedFile[]> {
  const raw = await changed(top, [
    'diff',
    '--raw',
    '-z',
    '-M',
    '--no-abbrev',
    '--ignore-submodules=none',
    commit,
    '--',
  ]);
  const untracked = await changed(top, ['ls-files', '--others', '--exclude-standard', '-z']);
  const files: ChangedFile[] = [];
  const modified: RawChange[] = [];
  for (const change of rawChanges(raw)) {
    const path = join(top, change.path);
    if (change.mode === SUBMODULE || isFolder(path)) files.push(...(await inSubmodule(path, change)));
    else if (change.status === 'D') files.push({ path, lines: [], deleted: true });
    else if (change.status === 'M' || change.status === 'R') modified.push(change);
    else files.push({ path, lines: null, deleted: false });
  }
  // A repository of its own within this one is named as a folder.
  for (const path of untracked.filter((name) => name !== ''))
    files.push({ path: join(top, path.replace(/\/$/, '')), lines: null, deleted: false });
  const before = await textsOf(top, modified);
  for (const [index, { path: name, status }] of modified.entries()) {
    const path = join(top, name);
    const lines = changedLines(before[index] ?? null, path);
    // A file that was only touched is what it was.
    if (status === 'R' || lines !== 'none')
      files.push({ path, lines: lines === 'none' ? [] : lines, deleted: false });
  }
  return files;
}

const SUBMODULE = '160000';

/** Fields of the output of `git diff --raw -z`; a file that was renamed is one that is gone and one that was changed. */
function* rawChanges(fields: readonly string[]): Iterable<RawChange> {
  for (let at = 0; at < fields.length; ) {
    const [, mode = '', id = '', status = ''] =
      /^:(\d+) \d+ ([0-9a-f]+) [0-9a-f]+ ([A-Z])/.exec(fields[at++] ?? '') ?? [];
    if (status === '') continue;
    const path = fields[at++] ?? '';
    if (status !== 'R' && status !== 'C') yield { mode, id, status, path };
    else {
      if (status === 'R') yield { mode, id, status: 'D', path };
      yield { mode, id, status: status === 'R' ? 'R' : 'A', path: fields[at++] ?? '' };
    }
  }
}

/** What has changed in a submodule since the commit that it was at; all, where it does not have that commit. */
async function inSubmodule(path: string, { mode, id, status }: RawChange): Promise<ChangedFile[]> {
  const whole = { path, lines: null, deleted: false };
  if (mode !== SUBMODULE || status === 'D') return [whole];
  const known = await git(path, ['cat-file', '-e', `${id}^{commit}`]).catch(() => null);
  return known?.status === 0 ? changesBelow(path, id) : [whole];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The lines of a file that are not those of a text; null for all of them, `none` where the texts are the same. */
function changedLines(before: Buffer | null, path: string): ChangedFile['lines'] | 'none' {
  const after = bytesOf(path);
  if (before === null || after === null) return null;
  if (before.equals(after)) return 'none';
  if (before.length > LARGEST || after.length > LARGEST) return null;
  const parts = diffArrays(linesOf(before), linesOf(after), { maxEditLength: MOST_LINES });
  if (parts === undefined) return null;
  if (!parts.some(({ added, removed }) => added || removed)) return 'none';
  const lines: (readonly [number, number])[] = [];
  let line = 1;
  for (const { added, removed, count } of parts) {
    if (added) lines.push([line, line + count - 1]);
    if (!removed) line += count;
  }
  return lines;
}

/** Git may write lines with other ends than it keeps. */
function linesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').split(/\r?\n/);
}

/** What git keeps of a file: of a link, where it leads. */
function bytesOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    try {
      return Buffer.from(readlinkSync(path));
    } catch {
      return null;
    }
  }
}

/** The texts that files had, in their order; null for one that git does not have. */
async function textsOf(top: string, changes: readonly RawChange[]): Promise<(Buffer | null)[]> {
  if (changes.length === 0) return [];
  const { out } = await git(top, ['cat-file', '--batch'], changes.map(({ id }) => `${id}\n`).join(''));
  const texts: (Buffer | null)[] = [];
  // ID TYPE SIZE, a line feed, so many bytes, and a line feed; or ID "missing".
  for (let at = 0; at < out.length; ) {
    const end = out.indexOf('\n', at);
    const size = / \w+ (\d+)$/.exec(out.toString('latin1', at, end))?.[1];
    at = end + 1;
    texts.push(size === undefined ? null : out.subarray(at, at + Number(size)));
    if (size !== undefined) at += Number(size) + 1;
  }
  return texts;
}

/** The fields, parted by NUL, of a command of git that must not fail. */
async function changed(top: string, args: readonly string[]): Promise<string[]> {
  const { status, out, said } = await git(top, args);
  if (status !== 0) throw new InputError(`--diff-base: ${top}: git says: ${said}`);
  return out.toString('utf8').split('\0');
}

interface Answer {
  readonly status: number | null;
  readonly out: Buffer;
  /** The first line of what it said on standard error. */
  readonly said: string;
}

/**
 * Runs git in a folder. It takes no locks, and runs nothing that the repository names.
 *
 * @throws InputError where there is no git
 */
function git(folder: string, args: readonly string[], input = ''): Promise<Answer> {
  return new Promise((done, failed) => {
    const child = spawn('git', ['-c', 'core.fsmonitor=false', ...args], {
      cwd: resolve(folder),
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
      stdio: 'pipe',
    });
    const out: Buffer[] = [];
    const said: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => said.push(bytes));
    child.on('error', (error) => {
      failed(
        errorCode(error) === 'ENOENT'
          ? new InputError('--diff-base needs git, which is not installed')
          : error,
      );
    });
    child.on('close', (status) => {
      const [first = ''] = Buffer.concat(said).toString('utf8').split('\n');
      done({ status, out: Buffer.concat(out), said: first.replace(/^fatal: /, '') });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
