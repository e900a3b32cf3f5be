const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Tidies up when a signal ends the program before its time; it then ends by that signal, as it would have
 * without.
 *
 * @returns what takes this back
 */
export function onInterrupt(tidyUp: () => void): () => void {
  const end = (signal: NodeJS.Signals): void => {
    tidyUp();
    forget();
    process.kill(process.pid, signal);
  };
  const forget = (): void => {
    for (const signal of SIGNALS) process.off(signal, end);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return forget;
}
