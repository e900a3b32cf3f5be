// Loaded by `pfharden init` alone.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import about from '../../package.json' with { type: 'json' };
import { isPresent } from '../hosts/places.ts';
import { filledTemplate } from './template-file.ts';

/** Systems for which there is a template. */
export type CiSystem = 'github' | 'gitlab';

/** A file that is to be there. */
export interface InitFile {
  /** From the folder. */
  readonly path: string;
  readonly text: string;
  /** Something of this name is there already, be it a link that leads nowhere. */
  readonly there: boolean;
}

/** What `init` writes, and what it leaves to others. */
export interface InitPlan {
  readonly files: readonly InitFile[];
  /** Sentences for the user, each on a line of its own or with lines to take over below it. */
  readonly notes: readonly string[];
}

const GITLAB_MAIN = '.gitlab-ci.yml';
const GITLAB_FILE = '.gitlab/pfharden.gitlab-ci.yml';

/**
 * The files for a folder, with what is said about them.
 *
 * @param folder a folder that is there
 * @param profile as the .pfharden.json there names it
 * @param asked the system asked for; undefined takes the one whose files the folder has
 */
export function initPlan(folder: string, profile: string, asked: CiSystem | undefined): InitPlan {
  const notes: string[] = [];
  const data = {
    version: about.version,
    schema: schemaFrom(folder),
    profile,
    branches: branchesOf(folder),
    gitlabFile: GITLAB_FILE,
  };
  // What JSON quotes, YAML understands too.
  const file = (path: string, template: string): InitFile => ({
    path,
    text: filledTemplate(`ci/${template}`, data, { json: JSON.stringify }),
    there: isPresent(join(folder, path)),
  });
  const files = [file('.pfharden.json', 'pfharden.json')];
  const found = systemsOf(folder);
  const system = asked ?? (found.length === 1 ? found[0] : undefined);
  if (system === 'github') files.push(file('.github/workflows/pfharden.yml', 'github.yml'));
  if (system === 'gitlab') {
    const main = file(GITLAB_MAIN, 'gitlab-include.yml');
    files.push(file(GITLAB_FILE, 'gitlab.yml'), main);
    if (main.there && !includes(join(folder, GITLAB_MAIN)))
      notes.push(`Add to ${GITLAB_MAIN}, below the include: that it may have:\n\n${main.text}`);
  }
  if (system === undefined)
    notes.push(
      found.length === 0
        ? 'No file for CI: the folder has neither .github nor .gitlab-ci.yml. --ci github or --ci gitlab asks for one.'
        : 'No file for CI: the folder has both .github and .gitlab-ci.yml. --ci github or --ci gitlab says which one is used.',
    );
  else {
    const root = repositoryAbove(folder);
    if (root !== null)
      notes.push(
        `${system === 'github' ? 'GitHub' : 'GitLab'} reads its files only at the root of the repository, which is ${root}.`,
      );
  }
  return { files, notes };
}

/** The schema in the installed package where there is one, which also serves without network. */
function schemaFrom(folder: string): string {
  const own = 'node_modules/pfharden/dist/config.schema.json';
  return existsSync(join(folder, own))
    ? `./${own}`
    : `https://unpkg.com/pfharden@${about.version}/dist/config.schema.json`;
}

/** The default branch, as a clone knows it; else the names that are usual. */
function branchesOf(folder: string): readonly string[] {
  const head = join(folder, '.git', 'refs', 'remotes', 'origin', 'HEAD');
  const text = existsSync(head) ? readFileSync(head, 'utf8') : '';
  const branch = /^ref: refs\/remotes\/origin\/(.+)$/m.exec(text)?.[1];
  return branch === undefined ? ['main', 'master'] : [branch];
}

function systemsOf(folder: string): readonly CiSystem[] {
  const systems: CiSystem[] = [];
  if (isPresent(join(folder, '.github'))) systems.push('github');
  if (isPresent(join(folder, GITLAB_MAIN))) systems.push('gitlab');
  return systems;
}

/** Whether .gitlab-ci.yml names the file already. */
function includes(path: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8').includes(GITLAB_FILE);
}

/** The root of the repository, where the folder lies below it. */
function repositoryAbove(folder: string): string | null {
  const start = resolve(folder);
  for (let at = start; ; at = resolve(at, '..')) {
    if (isPresent(join(at, '.git'))) return at === start ? null : at;
    if (at === resolve(at, '..')) return null;
  }
}
