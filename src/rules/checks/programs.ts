import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import { listWords } from '../../postfix/configuration.ts';
import { references } from '../../postfix/expand.ts';
import type { Parameter } from '../../postfix/parameters.ts';
import type { Service } from '../../postfix/services.ts';

/**
 * The programs of Postfix that master(8) runs, under the name by which the parameter tables know them.
 * Sources: conf/master.cf of the releases, Makefile.in of each program.
 */
const DAEMONS: ReadonlyMap<string, string> = new Map([
  ...[
    'anvil',
    'bounce',
    'cleanup',
    'dnsblog',
    'error',
    'flush',
    'lmtp',
    'local',
    'oqmgr',
    'pickup',
    'pipe',
    'postlogd',
    'postscreen',
    'proxymap',
    'qmgr',
    'qmqpd',
    'scache',
    'showq',
    'smtp',
    'smtpd',
    'spawn',
    'tlsmgr',
    'tlsproxy',
    'trivial-rewrite',
    'verify',
    'virtual',
  ].map((name) => [name, name] as const),
  ['discard', 'error'],
  ['nqmgr', 'qmgr'],
]);

/** Programs that use the TLS library: the parameters marked `tls*`. */
const TLS_PROGRAMS: ReadonlySet<string> = new Set([
  'smtpd',
  'smtp',
  'lmtp',
  'tlsproxy',
  'tlsmgr',
  'postscreen',
]);

/** True for a program of Postfix that takes options, and no arguments but for pipe(8) and spawn(8). */
export function isDaemon(program: string): boolean {
  return DAEMONS.has(program);
}

/** What is known of whether a program reads a parameter: null where the tables do not tell. */
function readsItself(program: string, parameter: Parameter): boolean | null {
  const table = DAEMONS.get(program);
  if (table === undefined || parameter.daemons.length === 0) return null;
  return parameter.daemons.some(
    (name) =>
      name === '*' ||
      name === table ||
      // bounce(8) reads what its templates name.
      table === 'bounce' ||
      (name === 'tls*' && TLS_PROGRAMS.has(table)) ||
      (name === 'qmgr' && table === 'oqmgr'),
  );
}

/**
 * Whether the program of a service uses a parameter: reads it, or something that it reads refers to it.
 * Null where that is not known.
 */
export function usesParameter(
  configuration: PostfixConfiguration,
  service: Service,
  parameter: Parameter,
): boolean | null {
  const direct = readsItself(service.program, parameter);
  if (direct !== false) return direct;
  const { name } = parameter;
  if (referredByMain(configuration, service.program).has(name)) return true;
  return referredByOverrides(configuration, service).has(name);
}

const byProgram = new WeakMap<PostfixConfiguration, Map<string, ReadonlySet<string>>>();

/** All names that main.cf and the defaults of what a program reads refer to, at any remove. */
function referredByMain(configuration: PostfixConfiguration, program: string): ReadonlySet<string> {
  const known = byProgram.get(configuration) ?? new Map<string, ReadonlySet<string>>();
  byProgram.set(configuration, known);
  let found = known.get(program);
  if (found === undefined) {
    const read: string[] = [];
    for (const name of configuration.table.names()) {
      const parameter = configuration.table.get(name);
      if (parameter !== null && readsItself(program, parameter) !== false) read.push(name);
    }
    found = collectReferences(configuration, read, []);
    known.set(program, found);
  }
  return found;
}

/** All names that the overrides of a service refer to, at any remove. */
function referredByOverrides(configuration: PostfixConfiguration, service: Service): ReadonlySet<string> {
  const texts = [...service.overrides.values()].filter(({ value }) => value.includes('$'));
  return collectReferences(
    configuration,
    [],
    texts.map(({ value }) => value),
  );
}

function collectReferences(
  configuration: PostfixConfiguration,
  names: readonly string[],
  texts: readonly string[],
): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [...names];
  const read = (text: string): void => {
    for (const { name } of references(text)) {
      if (found.has(name)) continue;
      found.add(name);
      queue.push(name);
    }
  };
  for (const text of texts) read(text);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const text = configuration.mainSetting(name)?.value ?? configuration.parameter(name)?.default ?? '';
    read(text);
    // Restriction classes are parameters of the user's own that smtpd reads by name.
    if (name !== 'smtpd_restriction_classes') continue;
    for (const word of listWords(text)) read(configuration.mainSetting(word)?.value ?? '');
  }
  return found;
}

/** Who reads a parameter, in words: "every Postfix program", "smtpd", "smtp and lmtp". */
export function readersOf(parameter: Parameter): readonly string[] {
  const known = parameter.daemons.filter((name) => DAEMONS.has(name) && name !== 'oqmgr');
  if (parameter.daemons.includes('*')) return ['every Postfix program'];
  if (parameter.daemons.includes('tls*')) return ['every program that speaks TLS'];
  return known.length > 0 ? known : ['the postfix command'];
}
