import type { PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { nameUse } from '../../postfix/names.ts';
import { isSpace, skipSpace, trimSpace } from '../../postfix/syntax/logical-lines.ts';
import type { LogicalLine, MainCf, MainEntry, MasterCf, ServiceEntry } from '../../postfix/syntax/tree.ts';
import type { Span } from '../../text/source.ts';

/**
 * Text that Postfix reads as part of something else: comments behind other text, and lines that belong
 * to an entry of their own. Only the first character of a physical line that is no white space makes a
 * comment, and white space at its start makes a continuation (postfix-language §1).
 */

type Tree = MainCf | MasterCf;

/** The text of one physical line of a logical line, without white space around it. */
export interface TextLine extends Span {
  /** Index into `lines` of the tree. */
  readonly index: number;
  readonly continuation: boolean;
}

/** The physical lines of a logical line that hold text. */
export function textLines(tree: Tree, line: LogicalLine): TextLine[] {
  const { text } = tree.source;
  const found: TextLine[] = [];
  for (let index = line.firstLine; index < line.endLine; index++) {
    const physical = tree.lines[index];
    if (physical === undefined || (physical.kind !== 'text' && physical.kind !== 'continuation')) continue;
    const { start, end } = physical.span;
    const first = skipSpace(text, start, end);
    found.push({
      index,
      continuation: physical.kind === 'continuation',
      start: first,
      end: trimSpace(text, first, end),
    });
  }
  return found;
}

/** Counts braces that are open; what stands in braces is not looked at. */
class Depth {
  level = 0;

  pass(text: string, from: number, to: number): void {
    for (let at = from; at < to; at++) this.step(text.charCodeAt(at));
  }

  step(code: number): void {
    if (code === 0x7b) this.level++;
    else if (code === 0x7d && this.level > 0) this.level--;
  }
}

/** Offsets at which text outside braces begins with `#`, the first of each physical line. */
function hashes(tree: Tree, line: LogicalLine, from: number): Span[] {
  const { text } = tree.source;
  const depth = new Depth();
  const found: Span[] = [];
  for (const { start, end } of textLines(tree, line)) {
    if (end <= from) continue;
    for (let at = Math.max(start, from); at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x23 && depth.level === 0 && (at === from || isSpace(text.charCodeAt(at - 1)))) {
        found.push({ start: at, end });
        break;
      }
      depth.step(code);
    }
  }
  return found;
}

/** Comments behind the value of an entry: each from its `#` to the end of its physical line. */
export function trailingComments(tree: MainCf, entry: MainEntry): readonly Span[] {
  return entry.value.includes('#') ? hashes(tree, entry.line, entry.valueSpan.start) : [];
}

/** Comments behind the command of a service, or behind its arguments. */
export function serviceComments(tree: MasterCf, entry: ServiceEntry): readonly Span[] {
  return entry.line.text.includes('#') ? hashes(tree, entry.line, entry.fields.command.span.end) : [];
}

/** `name = value` that became part of an entry. */
export interface SwallowedSetting {
  readonly name: string;
  /** From the name to the end of its physical line. */
  readonly span: Span;
  /** What stands before the name and would have to go, or to become a line end. */
  readonly before: Span;
  /** An indented line; a line joined to the one before; two words grown together. */
  readonly how: 'indented' | 'same-line' | 'glued';
}

/** Parameters whose values hold `name=value`. */
const HOLDS_ASSIGNMENTS = /_environment$|^debugger_command$|_context$|^milter_macro_defaults$/;

/** Shortest name that is told apart from the letters before it, and a bound for the longest. */
const SHORTEST_GLUED = 8;
const LONGEST_GLUED = 80;

const swallowedCache = new WeakMap<MainEntry, readonly SwallowedSetting[]>();

