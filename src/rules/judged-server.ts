import { replaceValue } from '../dovecot/edits.ts';
import type { DovecotContext, DovecotEffective, SectionRef } from '../dovecot/effective.ts';
import type { DovecotEndpoint } from '../dovecot/endpoints.ts';
import { isFilterType } from '../dovecot/filter.ts';
import {
  proposeRemoval as proposeDovecotRemoval,
  proposeSetting as proposeDovecotSetting,
  proposeValue,
} from '../dovecot/proposals.ts';
import { checkValue, isCheckedType } from '../dovecot/values.ts';
import { hasMark } from '../hosts/renderings.ts';
import type { EffectiveValue } from '../model/setting.ts';
import type { Effective, PostfixConfiguration } from '../postfix/configuration.ts';
import type { PostfixEndpoint } from '../postfix/endpoints.ts';
import { proposeRemoval, proposeSetting, type Scope } from '../postfix/proposals.ts';
import { type Service, serviceLocation } from '../postfix/services.ts';
import { defaultTimeUnit, readBool, readTime } from '../postfix/values.ts';
import type { Location } from '../text/source.ts';
import type { CheckContext, DovecotCheckContext, JudgedEndpoint, ProposedFix } from './check.ts';
import { isOwn } from './checks/dovecot-common.ts';
import { type ConditionEndpoint, type ConditionServer, type Decided, listed } from './condition.ts';
import { decidingPlace, dovecotHead, dovecotPlace, headOf } from './locate.ts';
import { andList } from './messages.ts';

/** Where a setting counts: at an endpoint, in a service or section by name, or for the server as a whole. */
export interface Spot<E> {
  readonly endpoint: E | null;
  /** As `in` of a condition. */
  readonly within: string | undefined;
}

/** One server of a host as rules without code look at it: what `when` and `fix` of a rule file need. */
export interface JudgedServer<E extends JudgedEndpoint & ConditionEndpoint, V extends EffectiveValue>
  extends ConditionServer<E, V> {
  /** The line that decides on a value, or what to show for a default. */
  readonly placeOf: (value: V, spot: Spot<E>) => Location;
  /** Where an endpoint is opened. */
  readonly placeOfEndpoint: (endpoint: E) => Location;
  /** Where to show what concerns the server as a whole. */
  readonly head: () => Location;
  /** The value as it is written, references and all. */
  readonly written: (value: V) => string;
  /**
   * The fix that gives a setting a value; null where it cannot be written.
   *
   * @param scope where a setting goes that no line of the spot has yet
   */
  readonly set: (name: string, value: string, spot: Spot<E>, scope: Scope) => ProposedFix | null;
  /** The fix that removes what decides on a setting; null where nothing is set. */
  readonly remove: (name: string, spot: Spot<E>) => ProposedFix | null;
}

