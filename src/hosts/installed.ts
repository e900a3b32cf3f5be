import type { Release } from '../model/release.ts';
import { parseRelease } from '../model/release.ts';
import type { GivenReleases } from './releases.ts';

/** Which programs are asked. */
export interface AskedServers {
  readonly postfix: boolean;
  readonly dovecot: boolean;
}

/** How long a program may take to say its release. */
const PATIENCE = 2000;

/** Where the programs lie when the search path of an ordinary user does not lead to them. */
const FOLDERS = ['', '/usr/sbin/', '/usr/local/sbin/'];

/** Asks the installed programs for their releases; what does not answer is left out. */
export async function askInstalled(servers: AskedServers): Promise<GivenReleases> {
  const { spawnSync } = await import('node:child_process');
  const ask = (program: string, args: readonly string[]): string => {
    const { stdout, status } = spawnSync(program, args, {
      encoding: 'utf8',
      timeout: PATIENCE,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return status === 0 ? stdout : '';
  };
  const first = (program: string, args: readonly string[]): Release | undefined => {
    for (const folder of FOLDERS) {
      const release = parseRelease(
        ask(folder + program, args)
          .trim()
          .split(/\s/)[0] ?? '',
      );
      if (release !== null) return release;
    }
    return undefined;
  };
  return {
    // The built-in value: main.cf may name another.
    postfix: servers.postfix ? first('postconf', ['-d', '-h', 'mail_version']) : undefined,
    // Behind the number stands the commit: "2.3.19.1 (9b53102964)".
    dovecot: servers.dovecot ? first('dovecot', ['--version']) : undefined,
    openssl: parseRelease(/^OpenSSL (\S+)/.exec(ask('openssl', ['version']))?.[1] ?? '') ?? undefined,
  };
}
