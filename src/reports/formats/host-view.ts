import type { Host } from '../../hosts/host.ts';
import type { Finding } from '../../model/finding.ts';
import type { Profile } from '../../rules/profile.ts';
import { type Frame, frameOf } from '../frame.ts';
import { type SecretPlaces, secretPlaces } from '../secret-places.ts';
import { assumptions, endpointText, hostName, releaseTexts, standsNowhere } from '../text.ts';
import type { HostReport } from '../totals.ts';
import { type EndpointView, endpointViews } from './endpoint-view.ts';

/** What a page shows of a finding beside its plain data. */
interface FindingView {
  /** The lines of its place; null where no line sets what it is about. */
  readonly frame: Frame | null;
  /** The ports concerned; null where the message has named them, or none is. */
  readonly where: string | null;
  /** Where the value comes from, in words; null where no value is concerned. */
  readonly valueFrom: string | null;
  /** What is long and rarely wanted, such as names of suites. */
  readonly listing: readonly string[];
  /** Why there is no fix although the rule has one; null where there is nothing to say. */
  readonly unfixable: string | null;
}

/** What a page shows of a host, as plain data: it can be handed between threads, and holds no file. */
export interface HostView {
  readonly name: string;
  /** Title of the profile that judged. */
  readonly profile: string;
  /** The programs with their releases: `Postfix 3.7.11 (assumed)`. */
  readonly releases: readonly string[];
  /** What was assumed of the releases; empty where they are known. */
  readonly assumed: readonly string[];
  readonly endpoints: readonly EndpointView[];
  /** For each finding of the host, in the same order. */
  readonly findings: readonly FindingView[];
}

/** Columns of a code frame: a longer line is cut around what the finding is about. */
const FRAME_WIDTH = 160;

/** What a page shows of a host beside its findings as plain data. */
export function hostView({ host, findings }: HostReport, profile: Profile): HostView {
  const secrets = secretPlaces(host);
  return {
    name: hostName(host),
    profile: profile.title,
    releases: releaseTexts(host),
    assumed: assumptions(host),
    endpoints: endpointViews(host, profile),
    findings: findings.map((finding) => findingView(finding, host, secrets)),
  };
}

function findingView(finding: Finding, host: Host, secrets: SecretPlaces): FindingView {
  return {
    frame: standsNowhere(finding, host) ? null : frameOf(finding.at, FRAME_WIDTH, secrets),
    where: endpointText(finding, host),
    valueFrom: finding.valueFrom,
    listing: finding.related.flatMap(({ message, onRequest }) => (onRequest === true ? [message] : [])),
    unfixable: finding.unfixable ?? null,
  };
}
