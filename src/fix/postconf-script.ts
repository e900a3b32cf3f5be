import type { Host } from '../hosts/host.ts';
import { holdsSecret } from '../model/secrets.ts';
import type { PostfixConfiguration } from '../postfix/configuration.ts';
import { type Override, SERVICE_FIELDS, type ServiceEntry } from '../postfix/syntax/tree.ts';
import { commentsOf } from '../rules/silencing/places.ts';

/** A shell script, and the changes that postconf has no command for. */
export interface PostconfScript {
  /** Empty where nothing changes. */
  readonly text: string;
  /** In words, each a change that only the diff or `--write` makes. */
  readonly impossible: readonly string[];
}

/** A word for a POSIX shell. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=,+@%-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The commands of postconf(1) that have the effect of a fix: `-e` sets and `-X` removes an entry of
 * main.cf, `-P` sets and `-PX` removes an override, `-F` sets a field of a service. postconf edits
 * entries, not text: a comment that moves, a broken line that is mended or a removed duplicate is not
 * something that it can do alone, and is said.
 */
export function postconfScript(before: Host, after: Host): PostconfScript {
  const commands: string[] = [];
  const impossible: string[] = [];
  const old = before.postfix?.configuration;
  const next = after.postfix?.configuration;
  if (old === undefined || next === undefined) return { text: '', impossible };
  mainCommands(old, next, commands, impossible);
  masterCommands(old, next, commands, impossible);
  commentsLeft(before, after, impossible);
  if (commands.length === 0) return { text: '', impossible };
  const directory = shellWord(old.directory);
  const text = [
    '#!/bin/sh',
    'set -e',
    `config=\${1:-${directory}}`,
    // postconf -e adds its line to the end of the file as it is, be it in the middle of a line.
    ...(unended(old) ? ['echo >>"$config/main.cf"'] : []),
    ...commands.map((command) => `postconf -c "$config" ${command}`),
    '',
  ].join('\n');
  return { text, impossible };
}

/** A comment that goes with its setting: postconf leaves it, and there it would silence what comes next. */
function commentsLeft(before: Host, after: Host, impossible: string[]): void {
  const kept = commentsOf(after).comments.map(({ at }) => at.source.slice(at.span));
  for (const { server, at, directive } of commentsOf(before).comments) {
    const index = kept.indexOf(at.source.slice(at.span));
    if (index >= 0) kept.splice(index, 1);
    else if (server === 'postfix') {
      const { line } = at.source.position(at.span.start);
      const names = directive.rules.map(({ name }) => name).join(', ');
      impossible.push(`remove the comment in line ${line} of ${at.source.path}, which silences ${names}`);
    }
  }
}

function unended(configuration: PostfixConfiguration): boolean {
  const text = configuration.main?.source.text ?? '';
  return text !== '' && !text.endsWith('\n');
}

function mainCommands(
  old: PostfixConfiguration,
  next: PostfixConfiguration,
  commands: string[],
  impossible: string[],
): void {
  const values = (configuration: PostfixConfiguration): Map<string, string> => {
    const entries = new Map<string, string>();
    for (const item of configuration.main?.items ?? [])
      if (item.kind === 'entry') entries.set(item.name, item.value);
    return entries;
  };
  const countOf = (configuration: PostfixConfiguration, name: string): number =>
    configuration.main?.items.filter((item) => item.kind === 'entry' && item.name === name).length ?? 0;
  const was = values(old);
  const is = values(next);
  const removed = [...was.keys()].filter((name) => !is.has(name));
  for (const name of removed) commands.push(`-X ${shellWord(name)}`);
  for (const [name, value] of is) {
    const same = was.get(name) === value;
    if (same && countOf(old, name) === countOf(next, name)) continue;
    if (holdsSecret(name, value)) impossible.push(`main.cf: ${name} (a secret stands in its value)`);
    else if (/[\n\0]/.test(value)) impossible.push(`main.cf: ${name}`);
    // Writing an entry also drops its duplicates.
    else commands.push(`-e ${shellWord(`${name} = ${value}`)}`);
  }
  const broken = (configuration: PostfixConfiguration): number => configuration.main?.problems.length ?? 0;
  if (broken(old) > broken(next))
    impossible.push(
      'main.cf: lines that postconf cannot read (they must be mended first, or postconf refuses to start)',
    );
}

function masterCommands(
  old: PostfixConfiguration,
  next: PostfixConfiguration,
  commands: string[],
  impossible: string[],
): void {
  const entries = (configuration: PostfixConfiguration): Map<string, ServiceEntry> =>
    new Map(
      configuration.services.flatMap(({ id, entry }) => (entry === null ? [] : [[id, entry] as const])),
    );
  const was = entries(old);
  for (const [id, entry] of entries(next)) {
    const earlier = was.get(id);
    if (earlier === undefined) {
      const fields = SERVICE_FIELDS.map((field) => entry.fields[field].text).join(' ');
      const options = entry.arguments
        .map((argument) => (argument.kind === 'override' ? overrideText(argument) : argument.text))
        .join(' ');
      commands.push(`-M ${shellWord(`${id}=${fields} ${options}`.trim())}`);
      continue;
    }
    for (const field of SERVICE_FIELDS) {
      if (earlier.fields[field].text !== entry.fields[field].text) {
        commands.push(`-F ${shellWord(`${id}/${field}=${entry.fields[field].text}`)}`);
      }
    }
    overrideCommands(id, earlier, entry, commands, impossible);
  }
}

function overrideText({ name, value }: Override): string {
  return /\s/.test(value) ? `-o { ${name} = ${value} }` : `-o ${name}=${value}`;
}

function overrideCommands(
  id: string,
  earlier: ServiceEntry,
  entry: ServiceEntry,
  commands: string[],
  impossible: string[],
): void {
  const values = (service: ServiceEntry): Map<string, string> =>
    new Map(
      service.arguments.flatMap((argument) =>
        argument.kind === 'override' ? [[argument.name, argument.value] as const] : [],
      ),
    );
  const was = values(earlier);
  const is = values(entry);
  for (const name of was.keys()) if (!is.has(name)) commands.push(`-PX ${shellWord(`${id}/${name}`)}`);
  for (const [name, value] of is) {
    if (was.get(name) === value) continue;
    if (holdsSecret(name, value))
      impossible.push(`master.cf: ${name} of ${id} (a secret stands in its value)`);
    // postconf -P takes no white space in a value (postconf_edit.c).
    else if (/\s/.test(value)) impossible.push(`master.cf: ${name} of ${id}`);
    else commands.push(`-P ${shellWord(`${id}/${name}=${value}`)}`);
  }
  const strays = (service: ServiceEntry): string =>
    service.arguments
      .map((argument) => (argument.kind === 'override' ? '' : argument.text))
      .join(' ')
      .trim();
  if (strays(earlier) !== strays(entry))
    impossible.push(`master.cf: the arguments of ${id} that are no options`);
}
