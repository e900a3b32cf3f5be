import type { Host, HostInput } from '../hosts/host.ts';
import { TemplatedHost } from '../hosts/renderings.ts';
import { isPart } from '../hosts/surroundings.ts';
import { SERVER_NAMES } from '../model/endpoint.ts';
import type { Finding, Fix, Judgement, Related } from '../model/finding.ts';
import { inRange } from '../model/release.ts';
import { shownValue } from '../model/secrets.ts';
import type {
  CheckContext,
  CheckOf,
  CrossCheckContext,
  DovecotCheckContext,
  JudgedEndpoint,
  ProposedFix,
  Report,
  SilencingContext,
} from './check.ts';
import { crossChecks } from './checks/cross.ts';
import { dovecotChecks } from './checks/dovecot.ts';
import { checks } from './checks/postfix.ts';
import { silencingChecks } from './checks/silencing.ts';
import { declaredReports } from './declared.ts';
import { evaluatePart } from './evaluate-part.ts';
import { evaluateTemplate } from './evaluate-template.ts';
import { fingerprints } from './fingerprint.ts';
import { judgedDovecot, judgedPostfix } from './judged-server.ts';
import { type HostFindings, KnownServers } from './known-servers.ts';
import { originText } from './locate.ts';
import { andList, briefOf, endpointPhrase } from './messages.ts';
import { type Profile, severityOf } from './profile.ts';
import { redactData, redactor, secretsOf } from './redact.ts';
import type { Rule } from './rule.ts';
import type { RuleSet } from './rule-set.ts';
import { type Comments, commentsOf, type SilencingComment } from './silencing/places.ts';
import { type RuleNames, ruleNames, silence } from './silencing/suppress.ts';

/** What to judge. */
export interface EvaluateOptions {
  /** Rule ids; without it all rules that the profile does not switch off. */
  readonly only?: ReadonlySet<string>;
  /** A comment that silences a rule has to give a reason. */
  readonly reasonRequired?: boolean;
  /** Of a template, also what only some have of what its engine may make of it. */
  readonly possible?: boolean;
  /** The servers that were judged before by the same rules and profile, of which the host is. */
  readonly known?: KnownServers;
}

/** Servers that are kept where hardly two are the same. */
const FEW_SERVERS = 4;

/** What a rule looks at: one server, or both. */
type Side = Exclude<Rule['applies']['server'], 'any'>;

/** The host as rules see it: what of it is there. */
interface Judged {
  readonly host: Host;
  readonly profile: Profile;
  readonly postfix: CheckContext | null;
  readonly dovecot: DovecotCheckContext | null;
  readonly cross: CrossCheckContext | null;
  /** There once the findings are, and where comments speak to pfharden. */
  readonly silencing: SilencingContext | null;
}

/**
 * The findings of one host that count, in the order of file, line and rule. Of a template, those that hold
 * whatever its engine makes of it.
 */
export function evaluate(
  host: Host,
  ruleSet: RuleSet,
  profile: Profile,
  options: EvaluateOptions = {},
): readonly Finding[] {
  return judgement(host, ruleSet, profile, options).findings;
}

/**
 * The findings of one host, and those that comments silence, each in the order of file, line and rule.
 * What is said of the comments themselves is among the findings and cannot be silenced.
 */
export function judgement(
  host: Host,
  ruleSet: RuleSet,
  profile: Profile,
  options: EvaluateOptions = {},
): Judgement {
  const judged = judgedHost(host, profile);
  const { known = new KnownServers() } = options;
  const comments = commentsOf(host);
  if (comments.comments.length + comments.faults.length === 0) {
    const { certain, possible } = hostFindings(judged, ruleSet, options, known);
    return { findings: sorted([...certain]), suppressed: [], possible };
  }
  const names = ruleNames(ruleSet.rules);
  const asked =
    options.only === undefined ? options : { ...options, only: withNamed(options.only, comments, names) };
  const { certain, possible } = hostFindings(judged, ruleSet, asked, known);
  const silenced = silence(certain, comments, names, host.input.now, redactor(host));
  const silencing: SilencingContext = {
    host,
    silenced,
    names,
    reasonRequired: options.reasonRequired === true,
    isSilent: silenceProof(judged, ruleSet),
  };
  const isAsked = (id: string): boolean => options.only?.has(id) !== false;
  const ofComments = ruleSet.rules
    .filter(({ id, applies }) => applies.server === 'any' && isAsked(id))
    .flatMap((rule) => toFindings(rule, { ...judged, silencing }, ruleSet));
  return {
    findings: sorted([...silenced.findings.filter(({ rule }) => isAsked(rule)), ...ofComments]),
    suppressed: sorted(
      silenced.suppressed.filter(({ finding }) => isAsked(finding.rule)),
      ({ finding }) => finding,
    ),
    possible: possible === certain ? silenced.findings : possible,
  };
}