/** Postfix as rules without code look at it. */
export function judgedPostfix({ postfix, endpoints, profile }: CheckContext) {
  const serviceOf = ({ endpoint, within }: Spot<PostfixEndpoint>): Service | null =>
    within === undefined
      ? (endpoint?.service ?? null)
      : (postfix.services.find(({ id }) => id === within) ?? null);
  // A file that is not there may set what no line sets here.
  const isSettled = ({ name, setting }: Effective): boolean =>
    setting !== null || (postfix.main !== null && postfix.parameter(name) !== null);
  // Defaults such as those of myhostname and mynetworks are worked out on the machine.
  const isComputed = (value: string): boolean =>
    [...value.matchAll(/\$\{?(\w+)/g)].some(([, name = '']) => postfix.parameter(name)?.default === null);
  const isWritten = (effective: Effective): boolean => {
    const { raw, value, setting, expansion } = effective;
    if (setting === null && postfix.main === null) return false;
    return (
      !isComputed(value) &&
      !hasMark(raw + value) &&
      !expansion.failed &&
      expansion.problems.every(({ code }) => code !== 'undefined')
    );
  };
  const decides = (endpoint: PostfixEndpoint, what: Decided): Effective | null => {
    if (what === 'mode') return endpoint.levelFrom;
    if (what === 'protocols') return endpoint.protocolsFrom;
    if (what === 'ciphers') return endpoint.cipherSettings.listFrom ?? endpoint.cipherSettings.gradeFrom;
    return endpoint.family === 'smtpd' ? postfix.get('smtpd_tls_auth_only', endpoint.service) : null;
  };
  return {
    release: postfix.release,
    openssl: postfix.openssl.version,
    thresholds: profile.thresholds,
    // One that only stands for a service that a missing master.cf may have is no endpoint of the host.
    endpoints: endpoints.filter(({ service }) => !service.assumed),
    get(name, endpoint, within) {
      const service = serviceOf({ endpoint, within });
      return within !== undefined && service === null ? null : postfix.get(name, service);
    },
    isSettled,
    isKnown: (value) => isSettled(value) && isWritten(value),
    words: ({ value }) => listed(value).map((word) => word.replace(/^\{+|\}+$/g, '')),
    sameForm(value, text) {
      const type = postfix.parameter(value.name)?.type;
      const word = type === 'bool' ? readBool(text) : null;
      if (word !== null) return word ? 'yes' : 'no';
      const number = type === 'time' || type === 'int' ? postfixQuantity(postfix, value.name, text) : null;
      return number === null ? listed(text.toLowerCase()).join(' ') : String(number);
    },
    quantity: ({ name }, text) => postfixQuantity(postfix, name, text),
    decides,
    isCertain: (endpoint, what) =>
      [endpoint.levelFrom, decides(endpoint, what)].every((value) => value === null || isWritten(value)),
    placeOf: (value, spot) => decidingPlace(postfix, value, serviceOf(spot)),
    placeOfEndpoint: ({ listener }) => serviceLocation(postfix.master, listener) ?? headOf(postfix),
    head: () => headOf(postfix),
    written: ({ raw }) => raw,
    set(name, value, spot, scope) {
      const service = serviceOf(spot);
      const services = service === null ? [] : [service];
      const proposal = proposeSetting(
        postfix,
        name,
        value,
        services,
        spot.within === undefined ? scope : 'service',
      );
      return { title: titleOf(name, value, spot), ...proposal };
    },
    remove(name, spot) {
      const setting = postfix.setting(name, serviceOf(spot));
      return setting === null
        ? null
        : { title: titleOf(name, null, spot), ...proposeRemoval(postfix, setting) };
    },
  } satisfies JudgedServer<PostfixEndpoint, Effective>;
}

/** What a fix does, in the imperative. */
function titleOf(name: string, value: string | null, { within }: Spot<unknown>): string {
  const where = within === undefined ? '' : ` in ${within}`;
  if (value === null) return `remove ${name}${where}`;
  return `set ${name}${where} to ${value === '' ? 'nothing' : value}`;
}

/** A number, the seconds of a time; a size may be written with k, M or G, which Postfix itself does not know. */
function postfixQuantity(postfix: PostfixConfiguration, name: string, text: string): number | null {
  const parameter = postfix.parameter(name);
  if (parameter?.type === 'time') return readTime(text, defaultTimeUnit(parameter) ?? 's', postfix.release);
  const [, digits, unit = ''] = /^\s*([+-]?\d+)([kMG]?)$/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits) * 1024 ** ' kMG'.indexOf(unit || ' ');
}

