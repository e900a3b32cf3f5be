import type { DovecotFile } from '../dovecot/syntax/tree.ts';
import type { DovecotHost, Host, PostfixHost } from '../hosts/host.ts';
import { perServer } from '../hosts/per-server.ts';
import type { MasterCf } from '../postfix/syntax/tree.ts';
import type { Location } from '../text/source.ts';
import type { JudgedEndpoint } from './check.ts';

/** What tells one finding from another, lines and order left out. */
export interface Identity {
  readonly rule: string;
  readonly messageId: string;
  readonly at: Location;
  readonly setting: string | null;
  /** The first endpoint concerned. */
  readonly endpoint: Pick<JudgedEndpoint, 'side' | 'role'> | undefined;
  /** The finding is about the line as it is written, and not about a value that is in effect. */
  readonly isWritten: boolean;
  /** It is about a default that several endpoints have: it is shown at the first of them, which another may become. */
  readonly isShared: boolean;
}

/**
 * Gives the findings of a host their fingerprints. One stays the same when lines move, when others are
 * added, and whichever way the folders of the host are named: it is made of the rule and its message, the
 * file relative to the folder of its server, the service or the blocks that the place is in, the setting,
 * and the role of the endpoint. Of what is written there the text counts too, so that of two unused
 * overrides each keeps its own. Only findings that are alike in all of that are numbered in their order.
 *
 * @param redact takes the secrets of the host out of a text
 */
export function fingerprints(host: Host, redact: (text: string) => string): (identity: Identity) => string {
  const seen = new Map<string, number>();
  const inOwnNames = host.input.inOwnNames ?? ((text: string): string => text);
  return ({ rule, messageId, at, setting, endpoint, isWritten, isShared }) => {
    const text = isWritten && setting !== null ? writtenText(at, setting) : '';
    const identity = [
      rule,
      messageId,
      relativePath(host, at.source.path),
      isShared ? '' : scopeOf(host, at),
      setting ?? '',
      endpoint === undefined ? '' : `${endpoint.side} ${endpoint.role}`,
      redact(text),
    ].join('\0');
    const occurrence = seen.get(identity) ?? 0;
    seen.set(identity, occurrence + 1);
    return hash(`${inOwnNames(identity)}\0${occurrence}`);
  };
}

/** The text of a place that begins with a setting, however it is spaced; a default stands at some other line, which says nothing of it. */
function writtenText({ source, span }: Location, setting: string): string {
  const text = source.slice(span).replace(/\s+/g, ' ').trim();
  const name = text.replace(/^-o ?(?:\{ ?)?/, '');
  return name.startsWith(setting) && !/^[\w-]/.test(name.slice(setting.length)) ? text : '';
}

/** A path relative to the folder of the server that has it: the same whichever way the folder was named. */
function relativePath({ input }: Host, path: string): string {
  const folders = [input.postfix, input.dovecot].flatMap((server) =>
    server === null ? [] : [server.directory],
  );
  const holder = folders.find((folder) => path.startsWith(`${folder}/`)) ?? folders[0] ?? '.';
  if (path.startsWith('/') !== holder.startsWith('/')) return path;
  const parts = (text: string): string[] => text.split('/').filter((part) => part !== '' && part !== '.');
  const from = parts(holder);
  const to = parts(path);
  let same = 0;
  while (same < from.length && from[same] === to[same]) same++;
  // What stands above the folder from which it is looked at has no name.
  if (from.slice(same).includes('..')) return path;
  return [...from.slice(same).map(() => '..'), ...to.slice(same)].join('/');
}

/** The service of master.cf, or the blocks of Dovecot, around a place; empty in main.cf and in tables. */
function scopeOf({ postfix, dovecot }: Host, { source: { path }, span }: Location): string {
  const [one, other] = [postfix, dovecot].map((server) =>
    server === null ? undefined : scopesOf(server).get(path),
  );
  const scopes = one ?? other;
  return scopes === undefined ? '' : lastBefore(scopes, span.start);
}

/** What holds from an offset on, in the order of the offsets. */
type Scopes = readonly { readonly from: number; readonly scope: string }[];

/** By the paths of the files of a server that have scopes. */
const scopesOf = perServer((server: PostfixHost | DovecotHost): ReadonlyMap<string, Scopes> => {
  if (!('input' in server)) {
    const { master } = server.configuration;
    return new Map(master === null ? [] : [[master.source.path, services(master)]]);
  }
  const { files } = server.configuration.tree;
  return new Map(files.map((file) => [file.source.path, blocks(file)]));
});

function services(tree: MasterCf): Scopes {
  return tree.items.map((item) => ({
    from: item.line.span.start,
    scope: item.kind === 'service' ? `${item.fields.service.text}/${item.fields.type.text}` : '',
  }));
}

function blocks(file: DovecotFile): Scopes {
  const found: { from: number; scope: string }[] = [];
  const around: string[] = [''];
  for (const statement of file.statements) {
    const { span } = statement.line;
    if (statement.kind === 'section') {
      around.push(`${around.at(-1)}${statement.key} ${statement.name} > `);
      found.push({ from: span.start, scope: around.at(-1) ?? '' });
    } else if (statement.kind === 'end') {
      if (around.length > 1) around.pop();
      found.push({ from: span.end, scope: around.at(-1) ?? '' });
    }
  }
  return found;
}

function lastBefore(scopes: Scopes, offset: number): string {
  let low = -1;
  let high = scopes.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((scopes[middle]?.from ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return scopes[low]?.scope ?? '';
}

/** 64 bits of FNV-1a as 16 hexadecimal digits, in two halves with different bases. */
function hash(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x01000193) >>> 0;
    b = Math.imul(b ^ unit, 0x85ebca6b) >>> 0;
  }
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
}
