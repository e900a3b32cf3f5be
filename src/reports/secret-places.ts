import { secretSpans } from '../dovecot/secrets.ts';
import type { DovecotHost, Host, PostfixHost } from '../hosts/host.ts';
import { perServer } from '../hosts/per-server.ts';
import { listWords } from '../postfix/configuration.ts';
import { secretSpans as secretSpansOfPostfix } from '../postfix/secrets.ts';
import type { SourceFile, Span } from '../text/source.ts';

/** Spans of a file that no report may show. */
export type SecretPlaces = (source: SourceFile, line: Span) => readonly Span[];

const PASSWORD_MAPS = /password_maps$/i;
const PASSWORD_FILE = /passw|secret|credential/i;

/** Where the secrets of one server stand. */
interface ServerSecrets {
  /** By the path of each of its configuration files. */
  readonly spans: ReadonlyMap<string, readonly Span[]>;
  /** Names of files that are tables of passwords. */
  readonly tables: ReadonlySet<string>;
}

const NONE: ServerSecrets = { spans: new Map(), tables: new Set() };

/** Where the secrets of a host stand: values of secret settings, and the right-hand sides of password tables. */
export function secretPlaces({ postfix, dovecot }: Host): SecretPlaces {
  const [one, other] = [ofServer(postfix), ofServer(dovecot)];
  return (source, line) => {
    const { path } = source;
    // By paths: what was found in a host with the same texts may be shown.
    const own = [one.spans.get(path), other.spans.get(path)].filter((spans) => spans !== undefined);
    if (own.length > 0) return own.flat();
    const name = path.replace(/^.*\//, '');
    if (!one.tables.has(name) && !PASSWORD_FILE.test(name)) return [];
    const value = /^\S+\s+(?=\S)/.exec(source.slice(line));
    return value === null ? [] : [{ start: line.start + value[0].length, end: line.end }];
  };
}

const readOf = perServer((server: PostfixHost | DovecotHost) =>
  'input' in server ? ofDovecot(server) : ofPostfix(server),
);

function ofServer(server: PostfixHost | DovecotHost | null): ServerSecrets {
  return server === null ? NONE : readOf(server);
}

function ofDovecot({ configuration: { tree } }: DovecotHost): ServerSecrets {
  const spans = new Map(tree.files.map((file) => [file.source.path, [...secretSpans(file)]] as const));
  return { spans, tables: NONE.tables };
}

function ofPostfix({ configuration: { main, master } }: PostfixHost): ServerSecrets {
  const trees = [main, master].filter((tree) => tree !== null);
  const tables = new Set<string>();
  const see = (name: string, value: string): void => {
    if (!PASSWORD_MAPS.test(name)) return;
    for (const word of listWords(value)) tables.add(word.replace(/^.*[:/]/, ''));
  };
  for (const item of main?.items ?? []) if (item.kind === 'entry') see(item.name, item.value);
  for (const item of master?.items ?? []) {
    if (item.kind !== 'service') continue;
    for (const argument of item.arguments) {
      if (argument.kind === 'override') see(argument.name, argument.value);
      if (argument.meant !== null) see(argument.meant.name, argument.meant.value);
    }
  }
  return { spans: new Map(trees.map((tree) => [tree.source.path, secretSpansOfPostfix(tree)])), tables };
}
