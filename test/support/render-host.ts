import { type HostInput, hostSources, withTexts } from '../../src/hosts/host.ts';
import { SourceFile } from '../../src/text/source.ts';
import { renderTemplate } from './render-template.ts';

/** Small and fast, and the same everywhere: mulberry32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** What administrators give their variables, by the line that asks for it. */
const VALUES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^inet_protocols\s*=\s*$/, ['ipv4', 'all']],
  [/_tls_\w*protocols\s*=.*$/, ['!SSLv2, !SSLv3', '>=TLSv1.2', '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1']],
  [/security_level\s*=\s*$/, ['may', 'encrypt', 'none']],
  [/^relayhost\s*=\s*\[$/, ['smtp.example.net', 'localhost', '10.1.1.1']],
  [/^relayhost\s*=\s*$/, ['', '[smtp.example.net]:587', '[smtp.example.net]:465']],
  [/\]:$/, ['25', '587', '465']],
  [/(?:_limit|_avail|_count|_minimum_uid|_connections)\s*=\s*$/, ['1', '10', '52428800']],
  [/(?:mynetworks|login_trusted_networks|xclient_hosts)\s*=.*$/, ['192.168.0.0/16', '10.0.0.0/8', '']],
  [/^listen\s*=\s*$/, ['*', '*, ::', '127.0.0.1']],
  [/reject_unlisted_recipient=$/, ['yes', 'no']],
  [/special_use = \\$|mailbox $/, ['Trash', 'Junk', 'Sent']],
  [/recipient_delimiter\s*=\s*$/, ['+', '-', '']],
  [/content_filter\s*=\s*$/, ['', 'smtp-amavis:[127.0.0.1]:10024']],
  [/milters\s*=\s*$/, ['', 'inet:localhost:11332']],
  [/policy\s*=\s*$/, ['dane', 'may']],
  [/vsz_limit\s*=\s*$/, ['256M', '512M']],
  [/(?:file|ssl_cert|ssl_key)\s*=\s*<?$/, ['/etc/ssl/host.pem', '/etc/letsencrypt/live/h/privkey.pem']],
];

/**
 * A host whose templates are filled as an administrator may fill them.
 *
 * @returns the host, and for each file the line of the template that each line is from
 */
export function renderHost(
  input: HostInput,
  seed: number,
): { readonly input: HostInput; readonly lines: ReadonlyMap<string, readonly number[]> } {
  const next = random(seed);
  const decided = new Map<string, boolean>();
  const loops = new Map<string, number>();
  const filled = new Map<string, string>();
  const changed = new Map<string, SourceFile>();
  const lines = new Map<string, readonly number[]>();
  for (const source of hostSources(input)) {
    const rendered = renderTemplate(source.text, {
      holds(condition) {
        const known = decided.get(condition) ?? next() < 0.5;
        decided.set(condition, known);
        return known;
      },
      times(loop) {
        const known = loops.get(loop) ?? Math.floor(next() * 4);
        loops.set(loop, known);
        return known;
      },
      fill(expression, before) {
        if (before.trim() === '' && /^__\w+__$/.test(expression)) return '';
        const [, words] = VALUES.find(([pattern]) => pattern.test(before)) ?? [];
        const key = `${expression} ${words?.join(' ') ?? ''}`;
        const known =
          filled.get(key) ??
          (words === undefined
            ? `h${Math.floor(next() * 3)}.example.net`
            : words[Math.floor(next() * words.length)]);
        filled.set(key, known ?? '');
        return known ?? '';
      },
    });
    changed.set(source.path, new SourceFile(source.path, rendered.text));
    lines.set(source.path, rendered.lines);
  }
  return { input: withTexts(input, changed), lines };
}
