import type { Host } from '../hosts/host.ts';
import type { Finding, Fix, Related } from '../model/finding.ts';
import { inRange } from '../model/release.ts';
import { shownValue } from '../model/secrets.ts';
import type { PostfixEndpoint } from '../postfix/endpoints.ts';
import { proposeRemoval, proposeSetting } from '../postfix/proposals.ts';
import type { Check, CheckContext, ProposedFix, Report } from './check.ts';
import { checks } from './checks/index.ts';
import { judge } from './condition.ts';
import { decidingPlace, headOf, originText } from './locate.ts';
import { andList, endpointPhrase } from './messages.ts';
import { type Profile, severityOf } from './profile.ts';
import { redactData, redactor } from './redact.ts';
import type { Rule } from './rule.ts';
import type { RuleSet } from './rule-set.ts';

/** What to judge. */
export interface EvaluateOptions {
  /** Rule ids; without it all rules that the profile does not switch off. */
  readonly only?: ReadonlySet<string>;
}

/** Findings of one host, in the order of file, line and rule. */
export function evaluate(
  host: Host,
  ruleSet: RuleSet,
  profile: Profile,
  options: EvaluateOptions = {},
): readonly Finding[] {
  const findings: Finding[] = [];
  if (host.postfix !== null) {
    const { configuration, endpoints } = host.postfix;
    const context: CheckContext = { host, postfix: configuration, endpoints, profile };
    for (const rule of ruleSet.rules) {
      if (rule.applies.server === 'dovecot') continue;
      if (options.only !== undefined && !options.only.has(rule.id)) continue;
      if (rule.applies.releases !== undefined && !inRange(configuration.release, rule.applies.releases))
        continue;
      for (const finding of toFindings(rule, context, ruleSet)) findings.push(finding);
    }
  }
  const order = new Map(hostFiles(findings).map((path, index) => [path, index]));
  return findings.sort(
    (a, b) =>
      (order.get(a.at.source.path) ?? 0) - (order.get(b.at.source.path) ?? 0) ||
      a.at.span.start - b.at.span.start ||
      compareTexts(a.rule, b.rule) ||
      compareTexts(a.fingerprint, b.fingerprint),
  );
}

/** Order of two ASCII texts. A collator would do the same, but to set one up takes longer than to judge a host. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hostFiles(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ at }) => at.source.path))].sort();
}

function toFindings(rule: Rule, context: CheckContext, ruleSet: RuleSet): Finding[] {
  const merged = new Map<
    string,
    { report: Report; endpoints: PostfixEndpoint[]; related: Related[]; fixes: ProposedFix[] }
  >();
  for (const report of reports(rule, context)) {
    const messageId = report.message ?? 'default';
    if (severityOf(context.profile, rule, messageId) === 'off') continue;
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
    const known = merged.get(key) ?? { report, endpoints: [], related: [], fixes: [] };
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
  const seen = new Map<string, number>();
  const redact = redactor(context.postfix);
  return [...merged.values()].map(({ report, endpoints, related, fixes }) => {
    const messageId = report.message ?? 'default';
    const level = severityOf(context.profile, rule, messageId);
    const setting = report.of?.name ?? report.setting ?? null;
    const actual = report.actual ?? report.of?.value ?? null;
    const shown = actual === null ? null : redact(shownValue(setting ?? '', actual));
    const expected = report.expected === undefined ? null : redact(report.expected);
    const data = {
      ...(redactData(report.data ?? {}, redact) as Report['data']),
      endpoints: andList(endpoints.map(endpointPhrase)),
      setting,
      actual: shown,
      expected,
      release: `Postfix ${context.postfix.release}`,
      openssl: `OpenSSL ${context.postfix.openssl.version}`,
      profile: context.profile.name,
    };
    const identity = [
      rule.id,
      messageId,
      relativePath(context, report.at.source.path),
      setting ?? '',
      endpoints[0]?.id ?? '',
    ].join('\0');
    const occurrence = seen.get(identity) ?? 0;
    seen.set(identity, occurrence + 1);
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
      valueFrom: report.of === undefined || report.of === null ? null : originText(report.of),
      related: related.map(({ at, message }) => ({ at, message: redact(message) })),
      fix: mergeFixes(rule, fixes, redact),
      references: rule.references,
      fingerprint: fingerprint(`${identity}\0${occurrence}`),
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

function relativePath(context: CheckContext, path: string): string {
  // The same for one host, whichever way its folder was named.
  const { directory } = context.postfix;
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
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

function reports(rule: Rule, context: CheckContext): Iterable<Report> {
  if (rule.check !== undefined) {
    const check: Check | undefined = checks[rule.check];
    if (check === undefined) throw new Error(`rule ${rule.id}: there is no check "${rule.check}"`);
    return check(context);
  }
  return conditionReports(rule, context);
}

function* conditionReports(rule: Rule, context: CheckContext): Iterable<Report> {
  if (rule.when === undefined) return;
  const { side, roles } = rule.applies;
  const places: (PostfixEndpoint | null)[] =
    rule.applies.on === 'host'
      ? [null]
      : context.endpoints.filter(
          (endpoint) =>
            (side === undefined || endpoint.side === side) &&
            (roles === undefined || roles.includes(endpoint.role)),
        );
  for (const endpoint of places) {
    const { holds, because } = judge(rule.when, { context, endpoint });
    if (!holds) continue;
    const [of] = because;
    const service = endpoint?.service ?? null;
    yield {
      at: of === undefined ? headOf(context.postfix) : decidingPlace(context.postfix, of, service),
      of: of ?? null,
      endpoint,
      fix: declaredFix(rule, context, endpoint),
    };
  }
}

function declaredFix(
  rule: Rule,
  context: CheckContext,
  endpoint: PostfixEndpoint | null,
): ProposedFix | null {
  const { set, remove } = rule.fix;
  const service = endpoint?.service ?? null;
  if (remove !== undefined) {
    const setting = context.postfix.setting(remove, service);
    return setting === null
      ? null
      : { title: `remove ${remove}`, ...proposeRemoval(context.postfix, setting) };
  }
  if (set === undefined) return null;
  const parts = Object.entries(set).map(([name, value]) => ({
    title: `set ${name} to ${value}`,
    ...proposeSetting(context.postfix, name, value, service === null ? [] : [service], 'main'),
  }));
  return {
    title: andList(parts.map(({ title }) => title)),
    edits: parts.flatMap(({ edits }) => edits),
    writes: parts.flatMap(({ writes }) => writes),
  };
}

/** 64 bits of FNV-1a as 16 hexadecimal digits, in two halves with different bases. */
function fingerprint(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x01000193) >>> 0;
    b = Math.imul(b ^ unit, 0x85ebca6b) >>> 0;
  }
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
}