/** Dovecot as rules without code look at it. */
export function judgedDovecot(context: DovecotCheckContext) {
  const { host, dovecot, endpoints, profile } = context;
  const isWhole = host.input.dovecot?.mainAssumed !== true;
  const contextOf = ({ endpoint, within }: Spot<DovecotEndpoint>): DovecotContext =>
    within === undefined ? (endpoint?.context ?? {}) : contextWithin(within);
  const isWritten = ({ assignment, at, value }: DovecotEffective): boolean =>
    at === null ? isWhole : isOwn(context, at) && assignment?.value !== null && !hasMark(value);
  const read = ({ setting }: DovecotEffective, text: string) =>
    setting !== null && isCheckedType(setting.type)
      ? checkValue(setting.type, text, setting.values, dovecot.release)
      : null;
  const decides = (endpoint: DovecotEndpoint, what: Decided): DovecotEffective => {
    if (what === 'protocols') return endpoint.protocolsFrom;
    if (what === 'ciphers') return endpoint.cipherListFrom;
    if (endpoint.side === 'client') return endpoint.modeFrom;
    return what === 'mode' ? endpoint.sslFrom : endpoint.cleartextFrom;
  };
  return {
    release: dovecot.release,
    openssl: host.releases.openssl.version,
    thresholds: profile.thresholds,
    endpoints,
    get: (name, endpoint, within) => dovecot.get(name, contextOf({ endpoint, within })),
    isSettled: ({ assignment, at, setting }) =>
      at === null ? isWhole && setting !== null : assignment !== null || setting !== null,
    isKnown: (value) => isWritten(value) && (value.setting !== null || value.assignment !== null),
    words: ({ words, value }) => words ?? listed(value),
    sameForm(value, text) {
      const found = read(value, text);
      return found?.ok === true ? found.text : listed(text.toLowerCase()).join(' ');
    },
    quantity(value, text) {
      const found = read(value, text);
      return found?.ok === true && found.number !== null ? Number(found.number) : null;
    },
    decides,
    isCertain: (endpoint, what) =>
      [decides(endpoint, 'mode'), decides(endpoint, what)].every((value) => isWritten(value)),
    placeOf: (value) => dovecotPlace(dovecot, value),
    placeOfEndpoint: (endpoint) =>
      endpoint.side === 'client'
        ? dovecotPlace(dovecot, endpoint.hostFrom)
        : (endpoint.listener.openings[0] ?? dovecotHead(dovecot)),
    head: () => dovecotHead(dovecot),
    written: ({ assignment, value }) =>
      assignment?.form === 'variables' ? assignment.statement.value : value,
    set(name, value, spot) {
      const title = titleOf(name, value, spot);
      const { assignment } = dovecot.get(name, contextOf(spot));
      if (assignment?.form === 'variables' && value.includes('$')) {
        // In quotes, as a new value would be written, a reference is no reference.
        const { writes } = proposeValue(dovecot, assignment, value);
        return { title, edits: replaceValue(assignment.file, assignment.statement, value), writes };
      }
      const sections = spot.within === undefined ? [] : sectionsOf(spot.within);
      const wanted = { name, value, ...(sections.length === 0 ? {} : { sections }) };
      const proposal = proposeDovecotSetting(dovecot, wanted, spot.endpoint?.context ?? {});
      return proposal === null ? null : { title, ...proposal };
    },
    remove(name, spot) {
      const { assignment } = dovecot.get(name, contextOf(spot));
      return assignment === null
        ? null
        : { title: titleOf(name, null, spot), ...proposeDovecotRemoval(assignment) };
    },
  } satisfies JudgedServer<DovecotEndpoint, DovecotEffective>;
}

/** `protocol imap`, `service imap-login > inet_listener imap`, `plugin`: the sections, outermost first. */
function sectionsOf(within: string): SectionRef[] {
  return within.split('>').map((part) => {
    const [type = '', ...name] = listed(part);
    return { type, name: name.join(' ') };
  });
}

/** The connection and the sections for which a value is asked. */
function contextWithin(within: string): DovecotContext {
  const refs = sectionsOf(within);
  const named = (type: string): string | undefined => refs.find((ref) => ref.type === type)?.name;
  const sections = refs.filter(({ type }) => !isFilterType(type));
  // Any address of a network stands for it.
  const address = (type: string): string | undefined => named(type)?.replace(/\/.*$/, '');
  return {
    protocol: named('protocol'),
    localName: named('local_name'),
    localIp: address('local'),
    remoteIp: address('remote'),
    ...(sections.length === 0 ? {} : { sections }),
  };
}

/** Several fixes as one: all their edits are made together. */
export function joinedFix(parts: readonly ProposedFix[]): ProposedFix {
  return {
    title: andList(parts.map(({ title }) => title)),
    edits: parts.flatMap(({ edits }) => edits),
    writes: parts.flatMap(({ writes }) => writes),
  };
}
