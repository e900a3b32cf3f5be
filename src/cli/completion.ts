import { UsageError } from './errors.ts';
import type { Request } from './options.ts';
import { out } from './terminal.ts';

/** `pfharden completion SHELL`: the script by which a shell completes command lines. */
export async function completion({ words }: Request): Promise<number> {
  const [shell, ...more] = words;
  const { completionScript, isShell, SHELLS } = await import('./completion-script.ts');
  if (shell === undefined || more.length > 0 || !isShell(shell))
    throw new UsageError(`completion takes the name of one shell: ${SHELLS.join(', ')}`, 'completion');
  out(completionScript(shell));
  return 0;
}
