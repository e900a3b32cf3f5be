import { parseRelease } from '../model/release.ts';
import type { GivenReleases } from './releases.ts';

/** How long a program may take to say its release. */
const PATIENCE = 2000;

/** Where postconf lies when the search path of an ordinary user does not lead to it. */
const POSTCONF = ['postconf', '/usr/sbin/postconf', '/usr/local/sbin/postconf'];

/** Asks the installed programs for their releases; what does not answer is left out. */
export async function askInstalled(): Promise<GivenReleases> {
  const { spawnSync } = await import('node:child_process');
  const ask = (program: string, args: readonly string[]): string => {
    const { stdout, status } = spawnSync(program, args, {
      encoding: 'utf8',
      timeout: PATIENCE,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return status === 0 ? stdout : '';
  };
  let postfix: string | undefined;
  for (const program of POSTCONF) {
    // The built-in value: main.cf may name another.
    postfix ??= parseRelease(ask(program, ['-d', '-h', 'mail_version'])) ?? undefined;
  }
  const openssl = parseRelease(/^OpenSSL (\S+)/.exec(ask('openssl', ['version']))?.[1] ?? '') ?? undefined;
  return { postfix, openssl };
}
