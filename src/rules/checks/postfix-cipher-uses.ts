import { compareProtocols } from '../../model/protocol.ts';
import { type CipherSettings, cipherSettings, type TlsFamily } from '../../postfix/cipher-settings.ts';
import type { Effective, PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import type { Service } from '../../postfix/services.ts';
import type { CheckContext, Report } from '../check.ts';
import { sameSetting } from './postfix-levels.ts';
import {
  type Decider,
  decide,
  hasUnreadPolicies,
  isJudged,
  type ProtocolUse,
  protocolUses,
} from './postfix-protocol-uses.ts';

/**
 * Which cipher settings count where. Which list of exclusions and which grade that is follows from the
 * same levels as the protocol list (postfix-tls §2).
 */

/** One endpoint, or one destination with a TLS policy, and the cipher settings that count for it. */
export interface CipherUse {
  readonly endpoint: PostfixEndpoint;
  /** The service that reads them: tlsproxy for postscreen. */
  readonly service: Service;
  /** They count because TLS is mandatory. */
  readonly mandatory: boolean;
  readonly policy: ProtocolUse['policy'];
  readonly settings: CipherSettings;
  /** The protocols that count and that the profile does not object to, see `ProtocolUse`. */
  readonly protocols: ProtocolUse['protocols'];
}

/** Several checks ask for the same uses of one host. */
const known = new WeakMap<CheckContext, readonly CipherUse[]>();

/**
 * Every place where cipher settings count, in the order of the endpoints. Endpoints that nobody but this
 * machine sees are left out.
 */
export function cipherUses(context: CheckContext): readonly CipherUse[] {
  let uses = known.get(context);
  if (uses === undefined) {
    uses = protocolUses(context)
      .filter(({ floor }) => floor !== null)
      .map((use) => cipherUse(context.postfix, use));
    known.set(context, uses);
  }
  return uses;
}

function cipherUse(postfix: PostfixConfiguration, use: ProtocolUse): CipherUse {
  const { endpoint, service, mandatory, policy, floor } = use;
  // What is below the floor is the matter of other rules, and goes with their fixes.
  const protocols = use.protocols.filter(
    (protocol) => floor === null || compareProtocols(protocol, floor) >= 0,
  );
  const settings =
    policy === null && mandatory === endpoint.mandatory
      ? endpoint.cipherSettings
      : cipherSettings(postfix, {
          family: endpoint.family,
          service,
          mandatory,
          added: addedBy(policy?.level ?? endpoint.level, mandatory),
          ...(policy === null ? {} : { policy: { ciphers: policy.ciphers, exclude: policy.exclude } }),
        });
  return { endpoint, service, mandatory, policy, settings, protocols };
}

/** What a client leaves out by itself (set_cipher_grade() of smtp_tls_policy.c). */
function addedBy(level: string, mandatory: boolean): readonly string[] {
  if (!mandatory) return [];
  return level === 'encrypt' ? ['eNULL'] : ['aNULL'];
}

/** `smtpd_tls_mandatory_ciphers` */
function gradeName(family: TlsFamily, mandatory: boolean): string {
  return `${family}_tls_${mandatory ? 'mandatory_' : ''}ciphers`;
}

/** `smtpd_tls_mandatory_exclude_ciphers` */
export function exclusionsName(family: TlsFamily, mandatory: boolean): string {
  return `${family}_tls_${mandatory ? 'mandatory_' : ''}exclude_ciphers`;
}

/** The grade of a use; null where a policy has its own. */
export function gradeOf(postfix: PostfixConfiguration, { settings, service }: CipherUse): Decider | null {
  return settings.gradeFrom === null ? null : decide(postfix, settings.gradeFrom.name, service);
}

/** The lists of exclusions that count for a use, in the order in which Postfix appends them; none where a policy has its own. */
export function exclusionsOf(
  postfix: PostfixConfiguration,
  { endpoint, service, mandatory, policy }: CipherUse,
): readonly Decider[] {
  if (policy !== null && policy.exclude !== null) return [];
  return (mandatory ? [false, true] : [false]).map((which) =>
    decide(postfix, exclusionsName(endpoint.family, which), service),
  );
}

/** Uses that one assignment, or one default, decides on. */
export interface CipherGroup {
  readonly effective: Effective;
  readonly uses: readonly { readonly use: CipherUse; readonly decider: Decider }[];
}

/**
 * Brings together what one value decides on.
 *
 * @param deciders the values of a use that are looked at
 */
export function groupedBy(
  { postfix }: CheckContext,
  uses: readonly CipherUse[],
  deciders: (postfix: PostfixConfiguration, use: CipherUse) => readonly Decider[],
): readonly CipherGroup[] {
  const groups = new Map<string, { effective: Effective; uses: { use: CipherUse; decider: Decider }[] }>();
  for (const use of uses) {
    for (const decider of deciders(postfix, use)) {
      const { effective } = decider;
      const place =
        effective.setting === null
          ? effective.name
          : `${effective.setting.at.source.path}:${effective.setting.at.span.start}`;
      const key = `${place}\0${effective.value}`;
      const group = groups.get(key) ?? { effective, uses: [] };
      groups.set(key, group);
      group.uses.push({ use, decider });
    }
  }
  return [...groups.values()];
}

/**
 * The uses of a group about which something may be said: the value is written down in these files, or is
 * the default of a release on an endpoint where TLS works.
 */
export function judgedUses(
  postfix: PostfixConfiguration,
  { uses }: CipherGroup,
): readonly { readonly use: CipherUse; readonly decider: Decider }[] {
  return uses.filter(({ use, decider }) => isJudged(postfix, use.endpoint, decider));
}

/** One report for each endpoint of some uses, the rest the same, so that they become one finding. */
export function* onEndpoints(
  uses: readonly { readonly use: CipherUse }[],
  report: Omit<Report, 'endpoint'>,
): Iterable<Report> {
  for (const endpoint of new Set(uses.map(({ use }) => use.endpoint))) yield { ...report, endpoint };
}

/** What the messages say of how a value came to count: under which names it is read, for which destinations. */
export function aboutReaders(
  uses: readonly { readonly use: CipherUse; readonly decider: Decider }[],
): Readonly<Record<string, unknown>> {
  const readAs = new Set(uses.flatMap(({ decider }) => (decider.through.length === 0 ? [] : [decider.name])));
  const keys = uses.flatMap(({ use }) => (use.policy === null ? [] : [use.policy.key]));
  return {
    readAs: readAs.size === 0 ? null : [...readAs],
    server: uses.some(({ use }) => use.endpoint.side === 'server'),
    client: uses.some(({ use }) => use.endpoint.side === 'client'),
    onlyPolicies: keys.length > 0 && keys.length === uses.length ? keys.slice(0, 3) : null,
  };
}

const FAMILIES: readonly TlsFamily[] = ['smtpd', 'smtp', 'lmtp'];

/**
 * Assignments that no endpoint of these files takes, but may all the same: of a main.cf that came without
 * its master.cf, and of a client with policies that cannot be read.
 */
export function uncounted(
  context: CheckContext,
  kind: 'grade' | 'exclusions',
  counted: readonly CipherGroup[],
): readonly PostfixSetting[] {
  const { postfix, endpoints } = context;
  const nameOf = kind === 'grade' ? gradeName : exclusionsName;
  return FAMILIES.flatMap((family) => {
    const unread = endpoints.some(
      (endpoint) =>
        endpoint.family === family && endpoint.side === 'client' && hasUnreadPolicies(postfix, endpoint),
    );
    if (postfix.master !== null && !unread) return [];
    return [false, true].flatMap((mandatory) => {
      const setting = postfix.mainSetting(nameOf(family, mandatory));
      if (setting === null || counted.some(({ effective }) => sameSetting(effective.setting, setting)))
        return [];
      return [setting];
    });
  });
}
