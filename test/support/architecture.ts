// Which folder of src/ may import which, and where the outside world may be touched. The check reads
// the text of the files, so it also sees type imports, which leave no trace in a bundle.
import path from 'node:path';

/** The floors of src/ from the ground up. Folders on one floor never import each other. */
const floors = [
  ['text'],
  ['model'],
  ['tls'],
  ['postfix', 'dovecot'],
  ['hosts'],
  ['rules', 'probe'],
  ['fix', 'logs'],
  ['reports'],
  ['library'],
  ['cli'],
];

/** Makes what the package contains and what its documentation says: it may use all but the command line. */
const builder = 'build';

/** What describes the command line: the man page is made of it. */
const described = /^cli\/(?:options|usage)\.ts$/;

/** Files that may touch the file system, the clock, the environment, child processes and the network. */
const outward = /^(?:cli|hosts|probe|build)\/|^fix\/write[^/]*\.ts$/;

const outwardModules =
  /^(?:node:)?(?:fs|child_process|net|tls|os|dns|dgram|https?|http2|cluster|worker_threads|process)(?:\/|$)|^fast-glob$/;

const outwardCalls: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['process', /(?<![\w$.])(?:globalThis\.)?process\s*(?:\?\.|\.\s*[\w$]|\[)|=\s*(?:globalThis\.)?process\b/],
  ['the clock', /\bDate\.now\b|\bnew Date(?:\(\s*\)|\b(?!\s*\())|\bperformance\.now\b/],
  ['the network', /(?<![\w$.])fetch\s*\(/],
];

/** One place where a file breaks the order of the house. */
export interface Violation {
  /** Path below src/, with forward slashes. */
  file: string;
  /** What is wrong, in words. */
  problem: string;
}

/** Checks files given by their path below src/ and their text. */
export function violations(files: ReadonlyMap<string, string>): Violation[] {
  const found: Violation[] = [];
  for (const [file, text] of files) {
    const folder = folderOf(file);
    const code = withoutComments(text);
    if (folder === undefined) found.push({ file, problem: 'stands on no floor' });
    for (const specifier of importsOf(code)) {
      const problem = importProblem(file, folder, specifier);
      if (problem !== undefined) found.push({ file, problem });
    }
    if (outward.test(file)) continue;
    const bare = withoutStrings(code);
    for (const [what, pattern] of outwardCalls) {
      if (pattern.test(bare)) found.push({ file, problem: `touches ${what}` });
    }
  }
  return found;
}

function importProblem(file: string, from: string | undefined, specifier: string): string | undefined {
  if (outwardModules.test(specifier)) {
    return outward.test(file) ? undefined : `touches the outside world: ${specifier}`;
  }
  let target: string;
  if (/^virtual:builtin-rule(s|-pages)$/.test(specifier)) {
    target = 'rules/builtin';
  } else if (specifier.startsWith('.')) {
    target = path.posix.join(path.posix.dirname(file), specifier);
    // Data outside src/, such as package.json, stands below the ground floor.
    if (target.startsWith('../') && target.endsWith('.json')) return undefined;
  } else {
    return undefined;
  }
  const to = folderOf(target);
  if (to === undefined) return `imports ${specifier}, which stands on no floor`;
  if (from === undefined || from === to) return undefined;
  if (to === builder) return `imports ${specifier}: nothing imports ${builder}`;
  if (from === builder)
    return to === 'cli' && !described.test(target)
      ? `imports ${specifier}: ${builder} never imports cli`
      : undefined;
  if (floorOf(to) < floorOf(from)) return undefined;
  return `imports ${specifier}: ${from} never imports ${to}`;
}

function folderOf(file: string): string | undefined {
  const folder = /^([^/]+)\//.exec(file)?.[1];
  return folder !== undefined && (folder === builder || floorOf(folder) >= 0) ? folder : undefined;
}

function floorOf(folder: string): number {
  return floors.findIndex((floor) => floor.includes(folder));
}

const importForms = [
  /\b(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<name>[^'"\n]+)\1/g,
  /\bimport\s*(['"])(?<name>[^'"\n]+)\1/g,
  /\b(?:import|require)\s*\(\s*(['"`])(?<name>[^'"`\n]+)\1/g,
];

/** Every module that a text without comments names: static, dynamic, type and re-export. */
function importsOf(code: string): string[] {
  return importForms.flatMap((form) => [...code.matchAll(form)].map((match) => match.groups?.['name'] ?? ''));
}

// Strings and regular expressions are tokens here only so that a // or /* inside them opens no comment.
const tokens = new RegExp(
  [
    /(?<comment>\/\*[^]*?\*\/|\/\/[^\n]*)/,
    /(?<string>'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*")/,
    /(?<template>`(?:\\[^]|[^`\\])*`)/,
    /(?<regexp>(?<=(?:^|[=(,:;!&|?{}[+*%<>~^-]|\breturn|\btypeof|\bcase)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/)/,
  ]
    .map((token) => token.source)
    .join('|'),
  'g',
);

function withoutComments(text: string): string {
  return text.replace(tokens, (token, ...rest) => (groupsOf(rest)['comment'] === undefined ? token : ' '));
}

/** Template literals stay: code may stand in their placeholders. */
function withoutStrings(code: string): string {
  return code.replace(tokens, (token, ...rest) => (groupsOf(rest)['template'] === undefined ? "''" : token));
}

function groupsOf(rest: readonly unknown[]): Record<string, string | undefined> {
  return rest.at(-1) as Record<string, string | undefined>;
}
