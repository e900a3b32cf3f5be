import type { Host } from '../hosts/host.ts';
import { type Comparison, comparePort } from '../probe/compare.ts';
import { configuredPorts } from '../probe/configured.ts';
import { MAIL_PROTOCOLS } from '../probe/dialogue.ts';
import type { ProbedEndpoint } from '../probe/endpoint.ts';
import { Gate } from '../probe/gate.ts';
import { probe } from '../probe/probe.ts';
import { type Manner, MOST_TARGETS, mannerOf, type NamedPort, readTarget } from '../probe/targets.ts';
import type { TableFormat } from '../reports/endpoint-table.ts';
import { type ProbedPort, probeJson, probeText } from '../reports/probe.ts';
import type { Profile } from '../rules/profile.ts';

/** A port and how it is spoken to. */
type PlannedPort = NamedPort & Manner;

/** How many hosts are looked at at a time; the ports of one host come one after the other. */
const HOSTS_AT_ONCE = 4;

/**
 * Reads the targets of a command line.
 *
 * @param asked what --starttls says, for all of them
 * @returns the ports, each once; or what is wrong with one, for the user
 */
export function planOf(words: readonly string[], asked: string | undefined): readonly PlannedPort[] | string {
  const plan = new Map<string, PlannedPort>();
  const protocol = MAIL_PROTOCOLS.find((name) => name === asked) ?? (asked === 'none' ? asked : undefined);
  for (const word of words) {
    const target = readTarget(word);
    if (typeof target === 'string') return `${word}: ${target}`;
    const manner = mannerOf(target.port, protocol);
    if (manner === null)
      return `${word}: port ${target.port} does not tell what is spoken there: name it with --starttls`;
    plan.set(`${target.host} ${target.port}`, { ...target, ...manner });
  }
  if (plan.size > MOST_TARGETS)
    return `${plan.size} ports are too many: at most ${MOST_TARGETS} at a time, pfharden is no scanner of networks`;
  return [...plan.values()];
}

/** A host of the files, and the profile that it is judged by. */
export interface JudgedHost {
  readonly host: Host;
  readonly profile: Profile;
}

/** What is to be looked at, and how it is told. */
interface ProbeRequest {
  readonly plan: readonly PlannedPort[];
  /** The hosts to compare with; null where no files were given. */
  readonly hosts: readonly JudgedHost[] | null;
  readonly serverName: string | null;
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly format: TableFormat;
}

/** Looks at all ports and writes the report; `wrong` where one did not answer as it should. */
export async function probePorts({
  plan,
  hosts,
  serverName,
  timeoutMs,
  json,
  format,
}: ProbeRequest): Promise<{ readonly output: string; readonly wrong: boolean }> {
  const gate = new Gate(HOSTS_AT_ONCE);
  const byHost = new Map<string, (readonly [index: number, port: PlannedPort])[]>();
  for (const [index, port] of plan.entries())
    byHost.set(port.host, [...(byHost.get(port.host) ?? []), [index, port]]);
  const ports: ProbedPort[] = [];
  await Promise.all(
    [...byHost.values()].map((own) =>
      gate.run(async () => {
        for (const [index, { host, port, starttls, spoken }] of own) {
          const seen = await probe({
            host,
            port,
            starttls,
            serverName,
            timeoutMs,
            ...(spoken === undefined ? {} : { spoken }),
          });
          ports[index] = { seen, ...comparedWith(seen, hosts ?? [], format.profile) };
        }
      }),
    ),
  );
  return { output: json ? probeJson(ports) : probeText(ports, format), wrong: ports.some(isWrong) };
}

/**
 * What differs from the files, and the profile of the host that has the port: of several hosts, that of
 * the one whose listener differs least.
 */
function comparedWith(
  seen: ProbedEndpoint,
  hosts: readonly JudgedHost[],
  other: Profile,
): { readonly comparison: Comparison | null; readonly profile: Profile } {
  const found = hosts.map(({ host, profile }) => ({
    comparison: comparePort(seen, configuredPorts(host)),
    profile,
  }));
  const [own] = found
    .filter(({ comparison }) => comparison.endpoint !== null)
    .sort((a, b) => a.comparison.differences.length - b.comparison.differences.length);
  return own ?? { comparison: found[0]?.comparison ?? null, profile: other };
}

function isWrong({ seen, comparison }: ProbedPort): boolean {
  if (comparison !== null) return comparison.differences.length > 0 || !seen.complete;
  return !seen.complete || seen.tls.protocols.length === 0;
}
