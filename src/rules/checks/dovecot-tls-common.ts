import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import { homeOf } from '../../dovecot/places.ts';
import { type Proposal, proposeSetting } from '../../dovecot/proposals.ts';
import type { Location } from '../../text/source.ts';
import type { DovecotCheckContext } from '../check.ts';
import { dovecotHead } from '../locate.ts';
import { isAssumed, isOwn } from './dovecot-common.ts';
import { isTemplated } from './misread-lines.ts';

/** What the rules on TLS of Dovecot share: which endpoints are judged, where a finding stands, how a value is written. */

/** The listeners of a host. */
export function servers({ endpoints }: DovecotCheckContext): readonly DovecotServerEndpoint[] {
  return endpoints.filter((endpoint) => endpoint.side === 'server');
}

/** Those that speak TLS. */
export function tlsServers(context: DovecotCheckContext): readonly DovecotServerEndpoint[] {
  return servers(context).filter(({ tls }) => tls.mode !== 'none');
}

/** A line by which a template engine leaves out or repeats others. */
const CHOICE = /^[ \t]*(?:\{%|<%[-=#\s]|\{\{[#^/])/m;

/**
 * True where all files of the configuration are there, so that what they do not set has its default: not in
 * a folder that only holds some of the files, not where an include found nothing, and not where a template
 * engine chooses between lines. Distributions have a file on TLS among those that a pattern includes: where
 * nothing is said of it, only the files that somebody changed were kept.
 */
export function isWhole(context: DovecotCheckContext): boolean {
  const { host, dovecot } = context;
  const { tree } = dovecot;
  if (isAssumed(host, tree.main.source) || tree.files.some(({ source }) => CHOICE.test(source.text)))
    return false;
  const includes = tree.statements.flatMap(({ statement }) =>
    statement.kind === 'include' && !statement.optional ? [statement] : [],
  );
  if (includes.some((include) => (tree.included.get(include) ?? []).length === 0)) return false;
  if (host.input.facts === undefined && lacksOverrides(context)) return false;
  const isSplit = includes.some(({ pattern }) => pattern.includes('*'));
  return !isSplit || dovecot.settings().some(({ name }) => /^ssl(?:$|_)/.test(name));
}

/**
 * True where `!include_try FOLDER/*.conf` finds nothing away from the machine itself: that is where a host keeps
 * what the files of a repository leave open. What packages bring below /usr/share sets no TLS.
 */
function lacksOverrides({ dovecot: { tree } }: DovecotCheckContext): boolean {
  return tree.statements.some(
    ({ statement }) =>
      statement.kind === 'include' &&
      statement.optional &&
      /\*/.test(statement.pattern) &&
      !statement.pattern.startsWith('/usr/share/') &&
      (tree.included.get(statement) ?? []).length === 0,
  );
}

/**
 * True for a value that may be judged: one that a line sets, and no template engine fills, or a default of a
 * whole configuration, or of one that has at least the file where such settings stand.
 */
export function mayJudge(context: DovecotCheckContext, { value, at }: DovecotEffective): boolean {
  if (at === null) return isWhole(context) || hasOwnFile(context);
  return isOwn(context, at) && !isTemplated(value);
}

/** True where the file on TLS of the example configuration is there. */
function hasOwnFile({ dovecot: { tree } }: DovecotCheckContext): boolean {
  const name = homeOf('ssl');
  return tree.files.some(
    ({ source }) => source.path.replace(/^.*\//, '') === name && !CHOICE.test(source.text),
  );
}

/**
 * The line to show for a value: the one that decides, else the first that there is of those that bring TLS and
 * its listener into play, else the head of the configuration.
 */
export function placeOf(
  { dovecot }: DovecotCheckContext,
  of: DovecotEffective,
  { sslFrom, certificates, protocols }: DovecotServerEndpoint,
): Location {
  const kin = [of, sslFrom, ...certificates.map(({ from }) => from), protocols.from];
  return kin.find(({ at }) => at !== null)?.at ?? dovecotHead(dovecot);
}

/**
 * Gives a setting of a server's TLS another value where it decides for an endpoint.
 *
 * @returns null where the line holds references or more than one line of text
 */
export function proposeTls(
  { dovecot }: DovecotCheckContext,
  of: DovecotEffective,
  value: string,
  { context }: Pick<DovecotServerEndpoint, 'context'>,
): Proposal | null {
  const { assignment, name } = of;
  if (assignment === null) return proposeSetting(dovecot, { name, value }, context);
  if (assignment.form === 'variables' || assignment.form === 'heredoc') return null;
  const sections = dovecot.table.get('ssl_server') === null ? [] : [{ type: 'ssl_server', name: '' }];
  return proposeSetting(dovecot, { name, value, sections }, context);
}

/** Endpoints by the line that decides for them: one finding for each line, and one for the default. */
export function byLine<E extends DovecotServerEndpoint>(
  endpoints: readonly E[],
  of: (endpoint: E) => DovecotEffective,
): readonly { readonly effective: DovecotEffective; readonly endpoints: readonly [E, ...E[]] }[] {
  const groups = new Map<unknown, { effective: DovecotEffective; endpoints: [E, ...E[]] }>();
  for (const endpoint of endpoints) {
    const effective = of(endpoint);
    const key = effective.assignment?.statement ?? null;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { effective, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  return [...groups.values()];
}
