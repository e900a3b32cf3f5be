import type { PostfixConfiguration } from '../../postfix/configuration.ts';
import type { MainCf, MainEntry, MasterCf, ServiceEntry } from '../../postfix/syntax/tree.ts';
import type { Edit } from '../../text/edits.ts';
import type { Location, Span } from '../../text/source.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import { type SwallowedSetting, serviceComments, swallowedSettings } from './misread-lines.ts';
import {
  indentedServices,
  type OrphanedLines,
  orphanedOptions,
  orphanedValues,
} from './swallowed-services.ts';

/** Lines that Postfix reads as part of the entry above them (postfix-language §1.3). */

function* swallowed({ postfix }: CheckContext): Iterable<Report> {
  const { main, master } = postfix;
  for (const item of main?.items ?? []) {
    if (main === null || item.kind !== 'entry') continue;
    for (const one of swallowedSettings(postfix, main, item)) yield settingReport(main, item, one);
    for (const one of orphanedValues(postfix, main, item))
      yield orphanReport(main, one, item.name, item.nameSpan);
  }
  for (const item of master?.items ?? []) {
    if (master === null || item.kind !== 'service') continue;
    yield* serviceReports(postfix, master, item);
  }
}

function settingReport(
  main: MainCf,
  entry: MainEntry,
  { name, span, before, how }: SwallowedSetting,
): Report {
  const edits: Edit[] = [{ path: main.source.path, span: before, text: how === 'indented' ? '' : '\n' }];
  return {
    message: how,
    at: place(main, span),
    setting: name,
    data: { into: entry.name, line: main.source.position(entry.nameSpan.start).line },
    related: [{ at: place(main, entry.nameSpan), message: `the entry that it became part of` }],
    fix: {
      title: how === 'indented' ? `make ${name} an entry of its own` : `put ${name} on a line of its own`,
      edits,
      writes: [`main.cf:${entry.name}`, `main.cf:${name}`],
    },
  };
}

function place(tree: MainCf | MasterCf, span: Span): Location {
  return { source: tree.source, span };
}

function orphanReport(
  tree: MainCf | MasterCf,
  { of, span, comment, lineStarts }: OrphanedLines,
  into: string,
  owner: Span,
): Report {
  return {
    message: tree.kind === 'main.cf' ? 'orphaned-value' : 'orphaned-options',
    at: place(tree, span),
    data: { of, into, lines: lineStarts.length, line: tree.source.position(comment.start).line },
    related: [
      { at: place(tree, comment), message: 'their first line is a comment' },
      { at: place(tree, owner), message: 'the entry that they became part of' },
    ],
    fix: {
      title: lineStarts.length === 1 ? 'make it a comment too' : 'make them comments too',
      edits: lineStarts.map((start) => ({ path: tree.source.path, span: { start, end: start }, text: '#' })),
      writes: [],
    },
  };
}

function* serviceReports(
  postfix: PostfixConfiguration,
  master: MasterCf,
  entry: ServiceEntry,
): Iterable<Report> {
  const { service, type, command } = entry.fields;
  const id = `${service.text}/${type.text}`;
  const line = { start: service.span.start, end: command.span.end };
  for (const one of orphanedOptions(master, entry)) yield orphanReport(master, one, id, line);
  for (const { id: of, span, indent } of indentedServices(master, entry)) {
    yield {
      message: 'indented-service',
      at: place(master, span),
      data: { of, into: id },
      related: [{ at: place(master, line), message: 'the service that it became part of' }],
      fix: {
        title: 'remove the white space before it',
        edits: [{ path: master.source.path, span: indent, text: '' }],
        writes: [],
      },
    };
  }
  yield* gluedOptions(master, entry, id);
}

/** `-o a=b-o c=d`: a blank is missing. */
function* gluedOptions(master: MasterCf, entry: ServiceEntry, id: string): Iterable<Report> {
  const comments = serviceComments(master, entry);
  for (const [index, argument] of entry.arguments.entries()) {
    if (argument.kind !== 'override' || !/\S-o$/.test(argument.value)) continue;
    const next = entry.arguments[index + 1];
    if (next?.kind !== 'stray' || !next.text.includes('=')) continue;
    if (comments.some(({ start, end }) => start <= argument.span.start && argument.span.start < end))
      continue;
    const at = argument.valueSpan.end - 2;
    yield {
      message: 'glued-options',
      at: place(master, { start: argument.span.start, end: next.span.end }),
      setting: argument.name,
      actual: argument.value,
      data: { service: id, program: entry.fields.command.text, next: next.text },
      fix: {
        title: 'put a blank before "-o"',
        edits: [{ path: master.source.path, span: { start: at, end: at }, text: ' ' }],
        writes: [`${id}:${argument.name}`],
      },
    };
  }
}

/** Checks about lines that became part of others. */
export const swallowedChecks: Readonly<Record<string, Check>> = { 'postfix/swallowed-setting': swallowed };
