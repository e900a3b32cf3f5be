import { applyPatch, parsePatch } from 'diff';
import { type HostInput, hostSources, withTexts } from '../hosts/host.ts';
import { SourceFile } from '../text/source.ts';

/** Why a diff cannot be applied, for the user. */
export class PatchError extends Error {}

/**
 * The hosts that files of a unified diff would make of them; nothing is written.
 *
 * @param text as `diff -u`, `git diff` and `pfharden fix` print it. Names of files are compared from their end, so
 *   that it does not matter from which folder it was made
 * @throws PatchError where it is none, or does not fit the files
 */
export function patchedHosts(inputs: readonly HostInput[], text: string): readonly HostInput[] {
  let patches: ReturnType<typeof parsePatch>;
  try {
    patches = parsePatch(text).filter(({ hunks }) => hunks.length > 0);
  } catch (error) {
    throw new PatchError(`is no unified diff: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (patches.length === 0) throw new PatchError('is no unified diff, or changes nothing');
  const sources = inputs.flatMap((input) => hostSources(input).map((source) => ({ input, source })));
  const changed = new Map<HostInput, Map<string, SourceFile>>();
  for (const patch of patches) {
    const names = [patch.oldFileName, patch.newFileName].flatMap((name) => plainName(name) ?? []);
    const found = sources.filter(({ source }) => names.some((name) => isSameFile(source.path, name)));
    const [first, ...others] = found;
    const name = names[0] ?? 'a file without a name';
    if (first === undefined) throw new PatchError(`changes ${name}, which is none of the files`);
    if (others.length > 0)
      throw new PatchError(`changes ${name}, and there are ${found.length} of that name`);
    const { input, source } = first;
    const done = changed.get(input) ?? new Map<string, SourceFile>();
    changed.set(input, done);
    const result = applyPatch(done.get(source.path)?.text ?? source.text, patch);
    if (result === false) throw new PatchError(`does not fit ${source.path}`);
    done.set(source.path, new SourceFile(source.path, result, source.encoding));
  }
  return inputs.map((input) => withTexts(input, changed.get(input) ?? new Map<string, SourceFile>()));
}

/** The name without the `a/` and `b/` of git, and without what leads to it; null for none. */
function plainName(name: string | undefined): string | null {
  if (name === undefined || name === '/dev/null') return null;
  return withoutRoot(name.replace(/^[ab]\//, ''));
}

function withoutRoot(path: string): string {
  return path.replace(/^(?:\.{0,2}\/)+/, '');
}

function isSameFile(path: string, name: string): boolean {
  const own = withoutRoot(path);
  return own === name || own.endsWith(`/${name}`) || name.endsWith(`/${own}`);
}
