import { mkdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { InputError, reasonOf } from '../hosts/files.ts';
import { harmless, shownText } from '../reports/words.ts';
import { BUILTIN_PROFILE_NAMES, DEFAULT_PROFILE } from '../rules/rule-set.ts';
import { UsageError } from './errors.ts';
import type { CiSystem, InitFile } from './init-files.ts';
import { isOn, type Request, textOf } from './options.ts';
import { BUILTIN } from './own-rules.ts';
import { namedProfile } from './profile-option.ts';
import { out } from './terminal.ts';

/**
 * `pfharden init [FOLDER]`: shows a `.pfharden.json` and the file for CI, and writes them with --write. What is
 * there already stays as it is.
 *
 * @throws UsageError, ProfileError for a profile that is not there, InputError for a folder that is none or
 *   cannot be written
 */
export async function init({ words, given }: Request): Promise<number> {
  const [folder = '.', ...more] = words;
  if (more.length > 0) throw new UsageError('init takes one folder', 'init');
  checkFolder(folder);
  const profile = textOf(given, 'profile') ?? DEFAULT_PROFILE;
  await namedProfile(profile, BUILTIN);
  const { initPlan } = await import('./init-files.ts');
  const { files, notes } = initPlan(
    folder,
    profileFrom(folder, profile),
    textOf(given, 'ci') as CiSystem | undefined,
  );
  const write = isOn(given, 'write');
  const isNew = files.some(({ there }) => !there);
  for (const file of files) {
    const path = join(folder, file.path);
    if (file.there) out(`${shownText(path)} is there already and stays as it is.\n\n`);
    else if (write) {
      await writeNew(path, file);
      out(`${shownText(path)} is written.\n\n`);
    } else out(`${shownText(path)} would hold:\n\n${indented(file.text)}\n`);
  }
  for (const note of notes) {
    const [sentence = '', ...lines] = note.split('\n');
    out(`${shownText(sentence)}\n${lines.length === 0 ? '' : indented(lines.join('\n'))}\n`);
  }
  if (!isNew) out('Nothing is left to write.\n');
  else if (!write) out('Nothing is written yet: the same with --write does it.\n');
  return 0;
}

function checkFolder(folder: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(folder).isDirectory();
  } catch (error) {
    throw new InputError(`${shownText(folder)}: ${reasonOf(error)}`);
  }
  if (!isFolder) throw new InputError(`${shownText(folder)}: is no folder`);
}

async function writeNew(path: string, { text }: InitFile): Promise<void> {
  const { OutputFile } = await import('./output-file.ts');
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw new InputError(`${shownText(dirname(path))}: ${reasonOf(error)}`);
  }
  const file = new OutputFile(path);
  file.write(text);
  file.finish();
}

/** As .pfharden.json in the folder names it: a path there starts from that folder. */
function profileFrom(folder: string, profile: string): string {
  if (BUILTIN_PROFILE_NAMES.includes(profile)) return profile;
  const path = relative(resolve(folder), resolve(profile));
  return path.startsWith('..') || isAbsolute(path) ? path : `./${path}`;
}

function indented(text: string): string {
  const lines = text.split('\n').map((line) => (line === '' ? '' : `    ${harmless(line)}`));
  return lines.join('\n');
}
