import type { Effective, PostfixSetting } from '../../postfix/configuration.ts';
import { hasCertificate } from '../../postfix/endpoint-tls.ts';
import { type PostfixEndpoint } from '../../postfix/endpoints.ts';
import { type Proposal, proposeRemoval, proposeSetting } from '../../postfix/proposals.ts';
import type { Service } from '../../postfix/services.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { originText } from '../locate.ts';
import { sameSetting } from './postfix-levels.ts';

/**
 * The switches of Postfix 2.2 that the security levels of 2.3 replaced. A level that is not empty,
 * a default included, beats them all (smtpd.c, smtp.c, postscreen.c; postfix-tls §3 and §5).
 */

/** Names of the switches, with the programs that read them. */
const SWITCHES: ReadonlyMap<string, string> = new Map(
  ['smtpd', 'postscreen', 'smtp', 'lmtp'].flatMap((program) => [
    [`${program}_use_tls`, program] as const,
    [`${program}_enforce_tls`, program] as const,
  ]),
);

const PER_SITE: ReadonlySet<string> = new Set(['smtp_tls_per_site', 'lmtp_tls_per_site']);

/** The parameters that this rule speaks for. */
export const OBSOLETE_TLS_SWITCHES: ReadonlySet<string> = new Set([...SWITCHES.keys(), ...PER_SITE]);

function* obsoleteTlsSwitch(context: CheckContext): Iterable<Report> {
  for (const setting of context.postfix.settings()) {
    if (PER_SITE.has(setting.name)) yield* perSite(context, setting);
    else if (SWITCHES.has(setting.name)) yield* oldSwitch(context, setting);
  }
}

/** What a switch does on the endpoints that read it. */
interface Effect {
  readonly decided: readonly PostfixEndpoint[];
  readonly beaten: readonly PostfixEndpoint[];
  readonly without: readonly PostfixEndpoint[];
}

function effectOf({ endpoints }: CheckContext, setting: PostfixSetting): Effect {
  const readers = endpoints.filter(({ service }) => reads(service, setting));
  const decided = readers.filter(({ levelFrom }) => sameSetting(levelFrom.setting, setting));
  const beaten = readers.filter(({ levelFrom }) => beats(levelFrom));
  return {
    decided,
    beaten,
    without: readers.filter((endpoint) => !decided.includes(endpoint) && !beaten.includes(endpoint)),
  };
}

/** Whether an assignment is the one that a service would use. */
function reads(service: Service, setting: PostfixSetting): boolean {
  if (service.assumed || service.program !== SWITCHES.get(setting.name)) return false;
  return setting.kind === 'override'
    ? service.id === setting.service.id
    : !service.overrides.has(setting.name);
}

/** A level that is not empty, or wrappermode, decides whatever the switches say. */
function beats({ name, value }: Effective): boolean {
  return name.endsWith('_tls_wrappermode') || (name.endsWith('_tls_security_level') && value !== '');
}

function* oldSwitch(context: CheckContext, setting: PostfixSetting): Iterable<Report> {
  const of = context.postfix.get(setting.name, setting.kind === 'override' ? setting.service : null);
  // Any other word stops the program, and another rule says so.
  if (!/^(?:yes|no)$/i.test(of.value)) return;
  const effect = effectOf(context, setting);
  const level = levelParameter(setting.name);
  const common = { at: setting.at, of };
  let fix: ProposedFix | null = switchFix(context, setting, effect);
  for (const endpoint of effect.decided) {
    yield { ...common, endpoint, message: 'decides', expected: endpoint.level, data: { level }, fix };
    fix = null;
  }
  if (effect.decided.length > 0) return;
  const winners = new Map(effect.beaten.map(({ levelFrom }) => [winnerText(levelFrom), levelFrom]));
  const related = [...winners.values()].flatMap(({ name, setting: winner }) =>
    winner === null ? [] : [{ at: winner.at, message: `${name} decides` }],
  );
  for (const endpoint of effect.beaten) {
    const data = { winner: [...winners.keys()][0], more: winners.size - 1, level };
    yield { ...common, endpoint, message: 'beaten', data, related, fix };
    fix = null;
  }
  if (effect.beaten.length > 0) return;
  yield { ...common, endpoint: effect.without[0] ?? null, message: 'idle', data: { level }, fix };
}

function winnerText(from: Effective): string {
  return `${from.name} = ${from.value} (${originText(from)})`;
}

function levelParameter(name: string): string {
  return name.replace(/_(?:use|enforce)_tls$/, '_tls_security_level');
}

