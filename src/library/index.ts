// pfharden as a library; api.d.ts says what it takes and gives. It is built apart from the command line, and what
// both say of a host is made by the same functions of reports/.
import path from 'node:path';
import { proposeFixes } from '../fix/fix.ts';
import { buildHost, type HostInput } from '../hosts/host.ts';
import { fixedHost } from '../reports/fixed.ts';
import { plainFindings } from '../reports/formats/plain.ts';
import { hostHead, lintSummary } from '../reports/json.ts';
import { showHost } from '../reports/show.ts';
import type { EndpointJson } from '../reports/show-template.ts';
import { addTotals, hostReport, noTotals } from '../reports/totals.ts';
import { judgement } from '../rules/evaluate.ts';
import type * as api from './api.d.ts';
import { PfhardenError } from './error.ts';
import { hostsAmong } from './find.ts';
import { judgedBy, releasesOf } from './options.ts';
import { withTexts } from './texts.ts';

export { PfhardenError };

/** See api.d.ts. */
export const lint: typeof api.lint = (files, options = {}) => {
  const { ruleSet, profile, only, reasonRequired, now } = judgedBy(options);
  const totals = noTotals();
  const { hosts, leftOut } = forEachHost(files, options, now, (input) => {
    const host = buildHost(input);
    const { findings, suppressed } = judgement(host, ruleSet, profile, {
      ...(only === undefined ? {} : { only }),
      reasonRequired,
    });
    const report = hostReport(host, findings, 'info', suppressed);
    addTotals(totals, report);
    return { ...hostHead(host), ...plainFindings(report) };
  });
  return { profile: profile.name, hosts, summary: lintSummary(totals), leftOut };
};

/** See api.d.ts. */
export const fix: typeof api.fix = (files, options = {}) => {
  const { ruleSet, profile, only, reasonRequired, now } = judgedBy(options);
  const { hosts, leftOut } = forEachHost(files, options, now, (input) => {
    const result = proposeFixes(input, ruleSet, profile, {
      ...(only === undefined ? {} : { only }),
      unsafe: options.unsafe === true,
      reasonRequired,
    });
    const { files: fixed, mended, left } = fixedHost(result, { only, written: false });
    return {
      ...hostHead(result.before),
      files: fixed.map(({ before, after, diff: { text, withheld } }) => ({
        path: before.path,
        before: before.text,
        after: after.text,
        diff: text,
        withheld: [...new Set(withheld)],
      })),
      mended,
      left,
    };
  });
  return { profile: profile.name, hosts, leftOut };
};

/** See api.d.ts. */
export const show: typeof api.show = (files, options = {}) =>
  forEachHost(files, options, undefined, (input) => {
    const { endpoints, ...host } = showHost(buildHost(input), options.all === true);
    return { ...host, endpoints: endpoints as readonly (EndpointJson & api.Endpoint)[] };
  });

/** What is made of each host among the texts. */
function forEachHost<T>(
  files: api.Files,
  { releases }: Pick<api.Options, 'releases'>,
  now: number | undefined,
  make: (input: HostInput) => T,
): { readonly hosts: readonly T[]; readonly leftOut: readonly api.LeftOut[] } {
  const flags = releasesOf(releases);
  const texts = textsByPath(files);
  return withTexts(texts, () => {
    const { hosts, leftOut } = hostsAmong([...texts.keys()], flags);
    return { hosts: hosts.map((input) => make(now === undefined ? input : { ...input, now })), leftOut };
  });
}

/** Texts by the shortest form of their paths. */
function textsByPath(files: api.Files): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const problems: string[] = [];
  const list = Array.isArray(files)
    ? files
    : Object.entries(files).map(([name, text]) => ({ path: name, text: text as string }));
  for (const { path: name, text } of list) {
    const short = path.normalize(name);
    if (name === '' || name.includes('\0') || name.endsWith('/') || short.startsWith('..'))
      problems.push(`files: "${name}" is no path of a file below one folder`);
    else if (texts.has(short)) problems.push(`files: ${short} is there twice`);
    else if (typeof text !== 'string') problems.push(`files: ${short} has no text`);
    else texts.set(short, text);
  }
  if (problems.length > 0) throw new PfhardenError(problems);
  return texts;
}