/** All that the rules find in the servers, in any order; of templates, at its places there. */
function hostFindings(
  judged: Judged,
  ruleSet: RuleSet,
  options: EvaluateOptions,
  known: KnownServers,
): HostFindings {
  const { host, profile } = judged;
  const { input } = host;
  if (!isPart(input) && TemplatedHost.of(input) === null) {
    const findings = ruleFindings(judged, rulesOf(ruleSet, null), ruleSet, options, known);
    return { certain: findings, possible: findings };
  }
  const several = severalFindings(host, ruleSet, profile, options, known);
  const certain = numbered(host, several.certain);
  return {
    certain,
    possible: several.possible === several.certain ? certain : numbered(host, several.possible),
  };
}

/**
 * What is found in files that may come to several things. What one server may come to is looked at without the
 * other, and only what rules find that look at both in all that the two may come to together.
 */
function severalFindings(
  { input, postfix, dovecot }: Host,
  ruleSet: RuleSet,
  profile: Profile,
  options: EvaluateOptions,
  known: KnownServers,
): HostFindings {
  // What one server may come to is judged once for all hosts that have it: the servers that it may come to are of no
  // further use, and would only take the place of others.
  const judge =
    (side: Side | null) =>
    (one: HostInput): HostFindings =>
      eachOf(
        one,
        profile,
        ruleSet,
        rulesOf(ruleSet, side),
        options,
        side === 'both' ? known : new KnownServers(undefined, FEW_SERVERS),
      );
  // The secrets of one server are hidden in what is said of the other.
  if (postfix !== null && dovecot !== null && `${secretsOf(postfix)}${secretsOf(dovecot)}` !== '')
    return judge(null)(input);
  const asked = JSON.stringify([options.possible === true, [...(options.only ?? ['*'])]]);
  const each = (['postfix', 'dovecot'] as const).flatMap((side): HostFindings[] => {
    if (input[side] === null) return [];
    const other = side === 'postfix' ? 'dovecot' : 'postfix';
    const { parts, ...whole } = input;
    const own = parts?.filter((server) => server === side) ?? [];
    const alone = { ...whole, [other]: null, ...(own.length === 0 ? {} : { parts: own }) };
    return [known.findingsIn(alone, asked, judge(side))];
  });
  if (postfix !== null && dovecot !== null) each.push(judge('both')(input));
  const certain = each.flatMap((one) => one.certain);
  const same = each.every((one) => one.possible === one.certain);
  return { certain, possible: same ? certain : each.flatMap(({ possible }) => possible) };
}

/** What some rules find in all that the files of a host may come to. */
function eachOf(
  input: HostInput,
  profile: Profile,
  ruleSet: RuleSet,
  rules: readonly Rule[],
  options: EvaluateOptions,
  known: KnownServers,
): HostFindings {
  if (isPart(input)) {
    const certain = evaluatePart(
      input,
      (one, only = options.only) =>
        eachOf(one, profile, ruleSet, rules, only === undefined ? {} : { only }, known).certain,
    );
    return { certain, possible: certain };
  }
  const templated = TemplatedHost.of(input);
  if (templated === null) {
    const found = ruleFindings(judgedHost(known.hostOf(input), profile), rules, ruleSet, options, known);
    return { certain: found, possible: found };
  }
  const declared = new Set(
    rules.flatMap(({ id, when }) => (when !== undefined && options.only?.has(id) !== false ? [id] : [])),
  );
  const { certain, possible } = evaluateTemplate(
    templated,
    declared,
    (rendering, { only = options.only, heard = options.only }) =>
      only?.size === 0
        ? []
        : ruleFindings(
            judgedHost(known.hostOf(rendering.input), profile),
            rules,
            ruleSet,
            { ...(only === undefined ? {} : { only }), ...(heard === undefined ? {} : { heard }) },
            known,
          ),
    options.possible === true,
  );
  return { certain, possible: possible ?? certain };
}

