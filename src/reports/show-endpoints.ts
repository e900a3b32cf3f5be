import type { Host, PostfixHost } from '../hosts/host.ts';
import type { EndpointTls } from '../model/endpoint.ts';
import { destinationTls } from '../postfix/client-tls.ts';
import type { TlsFault } from '../postfix/endpoint-tls.ts';
import { nexthopOf, type PostfixEndpoint } from '../postfix/endpoints.ts';
import { librarySettings } from '../postfix/library-settings.ts';
import type { JudgedEndpoint } from '../rules/check.ts';
import { protocolTable, type TableFormat } from './endpoint-table.ts';
import { labelled, shownText } from './words.ts';

/** An endpoint with the TLS that it really has. */
export interface ShownEndpoint {
  readonly endpoint: JudgedEndpoint;
  /** Of a client with a policy for its destination, what the policy makes of it. */
  readonly tls: EndpointTls;
  /** Why TLS does not work; null where it does, or is off. */
  readonly fault: TlsFault | null;
  /** What is to be said of it besides, a sentence each. */
  readonly notes: readonly string[];
}

/** The endpoints of both servers. */
export function shownEndpoints({ postfix, dovecot }: Host): readonly ShownEndpoint[] {
  return [
    ...(postfix?.endpoints ?? []).map((endpoint) => shownPostfix(postfix as PostfixHost, endpoint)),
    ...(dovecot?.endpoints ?? []).map((endpoint) => ({
      endpoint,
      tls: endpoint.tls,
      fault: null,
      notes: keyNotes(endpoint.tls),
    })),
  ];
}

function shownPostfix({ configuration }: PostfixHost, endpoint: PostfixEndpoint): ShownEndpoint {
  const nexthop = nexthopOf(endpoint);
  const own = {
    endpoint,
    tls: endpoint.tls,
    fault: endpoint.fault,
    notes: [
      ...keyNotes(endpoint.tls),
      ...(endpoint.level === 'dane' && endpoint.tls.mode === 'opportunistic'
        ? ['as for a destination without TLSA records: with them, the mandatory settings count']
        : []),
      ...(endpoint.tls.mode !== 'none' && librarySettings(configuration, endpoint.service).unknown
        ? [
            'tls_config_file cannot be read here as a whole: it may change suites of TLSv1.3, protocols and groups',
          ]
        : []),
    ],
  };
  if (nexthop === null) return own;
  const details = destinationTls(configuration, endpoint, nexthop);
  const maps = `${endpoint.family}_tls_policy_maps`;
  if (details === null)
    return { ...own, notes: [`${maps} names a table that cannot be read here: it may say something else`] };
  if (details === endpoint) return own;
  return {
    endpoint,
    tls: details.tls,
    fault: details.fault,
    notes: [`${maps} has a policy for this destination: level ${details.level}`],
  };
}

function keyNotes({ keyTypes, ciphers = [] }: EndpointTls): readonly string[] {
  return keyTypes === null && ciphers.length > 0
    ? ['the certificates cannot be read here: suites for keys of RSA and ECDSA are listed']
    : [];
}

/** Protocols and suites of each endpoint that speaks TLS; endpoints that are alike stand together. */
export function tlsLines(endpoints: readonly ShownEndpoint[], format: TableFormat): string[] {
  const blocks = new Map<string, { readonly names: string[]; readonly lines: readonly string[] }>();
  for (const shown of endpoints) {
    const lines = blockLines(shown, format);
    if (lines.length === 0) continue;
    const key = lines.join('\n');
    const block = blocks.get(key) ?? { names: [], lines };
    block.names.push(shownText(shown.endpoint.id));
    blocks.set(key, block);
  }
  return [...blocks.values()].flatMap(({ names, lines }) => [
    '',
    ...labelled('', names.join(', '), 0, 0, format.width).map(format.palette.strong),
    ...lines,
  ]);
}

function blockLines({ endpoint, tls, notes }: ShownEndpoint, format: TableFormat): string[] {
  const { role, side } = endpoint;
  const lines = protocolTable({ role, side, tls }, format);
  if (lines.length === 0 && notes.length === 0) return [];
  const say = (label: string, text: string): void => {
    lines.push(...labelled(label, text, 2, 13, format.width));
  };
  if (tls.preference !== undefined) say('order', `the ${tls.preference}'s`);
  if (tls.keyTypes !== undefined && tls.keyTypes !== null)
    say('keys', tls.keyTypes.join(', ') || 'none: anonymous suites only');
  for (const note of notes) say('note', note);
  return lines;
}
