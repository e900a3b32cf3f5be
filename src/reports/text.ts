import { hasDovecotFeature } from '../dovecot/releases.ts';
import { type Host, type PostfixHost, partNames } from '../hosts/host.ts';
import { perServer } from '../hosts/per-server.ts';
import { SERVER_NAMES } from '../model/endpoint.ts';
import { type Finding, SEVERITIES, type SuppressedFinding, type Suppression } from '../model/finding.ts';
import type { KnownRelease } from '../model/setting.ts';
import { headOf } from '../rules/locate.ts';
import { andList, briefOf } from '../rules/messages.ts';
import { frame } from './frame.ts';
import type { Palette } from './palette.ts';
import { type SecretPlaces, secretPlaces } from './secret-places.ts';
import type { HostReport, Totals } from './totals.ts';
import { count, labelled, shownText, widthOf, wrap } from './words.ts';

/** How a text report is written. */
export interface TextOptions {
  readonly width: number;
  readonly palette: Palette;
  /** Name of the profile that judged. */
  readonly profile: string;
  /** Show listings that are held back otherwise, such as the names of suites. */
  readonly verbose?: boolean;
  /** List what is silenced. */
  readonly suppressed?: boolean;
}

/** One line of facts under a finding. */
interface Detail {
  readonly label: string;
  readonly text: string;
}

/** Most endpoints that a finding names one by one. */
const MOST_ENDPOINTS = 4;
const MOST_RELATED = 3;
/** Findings of one rule in one file that are drawn; nobody reads more of them, and JSON has them all. */
const MOST_OF_A_RULE = 25;
/** Characters of a listing: the names of all suites that OpenSSL ever had take less. */
const MOST_OF_A_LISTING = 10_000;
const INDENT = 2;
const LABEL = 7;