/** Findings with the fingerprints that they have in one text. */
function numbered(host: Host, findings: readonly Finding[]): readonly Finding[] {
  if (findings.length === 0) return [];
  const fingerprint = fingerprints(host, redactor(host));
  return sorted([...findings]).map((finding) => ({
    ...finding,
    fingerprint: fingerprint({
      ...finding,
      endpoint: briefOf(host, finding.endpoints[0] ?? ''),
      isWritten: finding.valueFrom === null,
      isShared: finding.ofDefault && finding.endpoints.length > 1,
    }),
  }));
}

/** Whether a comment is unused is known only when the rules are judged that it names. */
function withNamed(only: ReadonlySet<string>, { comments }: Comments, names: RuleNames): ReadonlySet<string> {
  if (!only.has('silencing/unused')) return only;
  const askedFor = comments.flatMap(({ directive }) =>
    directive.rules.flatMap(({ name }) => names.get(name) ?? []),
  );
  return new Set([...only, ...askedFor]);
}

/**
 * Tells whether it is sure that a rule finds nothing which a comment could silence, now that it has found
 * nothing. It is not where the profile or the release leaves the rule out, where files are missing that it
 * needs, where it looks at the running system and there is none, and where a template engine has still to
 * fill the files.
 */
function silenceProof(
  { host, profile }: Judged,
  ruleSet: RuleSet,
): (id: string, comment: SilencingComment) => boolean {
  const { postfix, dovecot, facts } = host.input;
  const isComplete = {
    postfix: postfix === null || (postfix.main !== null && postfix.master !== null),
    dovecot: dovecot?.mainAssumed !== true,
    both: postfix !== null && dovecot !== null,
    any: true,
  };
  return (id) => {
    const rule = ruleSet.find(id);
    if (rule === undefined || !isComplete[rule.applies.server]) return false;
    if (!isInReleases(rule, host)) return false;
    if (Object.keys(rule.messages).every((message) => severityOf(profile, rule, message) === 'off'))
      return false;
    if (rule.category === 'certificates' && facts === undefined) return false;
    return !isPart(host.input) && TemplatedHost.of(host.input) === null;
  };
}

/** Which of the rules are judged. */
interface AskedRules {
  readonly only?: ReadonlySet<string>;
  /** The rules to which others yield; left out, those that are judged. */
  readonly heard?: ReadonlySet<string>;
}

/** The rules that look at one server, or at both; without that, all but those that look at comments. */
function rulesOf({ rules }: RuleSet, side: Side | null): readonly Rule[] {
  return rules.filter(({ applies: { server } }) => (side === null ? server !== 'any' : server === side));
}

/** All that rules find in the servers of plain files, in any order. */
function ruleFindings(
  judged: Judged,
  rules: readonly Rule[],
  ruleSet: RuleSet,
  { only, heard = only }: AskedRules,
  known: KnownServers,
): Finding[] {
  const { host } = judged;
  const findings: Finding[] = [];
  const speaking = new Map<string, boolean>();
  const isSpeaking = (id: string): boolean => {
    const before = speaking.get(id);
    if (before !== undefined) return before;
    const other = heard?.has(id) === false ? undefined : rules.find((rule) => rule.id === id);
    const speaks = other !== undefined && isFound(other, judged, known);
    speaking.set(id, speaks);
    return speaks;
  };
  for (const rule of rules) {
    if (only !== undefined && !only.has(rule.id)) continue;
    if (!isInReleases(rule, host)) continue;
    const { yields } = rule;
    const yielding = yields !== undefined && isSpeaking(yields.to);
    if (yielding && yields.messages === undefined) continue;
    for (const finding of known.foundBy(rule, host, () => toFindings(rule, judged, ruleSet)))
      if (!yielding || yields.messages?.includes(finding.messageId) !== true) findings.push(finding);
  }
  return findings;
}

