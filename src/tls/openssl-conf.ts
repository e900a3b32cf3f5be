/**
 * What an openssl.cnf of an administrator says of TLS: the section that `system_default` names below
 * `ssl_conf` (config(5), SSL_CONF_cmd(3); conf_def.c, ssl_mcnf.c). Variables and included files are not
 * followed: a value with `$` counts as unknown.
 */

/** Commands for every connection of a program, as written; a later one of the same name wins. */
export interface SystemDefaults {
  /** Names in lower case. */
  readonly commands: ReadonlyMap<string, string>;
  /** False: the file includes others, or a value hangs on a variable, and there may be more. */
  readonly complete: boolean;
}

/** The section before the first heading. */
const HEAD = 'default';

/**
 * Reads a file.
 *
 * @param application the section that counts for the program: what stands before its first heading names it
 *   with `openssl_conf = NAME`, or with the program's own name in place of `openssl_conf`
 */
export function systemDefaults(text: string, application: string | null): SystemDefaults {
  const { sections, complete } = readSections(text);
  const head = sections.get(HEAD);
  const follow = (section: string | undefined, name: string): string | undefined =>
    section === undefined ? undefined : sections.get(section)?.get(name);
  const start = head?.get(application ?? 'openssl_conf');
  const commands = sections.get(follow(follow(start, 'ssl_conf'), 'system_default') ?? '') ?? new Map();
  return {
    commands: new Map([...commands].map(([name, value]) => [name.replace(/^.*\./, '').toLowerCase(), value])),
    complete: complete && ![...commands.values()].some((value) => value.includes('$')),
  };
}

/** Words of a list in a command: separated by commas, `-` before one takes it away. */
export function commandWords(value: string): readonly string[] {
  return value.split(/[,\s]+/).filter((word) => word !== '');
}

function readSections(text: string): {
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly complete: boolean;
} {
  const sections = new Map<string, Map<string, string>>();
  let section = HEAD;
  let complete = true;
  for (const line of text.replace(/\\\r?\n/g, '').split(/\r?\n/)) {
    const content = withoutComment(line).trim();
    if (content === '') continue;
    const [, heading] = /^\[\s*(.*?)\s*\]$/.exec(content) ?? [];
    if (heading !== undefined) {
      section = heading;
      continue;
    }
    if (/^\.include\b/.test(content)) complete = false;
    const [, name, value] = /^([^\s=]+)\s*=\s*(.*)$/.exec(content) ?? [];
    if (name === undefined || value === undefined) continue;
    // A name may say the section that it belongs to.
    const [, other, own] = /^(.+)::(.+)$/.exec(name) ?? [];
    const place = other ?? section;
    const entries = sections.get(place) ?? new Map<string, string>();
    entries.set(own ?? name, value.replace(/^(["'])(.*)\1$/, '$2'));
    sections.set(place, entries);
  }
  return { sections, complete };
}

/** `#` begins a comment outside of quotation marks. */
function withoutComment(line: string): string {
  const [content = ''] = /^(?:[^#"'\\]|\\.|"[^"]*"?|'[^']*'?)*/.exec(line) ?? [];
  return content;
}
