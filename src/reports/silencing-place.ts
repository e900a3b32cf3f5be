import { type Host, hostSources } from '../hosts/host.ts';
import type { Finding } from '../model/finding.ts';
import { standsNowhere } from './text.ts';

/** Where the comment stands that silences a finding. */
export interface SilencingPlace {
  /** True where no line of the file sets what is reported: the comment then speaks for the whole file. */
  readonly wholeFile: boolean;
  /** The line that the comment stands before, from 1, and its text without line end. */
  readonly line: number;
  readonly text: string;
  /** The blanks before that line. */
  readonly indent: string;
}

/** Where a comment silences a finding; null where the file takes no such comment, a table or a certificate. */
export function silencingPlace(finding: Finding, host: Host): SilencingPlace | null {
  const { source, span } = finding.at;
  if (!hostSources(host.input).some(({ path }) => path === source.path)) return null;
  // A value may run over several lines: what counts is where its name stands.
  const entry = host.postfix?.configuration.main;
  const start =
    entry?.source.path === source.path
      ? (entry.items.find(({ line }) => line.span.start <= span.start && span.start < line.span.end)?.line
          .span.start ?? span.start)
      : span.start;
  const wholeFile = standsNowhere(finding, host);
  const line = wholeFile ? 1 : source.position(start).line;
  const text = source.slice(source.lineSpan(line)).replace(/[\r\n]+$/, '');
  const indent = wholeFile ? '' : (/^[ \t]*/.exec(text)?.[0] ?? '');
  return { wholeFile, line, text, indent };
}