/** In the order of file, line and rule. */
function sorted(findings: Finding[]): Finding[];
function sorted<T>(items: T[], findingOf: (item: T) => Finding): T[];
function sorted<T extends Finding>(items: T[], findingOf: (item: T) => Finding = (item) => item): T[] {
  return items.sort((one, other) => {
    const a = findingOf(one);
    const b = findingOf(other);
    return (
      compareTexts(a.at.source.path, b.at.source.path) ||
      a.at.span.start - b.at.span.start ||
      compareTexts(a.rule, b.rule) ||
      compareTexts(a.fingerprint, b.fingerprint)
    );
  });
}

function judgedHost(host: Host, profile: Profile): Judged {
  const { postfix: ofPostfix, dovecot: ofDovecot } = host;
  // Rules that look at no endpoint need not wait for them.
  const postfix: CheckContext | null =
    ofPostfix === null
      ? null
      : {
          host,
          get postfix() {
            return ofPostfix.configuration;
          },
          get endpoints() {
            return ofPostfix.endpoints;
          },
          profile,
        };
  const dovecot: DovecotCheckContext | null =
    ofDovecot === null
      ? null
      : {
          host,
          get dovecot() {
            return ofDovecot.configuration;
          },
          get endpoints() {
            return ofDovecot.endpoints;
          },
          profile,
        };
  const cross = postfix === null || dovecot === null ? null : { host, postfix, dovecot, profile };
  return { host, profile, postfix, dovecot, cross, silencing: null };
}

/** Whether a rule finds anything that the profile does not switch off. */
function isFound(rule: Rule, judged: Judged, known: KnownServers): boolean {
  if (!isInReleases(rule, judged.host)) return false;
  const found = known.knownOf(rule, judged.host);
  if (found !== undefined) return found.length > 0;
  for (const { message = 'default' } of reports(rule, judged))
    if (severityOf(judged.profile, rule, message) !== 'off') return true;
  return false;
}

/** A range of releases is one of the server that the rule is for. */
function isInReleases({ applies: { server, releases } }: Rule, host: Host): boolean {
  if (releases === undefined) return true;
  const of = server === 'both' || server === 'any' ? 'dovecot' : server;
  return inRange(host.releases[of].version, releases);
}

/** Order of two ASCII texts. A collator would do the same, but to set one up takes longer than to judge a host. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Reports of one thing, about several endpoints. */
interface MergedReport {
  readonly report: Report;
  readonly endpoints: JudgedEndpoint[];
  readonly related: Related[];
  readonly fixes: ProposedFix[];
}