/** The findings of one host, by file and rule, the gravest first. */
export function hostText(report: HostReport, options: TextOptions): string {
  const lines = hostHeader(report.host, options);
  if (report.findings.length === 0) lines.push('', `${' '.repeat(INDENT)}nothing to report`);
  for (const line of findingLines(report, options)) lines.push(line);
  if (options.suppressed === true && report.suppressed.length > 0) {
    lines.push('', options.palette.strong('silenced'));
    for (const one of report.suppressed) for (const line of suppressedLines(one, options)) lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

/** The same without the lines about the host: before each file an empty line and its name. */
export function findingLines(
  { host, findings }: Pick<HostReport, 'host' | 'findings'>,
  options: TextOptions,
): string[] {
  const lines: string[] = [];
  const secrets = secretPlaces(host);
  for (const [path, inFile] of groupedBy(findings, ({ at }) => at.source.path)) {
    lines.push('', options.palette.strong(shownText(path)));
    const groups = [...groupedBy(inFile, ({ rule }) => rule).values()];
    for (const group of groups.sort((a, b) => gravity(a) - gravity(b)))
      for (const line of groupLines(group, host, secrets, options)) lines.push(line);
  }
  return lines;
}

/** A finding that does not count in one sentence, and what silences it. */
function suppressedLines(
  { finding: { at, severity, message, rule }, suppression }: SuppressedFinding,
  { palette, width }: TextOptions,
): string[] {
  const { line, column } = at.source.position(at.span.start);
  const place = `${shownText(at.source.path)}:${line}:${column}`;
  const [head = '', ...rest] = wrap(
    `${place}: ${severity}: ${shownText(message)} [${rule}]`,
    width - INDENT - 2,
  );
  const by = labelled('by', silencerText(suppression), INDENT + 2, LABEL, width);
  return [
    '',
    `${' '.repeat(INDENT)}${head}`,
    ...rest.map((text) => `${' '.repeat(INDENT + 2)}${text}`),
    ...by.map((text, index) => (index === 0 ? text.replace('by', () => palette.dim('by')) : text)),
  ];
}

/** "the comment in main.cf line 3, until 2026-12-31: the fax machine"; the baseline says nothing more. */
export function silencerText({ by, file, line, until, reason }: Suppression): string {
  const where = file === null ? '' : ` ${by === 'comment' ? 'in ' : ''}${shownText(file)}`;
  const number = line === null ? '' : `${by === 'comment' ? ' line' : ', line'} ${line}`;
  const end = until === null ? '' : `, until ${until}`;
  return `the ${by}${where}${number}${end}${reason === null ? '' : `: ${shownText(reason)}`}`;
}

function gravity(group: readonly Finding[]): number {
  return group.reduce(
    (least, { severity }) => Math.min(least, SEVERITIES.indexOf(severity)),
    SEVERITIES.length,
  );
}

function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Findings of one rule in one file: what the first says of all of them is not said again. */
function groupLines(
  group: readonly Finding[],
  host: Host,
  secrets: SecretPlaces,
  text: TextOptions,
): string[] {
  const { palette, width } = text;
  const lines: string[] = [];
  let first: readonly Detail[] = [];
  for (const finding of group.slice(0, MOST_OF_A_RULE)) {
    lines.push('', ...heading(finding, text));
    const options = {
      width: width - INDENT,
      secrets,
      mark: palette.severity[finding.severity],
      dim: palette.dim,
    };
    const marked = standsNowhere(finding, host)
      ? [palette.dim(`   - | no line here sets ${shownText(finding.setting ?? '')}`)]
      : frame(finding.at, options);
    lines.push(...marked.map((line) => `${' '.repeat(INDENT)}${line}`));
    const own = details(finding, host, text.verbose === true);
    for (const detail of own) {
      const { label } = detail;
      if (first.some((said) => said.label === label && said.text === detail.text)) continue;
      const [head = '', ...rest] = labelled(label, detail.text, INDENT + 2, LABEL, width);
      lines.push(
        head.replace(label, () => palette.dim(label)),
        ...rest,
      );
    }
    if (first.length === 0) first = own;
  }
  const more = group.length - MOST_OF_A_RULE;
  if (more > 0)
    lines.push(
      '',
      `${' '.repeat(INDENT)}and ${more} more of ${group[0]?.rule}: --format json lists them all`,
    );
  return lines;
}

/** True for a default without any line that brings it into play: the place is only the head of the file. */
export function standsNowhere({ setting, valueFrom, at }: Finding, { postfix }: Host): boolean {
  if (postfix === null || setting === null) return false;
  if (valueFrom !== null && !valueFrom.startsWith('default of ')) return false;
  const head = headPlace(postfix);
  return (
    head.path === at.source.path &&
    head.start === at.span.start &&
    !at.source.slice(at.span).includes(setting)
  );
}

const headPlace = perServer(({ configuration }: PostfixHost) => {
  const { source, span } = headOf(configuration);
  return { path: source.path, start: span.start };
});

/** Severity and sentence, and at the end of the last line whether its line has changed, and the rule id. */
function heading({ severity, message, rule, changed }: Finding, { palette, width }: TextOptions): string[] {
  const indent = ' '.repeat(INDENT);
  const colour = palette.severity[severity];
  const lines = wrap(`${severity}: ${shownText(message)}`, width - INDENT - 2);
  const id = changed === true ? `(changed) [${rule}]` : `[${rule}]`;
  const last = lines.at(-1) ?? '';
  if (widthOf(last) + 2 + id.length <= width - INDENT)
    lines[lines.length - 1] = `${last}  ${palette.dim(id)}`;
  else lines.push(`  ${palette.dim(id)}`);
  return lines.map((line, index) => {
    if (index > 0) return `${indent}  ${line}`;
    return `${indent}${colour(palette.strong(`${severity}:`))}${line.slice(severity.length + 1)}`;
  });
}

function details(finding: Finding, host: Host, verbose: boolean): Detail[] {
  const { fix } = finding;
  const found: Detail[] = [];
  const ports = endpointText(finding, host);
  if (ports !== null) found.push({ label: 'where', text: ports });
  if (finding.actual !== null) {
    const from = finding.valueFrom === null ? '' : ` (${shownText(finding.valueFrom)})`;
    const name = finding.setting === null ? '' : `${shownText(finding.setting, 100)} = `;
    const value = finding.actual === '' ? '(empty)' : shownText(finding.actual, 240);
    found.push({ label: 'value', text: `${name}${value}${from}` });
  }
  const places = finding.related.filter(({ onRequest }) => onRequest !== true);
  const related = places.slice(0, MOST_RELATED).map(({ at, message }) => {
    const { line } = at.source.position(at.span.start);
    return { label: 'see', text: `${shownText(at.source.path)}:${line}: ${shownText(message)}` };
  });
  found.push(...related);
  const more = places.length - related.length;
  if (more > 0) found.push({ label: 'see', text: `and ${count(more, 'more place')}` });
  found.push(
    { label: 'why', text: shownText(finding.why) },
    { label: 'do', text: shownText(finding.advice) },
  );
  if (fix !== null && fix.edits.length > 0) {
    found.push({ label: 'fix', text: `pfharden fix${fix.safe ? '' : ' --unsafe'}: ${shownText(fix.title)}` });
  }
  return [...found, ...listings(finding, verbose)];
}

/** What is long and rarely wanted: without being asked, only that it is there. */
function listings({ related }: Finding, verbose: boolean): Detail[] {
  const held = related.filter(({ onRequest }) => onRequest === true);
  if (held.length > 0 && !verbose) return [{ label: 'names', text: 'shown with --verbose' }];
  return held.map(({ message }) => ({ label: 'names', text: shownText(message, MOST_OF_A_LISTING) }));
}

/** The ports concerned; null where the message has named them already, or none is. */
export function endpointText(finding: Finding, host: Host): string | null {
  const found = finding.endpoints.flatMap((id) => briefOf(host, id) ?? []);
  const phrases = [...new Set(found.map(({ phrase }) => shownText(phrase)))];
  if (phrases.every((phrase) => finding.message.includes(phrase))) return null;
  const shown = phrases.slice(0, MOST_ENDPOINTS);
  const more = phrases.length - shown.length;
  return andList(more > 0 ? [...shown, `${more} more`] : shown);
}

function hostHeader(host: Host, { width, palette, profile }: TextOptions): string[] {
  return [
    `${palette.strong(hostName(host))}: ${releaseTexts(host).join(', ')}, profile ${profile}`,
    ...[...partText(host), ...assumptions(host)].flatMap((text) => wrap(text, width)),
  ];
}

/** That only parts of a host's configuration are there, in a sentence. */
function partText(host: Host): string[] {
  const one = 'is a part of a configuration: only what it proves is judged';
  const more = 'are parts of a configuration: only what they prove is judged';
  return partSentence(host, one, more);
}

/** A sentence about the files that are only parts of a host's configuration; none where there are none. */
export function partSentence({ input }: Host, one: string, more: string): string[] {
  const names = partNames(input);
  if (names.length === 0) return [];
  return [`${andList(names.map((name) => shownText(name)))} ${names.length === 1 ? one : more}.`];
}

/** What a report calls a host: the folder of its one server, else the one around both. */
export function hostName({ root, input: { postfix, dovecot } }: Host): string {
  if (postfix !== null && dovecot !== null) return shownText(root);
  return shownText(postfix?.directory ?? dovecot?.directory ?? root);
}

/** The programs whose releases a host is judged for. */
export function judgedPrograms({ postfix, dovecot }: Host): readonly Program[] {
  return [
    ...(postfix === null ? [] : (['postfix'] as const)),
    ...(dovecot === null ? [] : (['dovecot'] as const)),
    'openssl',
  ];
}

/** The programs that a host is judged for, with their releases: `Postfix 3.7.11 (assumed)`. */
export function releaseTexts(host: Host): string[] {
  return judgedPrograms(host).map(
    (program) => `${PROGRAM_NAMES[program]} ${releaseText(host.releases[program], program)}`,
  );
}

function releaseText({ version, versionFrom, provenAtLeast }: KnownRelease, program: Program): string {
  const inFile = program === 'dovecot' && version === provenAtLeast;
  const words: Record<KnownRelease['versionFrom'], string> = {
    flag: '',
    config: inFile ? ' (dovecot_config_version)' : ' (.pfharden.json)',
    installed: ' (installed)',
    implied: ' (assumed)',
    assumed: ' (assumed)',
  };
  return `${version}${words[versionFrom]}`;
}

/** What was assumed about releases, in two sentences, and how to say better. */
export function assumptions(host: Host): string[] {
  const { releases } = host;
  const guessed = judgedPrograms(host).filter((program) =>
    ['assumed', 'implied'].includes(releases[program].versionFrom),
  );
  if (guessed.length === 0) return [];
  const many = guessed.length > 1;
  const names = andList(guessed.map((program) => PROGRAM_NAMES[program]));
  const bounds = guessed.flatMap((program) => {
    const { provenAtLeast } = releases[program];
    return provenAtLeast === null ? [] : [`${PROGRAM_NAMES[program]} ${provenAtLeast} or later`];
  });
  const bound = bounds.length === 0 ? '' : ` (these files are for ${andList(bounds)})`;
  // Of Dovecot's newest releases none would take these files.
  const older =
    guessed.includes('dovecot') && !hasDovecotFeature(releases.dovecot.version, 'configVersion')
      ? ' (of Dovecot, the newest that takes files without dovecot_config_version)'
      : '';
  const flags = andList(guessed.map((program) => `--${program}-version`));
  return [
    `The ${many ? 'releases' : 'release'} of ${names} ${many ? 'are' : 'is'} not known: the newest ${many ? 'are' : 'is'} assumed${older}${bound}. Name ${many ? 'them' : 'it'} with ${flags}.`,
  ];
}

type Program = keyof Host['releases'];

/** What the programs are called. */
export const PROGRAM_NAMES: Readonly<Record<Program, string>> = { ...SERVER_NAMES, openssl: 'OpenSSL' };

/** The line at the end, with what to do next. */
export function summaryText(
  totals: Totals,
  { palette, suppressed = false }: Pick<TextOptions, 'palette' | 'suppressed'>,
): string {
  const counts = SEVERITIES.filter((severity) => totals[severity] > 0).map((severity) =>
    palette.severity[severity](
      count(totals[severity], severity, severity === 'info' ? 'info' : `${severity}s`),
    ),
  );
  const hosts = totals.hosts === 1 ? '' : ` on ${totals.hosts} hosts`;
  const found = counts.length === 0 ? `no findings${hosts}` : `${andList(counts)}${hosts}`;
  const sentences = [`${found}.`];
  if (totals.hidden > 0) sentences.push(`${totals.hidden} of less severity not shown.`);
  if (totals.suppressed > 0) {
    const list = suppressed ? '' : ' (listed with --show-suppressed)';
    sentences.push(`${totals.suppressed} silenced${list}.`);
  }
  const all = totals.error + totals.warning + totals.info;
  if (totals.fixable > 0) {
    const more = totals.unsafe > 0 ? `, with --unsafe ${totals.unsafe} more` : '';
    sentences.push(`pfharden fix mends ${totals.fixable} of ${all}${more}.`);
  } else if (totals.unsafe > 0) sentences.push(`pfharden fix --unsafe mends ${totals.unsafe} of ${all}.`);
  if (all > 0) sentences.push('More on a rule: pfharden explain RULE.');
  return `${sentences.join(' ')}\n`;
}

/** One line a finding, as compilers print them; nothing where there is none. */
export function quietText({ findings }: HostReport, { palette }: Pick<TextOptions, 'palette'>): string {
  return findings
    .map(({ at, severity, message, rule, changed }) => {
      const { line, column } = at.source.position(at.span.start);
      const severityText = palette.severity[severity](severity);
      return `${shownText(at.source.path)}:${line}:${column}: ${severityText}: ${shownText(message)}${changed === true ? ' (changed)' : ''} [${rule}]\n`;
    })
    .join('');
}