/** Takes a switch away, and gives the level that it stood for where nothing else would. */
function switchFix(context: CheckContext, setting: PostfixSetting, effect: Effect): ProposedFix {
  const { postfix } = context;
  const level = levelParameter(setting.name);
  const proposals: Proposal[] = [proposeRemoval(postfix, setting)];
  let title = `remove ${setting.name}`;
  const [decided] = effect.decided;
  if (decided !== undefined) {
    title = `replace ${setting.name} by ${level} = ${decided.level}`;
    proposals.push(...levelInstead(context, setting, level, decided.level));
  } else if (unread(context, setting)) {
    const meant = setting.name.endsWith('_enforce_tls') ? 'encrypt' : 'may';
    title = `replace ${setting.name} by ${level} = ${meant}`;
    proposals.push(proposeSetting(postfix, level, meant, [], 'main', [setting.name]));
  } else if (meantMore(context, setting, effect)) {
    title = `replace ${setting.name} by ${level} = encrypt`;
    const services = effect.beaten.map(({ service }) => service);
    proposals.push(proposeSetting(postfix, level, 'encrypt', services, 'service'));
  }
  return {
    title,
    edits: proposals.flatMap(({ edits }) => edits),
    writes: proposals.flatMap(({ writes }) => writes),
  };
}

/** On in main.cf, where no service runs that would read it, and no level stands beside it: the owner's wish is kept. */
function unread({ postfix }: CheckContext, setting: PostfixSetting): boolean {
  return (
    setting.kind === 'main' &&
    /^yes$/i.test(setting.value) &&
    !postfix.services.some(({ program }) => program === SWITCHES.get(setting.name)) &&
    postfix.value(levelParameter(setting.name)) === ''
  );
}

/** A submission service that was told to enforce TLS, in vain. */
function meantMore({ postfix }: CheckContext, setting: PostfixSetting, { beaten }: Effect): boolean {
  return (
    setting.kind === 'override' &&
    setting.name === 'smtpd_enforce_tls' &&
    /^yes$/i.test(setting.value) &&
    // Without a certificate the stronger level would shut everybody out.
    beaten.some(
      ({ role, tls, fault, service }) =>
        role === 'submission' &&
        tls.mode !== 'required' &&
        fault === null &&
        hasCertificate(postfix, service, 'smtpd'),
    )
  );
}

/**
 * The level in the place of the switch. In main.cf it would also beat the switches that other services
 * have as overrides: those get the level that they have now.
 */
function levelInstead(
  context: CheckContext,
  setting: PostfixSetting,
  level: string,
  value: string,
): Proposal[] {
  const { postfix, endpoints } = context;
  if (setting.kind === 'override')
    return [proposeSetting(postfix, level, value, [setting.service], 'service')];
  const proposals = [proposeSetting(postfix, level, value, [], 'main', [setting.name])];
  const program = SWITCHES.get(setting.name);
  const others = endpoints.filter(
    ({ service, levelFrom, level: now }) =>
      service.program === program &&
      service.entry !== null &&
      !service.overrides.has(level) &&
      !levelFrom.name.endsWith('_tls_wrappermode') &&
      now !== value,
  );
  for (const other of others) {
    proposals.push(proposeSetting(postfix, level, other.level, [other.service], 'service'));
  }
  return proposals;
}

function* perSite({ postfix, endpoints }: CheckContext, setting: PostfixSetting): Iterable<Report> {
  const service = setting.kind === 'override' ? setting.service : null;
  const of = postfix.get(setting.name, service);
  if (of.value === '') return;
  const instead = setting.name.replace('per_site', 'policy_maps');
  const maps = postfix.get(instead, service);
  const program = setting.name.replace('_tls_per_site', '');
  const endpoint = endpoints.find(
    (one) => one.service.program === program && (service === null || one.service.id === service.id),
  );
  const ignored = maps.value !== '';
  yield {
    at: setting.at,
    of,
    endpoint: endpoint ?? null,
    message: ignored ? 'per-site-ignored' : 'per-site',
    data: { instead },
    related: ignored && maps.setting !== null ? [{ at: maps.setting.at, message: `${instead} decides` }] : [],
    fix: ignored ? { title: `remove ${setting.name}`, ...proposeRemoval(postfix, setting) } : null,
  };
}

/** Checks of what the security levels replaced. */
export const tlsSwitchChecks: Readonly<Record<string, Check>> = {
  'postfix/obsolete-tls-switch': obsoleteTlsSwitch,
};