/** The settings that the value of an entry swallowed, in the order of the text. */
export function swallowedSettings(
  configuration: PostfixConfiguration,
  tree: MainCf,
  entry: MainEntry,
): readonly SwallowedSetting[] {
  if (!entry.value.includes('=') || HOLDS_ASSIGNMENTS.test(entry.name)) return [];
  let found = swallowedCache.get(entry);
  if (found === undefined) {
    found = [...findSwallowed(configuration, tree, entry)];
    swallowedCache.set(entry, found);
  }
  return found;
}

function* findSwallowed(
  configuration: PostfixConfiguration,
  tree: MainCf,
  entry: MainEntry,
): Iterable<SwallowedSetting> {
  const { text } = tree.source;
  const depth = new Depth();
  for (const { start, end, continuation, index } of textLines(tree, entry.line)) {
    if (end <= entry.valueSpan.start) continue;
    const from = Math.max(start, entry.valueSpan.start);
    const assignment = /([A-Za-z0-9_]+)[ \t]*=(?![=~])/y;
    let seen = from;
    for (let at = from; at < end; at++) {
      if (!isWordStart(text, at, from)) continue;
      assignment.lastIndex = at;
      const word = assignment.exec(text)?.[1];
      if (word === undefined || assignment.lastIndex > end) continue;
      depth.pass(text, seen, at);
      seen = at;
      if (depth.level > 0 || text[at - 1] === '$') continue;
      const name = isParameterName(configuration, word) ? word : gluedName(configuration, word);
      if (name === null) continue;
      const nameStart = at + word.length - name.length;
      const span = { start: nameStart, end };
      if (nameStart > at) yield { name, span, before: { start: nameStart, end: nameStart }, how: 'glued' };
      else if (continuation && at === start) {
        yield {
          name,
          span,
          before: { start: tree.lines[index]?.span.start ?? at, end: at },
          how: 'indented',
        };
      } else if (at > entry.valueSpan.start && isSpace(text.charCodeAt(at - 1))) {
        yield { name, span, before: { start: trimSpace(text, from, at), end: at }, how: 'same-line' };
      }
    }
    depth.pass(text, seen, end);
  }
}

function isWordStart(text: string, at: number, from: number): boolean {
  return /\w/.test(text[at] ?? '') && (at === from || !/\w/.test(text[at - 1] ?? ''));
}

/** A parameter of any release, or a name of the user's own that something refers to. */
function isParameterName(configuration: PostfixConfiguration, name: string): boolean {
  if (!name.includes('_')) return configuration.table.knownAnywhere(name) !== null && /^my|host$/.test(name);
  return configuration.table.knownAnywhere(name) !== null || nameUse(configuration).known(name);
}

/** The longest parameter name that a word ends with, behind letters that belong to something else. */
function gluedName(configuration: PostfixConfiguration, word: string): string | null {
  for (let at = Math.max(1, word.length - LONGEST_GLUED); at <= word.length - SHORTEST_GLUED; at++) {
    const name = word.slice(at);
    if (!name.includes('_') || word[at - 1] === '_') continue;
    if (configuration.table.knownAnywhere(name) !== null) return name;
  }
  return null;
}

/** True where the value of a setting is not what its writer meant, so that nothing is to be said of the value itself. */
export function isMisread(configuration: PostfixConfiguration, setting: PostfixSetting): boolean {
  const { main, master } = configuration;
  if (setting.kind === 'main') {
    if (main === null) return false;
    return (
      trailingComments(main, setting.entry).length > 0 ||
      swallowedSettings(configuration, main, setting.entry).length > 0
    );
  }
  if (master === null || setting.service.entry === null) return false;
  return setting.entry.meant !== null || /\S-o$/.test(setting.value);
}

/** Marks of template engines. Behind a dollar sign two braces are the beginning of a condition of Postfix. */
const TEMPLATE_MARKS = /(?:^|[^$])\{\{|\{%|\{#|<%|%>|@@|%\(|^(?:__\w+__|@\w+@|\{\w+\}|%\w+%)$/;

/** True for text that a template engine replaces. */
export function isTemplated(text: string): boolean {
  return TEMPLATE_MARKS.test(text);
}