function toFindings(rule: Rule, judged: Judged, ruleSet: RuleSet): Finding[] {
  const { host, profile } = judged;
  // Most rules find nothing.
  let merged: Map<string, MergedReport> | null = null;
  for (const report of reports(rule, judged)) {
    const messageId = report.message ?? 'default';
    if (severityOf(profile, rule, messageId) === 'off') continue;
    const { source, span } = report.at;
    const key = [
      messageId,
      source.path,
      span.start,
      span.end,
      report.of?.name ?? report.setting,
      report.expected,
      JSON.stringify(report.data),
    ].join('\0');
    merged ??= new Map();
    const known: MergedReport = merged.get(key) ?? { report, endpoints: [], related: [], fixes: [] };
    merged.set(key, known);
    if (
      report.endpoint !== undefined &&
      report.endpoint !== null &&
      !known.endpoints.includes(report.endpoint)
    ) {
      known.endpoints.push(report.endpoint);
    }
    known.related.push(
      ...(report.related ?? []).filter((one) => !known.related.some((other) => sameRelated(one, other))),
    );
    if (report.fix !== undefined && report.fix !== null) known.fixes.push(report.fix);
  }
  if (merged === null) return [];
  const redact = redactor(host);
  const fingerprint = fingerprints(host, redact);
  return [...merged.values()].map(({ report, endpoints, related, fixes }) => {
    const messageId = report.message ?? 'default';
    const level = severityOf(profile, rule, messageId);
    const setting = report.of?.name ?? report.setting ?? null;
    const actual = report.actual ?? report.of?.value ?? null;
    const shown = actual === null ? null : redact(shownValue(setting ?? '', actual));
    const expected = report.expected === undefined ? null : redact(report.expected);
    const data = {
      ...(redactData(report.data ?? {}, redact) as Report['data']),
      endpoints: redact(andList(endpoints.map(endpointPhrase))),
      setting,
      actual: shown,
      expected,
      release: releaseText(rule, host),
      openssl: `OpenSSL ${host.releases.openssl.version}`,
      profile: profile.title,
    };
    return {
      rule: rule.id,
      severity: level === 'off' ? 'info' : level,
      messageId,
      message: asSentence(ruleSet.render(rule, messageId, 'text', data)),
      why: rule.why,
      advice: ruleSet.render(rule, messageId, 'advice', data),
      at: report.at,
      endpoints: endpoints.map(({ id }) => id),
      setting,
      actual: shown,
      expected,
      ofDefault: report.of?.origin.kind === 'default',
      valueFrom: report.of === undefined || report.of === null ? null : originText(report.of),
      ...(report.of === undefined || report.of === null ? {} : { valueOrigin: report.of.origin }),
      related: related.map((one) => ({ ...one, message: redact(one.message) })),
      fix: mergeFixes(rule, fixes, redact),
      references: rule.references,
      fingerprint: fingerprint({
        rule: rule.id,
        messageId,
        at: report.at,
        setting,
        endpoint: endpoints[0],
        isWritten: report.of === undefined || report.of === null,
        isShared: report.of?.origin.kind === 'default' && endpoints.length > 1,
      }),
    };
  });
}

/** A sentence that begins with an endpoint begins with a capital; names of parameters stay as they are. */
function asSentence(text: string): string {
  return text.replace(
    /^(port|deliveries|any service) /,
    (word) => word.charAt(0).toUpperCase() + word.slice(1),
  );
}

function sameRelated(a: Related, b: Related): boolean {
  return a.message === b.message && a.at.source === b.at.source && a.at.span.start === b.at.span.start;
}

/** "Postfix 3.7.11"; where a rule is about both servers, both. */
function releaseText({ applies: { server } }: Rule, { releases }: Host): string {
  const servers = server === 'both' || server === 'any' ? (['postfix', 'dovecot'] as const) : [server];
  return andList(servers.map((one) => `${SERVER_NAMES[one]} ${releases[one].version}`));
}

function mergeFixes(rule: Rule, fixes: readonly ProposedFix[], redact: (text: string) => string): Fix | null {
  const [first] = fixes;
  if (first === undefined || rule.fix.kind === 'none') return null;
  return {
    title: redact(first.title),
    safe: rule.fix.kind === 'safe' && fixes.every(({ safe }) => safe !== false),
    edits: fixes.flatMap(({ edits }) => edits),
    writes: [...new Set(fixes.flatMap(({ writes }) => writes))],
  };
}

function reports(rule: Rule, { postfix, dovecot, cross, silencing }: Judged): Iterable<Report> {
  const { server } = rule.applies;
  if (server === 'any') return silencing === null ? [] : named(silencingChecks, rule)(silencing);
  if (server === 'both') return cross === null ? [] : named(crossChecks, rule)(cross);
  if (server === 'dovecot') {
    if (dovecot === null) return [];
    return rule.check === undefined
      ? declaredReports(rule, judgedDovecot(dovecot))
      : named(dovecotChecks, rule)(dovecot);
  }
  if (postfix === null) return [];
  return rule.check === undefined
    ? declaredReports(rule, judgedPostfix(postfix))
    : named(checks, rule)(postfix);
}

/** The check that a rule file names. */
function named<Context>(known: Readonly<Record<string, CheckOf<Context>>>, rule: Rule): CheckOf<Context> {
  const check = rule.check === undefined ? undefined : known[rule.check];
  if (check === undefined)
    throw new Error(`rule ${rule.id}: there is no check "${rule.check}" for ${rule.applies.server}`);
  return check;
}
