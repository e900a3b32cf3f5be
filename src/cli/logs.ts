import { UsageError } from './errors.ts';
import type { Request } from './options.ts';

/** `pfharden logs FILE…`: which protocols and suites peers use. */
export async function logs(request: Request): Promise<number> {
  if (request.words.length === 0) throw new UsageError('logs needs a file; - is standard input', 'logs');
  // All that reads logs is one chunk of the bundle, which other commands do not load.
  const { answerLogs } = await import('./answer-logs.ts');
  return answerLogs(request);
}
