import type { Impact, Parties, Party, PartyKind, Share } from '../../logs/impact/impact.ts';
import type { Kept } from '../../logs/impact/keep.ts';
import { VERDICTS, type Verdict, type Why } from '../../logs/impact/verdict.ts';
import { andList } from '../../rules/messages.ts';
import { jsonText } from '../json.ts';
import type { Palette } from '../palette.ts';
import { shownText } from '../words.ts';

/** What an impact is the impact of, and how much of it is shown. */
export interface ImpactFrame {
  /** What makes the change, as the subject of a sentence: `strict`, `the diff`. */
  readonly change: string;
  /** By what the sessions are judged, in a sentence of its own. */
  readonly basis: string;
  /** Name users, and list everybody. */
  readonly names: boolean;
}

/** Parties that a text lists of each kind and verdict where it is not asked for all. */
const MOST_LISTED = 10;

/** Names in the sentence. */
const MOST_NAMED = 3;

/** Domains shown beside a host. */
const MOST_DOMAINS = 3;

const NOUNS: Readonly<Record<PartyKind, readonly [one: string, many: string]>> = {
  senders: ['sender', 'senders'],
  users: ['user', 'users'],
  servers: ['server', 'servers'],
  visitors: ['visitor', 'visitors'],
};

const TITLES: Readonly<Record<PartyKind, string>> = {
  senders: 'Senders, who bring mail',
  users: 'Users, who log in',
  servers: 'Servers, to which mail goes',
  visitors: 'Visitors of the ports for users, who do not log in',
};

const LABELS: Readonly<Record<Verdict, string>> = {
  lost: 'lost',
  risk: 'at risk',
  untold: 'not told by the log',
  another: 'TLS, another protocol or suite',
  unaffected: 'unaffected',
};

const WHYS: Readonly<Record<Why, string>> = {
  stays: 'stays as it is',
  'may-change': 'stays, and something else may be chosen',
  seen: 'goes away, and the same peer was seen with what stays',
  'on-offer': 'goes away, and what stays was on offer and was not taken',
  goes: 'goes away, and the log does not tell what else is possible',
  'new-protocol': 'stays, and a newer protocol comes up, for which the peer may have no suite',
  'no-tls': 'there is no TLS any more',
  mode: 'TLS begins in another way',
  'key-exchange': 'stays, and other parameters are used for the exchange of keys',
  'clear-on-offer': 'TLS was on offer and was not taken, and is demanded',
  clear: 'TLS is demanded',
  'no-login': 'nobody can log in there any more',
  mechanism: 'the mechanism of the login goes away',
  'clear-login': 'nobody can log in without TLS any more',
  'not-told': 'the log does not tell which protocol and suite',
  'no-service': 'the files have no service of this name',
  several: 'several services write under this name, and it is not the same at all of them',
};

/**
 * What a change comes to, in few sentences: who surely loses, who perhaps does, and of whom the log does not tell.
 * Visitors are left out: nobody waits for their mail.
 */
export function impactSentence(impact: Impact, { change, names }: ImpactFrame): string {
  const kinds = impact.kinds.filter(({ kind, parties }) => kind !== 'visitors' && parties > 0);
  if (kinds.length === 0) return 'The log tells of nobody whom a change could concern.';
  const clauses = kinds.flatMap((parties) => lossClauses(parties, names));
  const of = (verdict: Verdict): string[] =>
    kinds.flatMap(({ kind, verdicts }) =>
      verdicts[verdict].parties === 0 ? [] : [counted(verdicts[verdict].parties, kind)],
    );
  const risk = of('risk');
  const untold = of('untold');
  return [
    `${change} would ${clauses.length === 0 ? 'cut off nobody for sure' : clauses.join('; ')}.`,
    ...(risk.length === 0
      ? []
      : [`At risk: ${andList(risk)}, of whom the log does not tell whether they can do what stays.`]),
    ...(untold.length === 0
      ? []
      : [`Not known: ${andList(untold)}, of whom the log does not tell what they use.`]),
  ].join(' ');
}

/**
 * The losses of one kind: those who lose TLS and whose mail may go in the clear instead, of those who have it;
 * and those who are shut out, of all.
 */
function lossClauses(parties: Parties, names: boolean): string[] {
  const { kind, secure } = parties;
  const lost = parties.concerned.filter(({ verdict }) => verdict === 'lost');
  const open = lost.filter(({ mayClear }) => mayClear && kind !== 'users');
  const shut = lost.filter((party) => !open.includes(party));
  const clauses: string[] = [];
  const mail = kind === 'servers' ? 'mail to ' : '';
  if (open.length > 0)
    clauses.push(`leave ${mail}${losers(open, kind, secure)} without TLS${nameList(open, kind, names)}`);
  if (shut.length > 0)
    clauses.push(
      `${mail === '' ? 'shut out' : 'stop mail to'} ${losers(shut, kind, parties)}${nameList(shut, kind, names)}`,
    );
  // Where some are at risk, nobody can say that none loses.
  if (clauses.length > 0 || parties.verdicts.risk.parties + parties.verdicts.untold.parties > 0)
    return clauses;
  if (kind === 'users') return [`shut out none of ${counted(parties.parties, kind)}`];
  return secure.parties === 0 ? [] : [`leave ${mail}none of ${counted(secure.parties, kind)} without TLS`];
}

/**
 * What was given up so that a share of the peers keeps what it has, and for whom, a sentence each.
 *
 * @param wanted the share as it was asked for: `99.5%`
 */
export function keptSentences({ thresholds, givenUp, missed }: Kept, wanted: string): string[] {
  if (thresholds === null) return [`Nothing has to be given up to keep ${wanted} of the peers.`];
  return [
    ...givenUp.map(({ threshold, asked, chosen, parties }) => {
      const what =
        chosen !== null
          ? `${threshold} is ${chosen} and not ${asked}`
          : threshold.startsWith('forbiddenCiphers')
            ? `${threshold} leaves ${asked} out`
            : `${threshold} is not set to ${asked}, and stays as it is`;
      const whom = parties.map(
        ({ kind, all, some }) =>
          `${number(some.length)} of ${counted(all, kind)}${nameList(some, kind, false)}`,
      );
      return `To keep ${wanted} of the peers ${what}: for ${whom.join('; ')}.`;
    }),
    ...missed.map(
      (kind) =>
        `Whatever the thresholds are, less than ${wanted} of the ${NOUNS[kind][1]} surely keep what they have.`,
    ),
  ];
}

/** `3 of 1,204 senders (0.2 % of sessions)` */
function losers(
  some: readonly Party[],
  kind: PartyKind,
  all: { readonly parties: number; readonly sessions: number },
): string {
  const sessions = some.reduce((sum, { affected }) => sum + affected, 0);
  const partly = some.filter((party) => party.affected < party.sessions).length;
  const part = partly === 0 ? '' : `, ${number(partly)} in some of their sessions only`;
  return `${number(some.length)} of ${counted(all.parties, kind)} (${share(sessions, all.sessions)} of sessions${part})`;
}

function nameList(some: readonly Party[], kind: PartyKind, names: boolean): string {
  if (kind === 'users' && !names) return '';
  const shown = some.slice(0, MOST_NAMED).map((party) => `${nameOf(party)} (${number(party.affected)})`);
  const rest = some.length - shown.length;
  return `: ${rest === 0 ? andList(shown) : `${shown.join(', ')} and ${number(rest)} more`}`;
}

/** An impact for the terminal: the sentence, the figures by kind, and those concerned, the worst first. */
export function impactText(impact: Impact, frame: ImpactFrame, palette: Palette): string {
  const parts = [`${palette.strong(impactSentence(impact, frame))}\n`];
  for (const parties of impact.kinds)
    if (parties.parties > 0) parts.push(figures(parties, palette) + listed(parties, frame.names));
  parts.push(`${[frame.basis, ...remarks(impact)].join('\n')}\n`);
  return parts.join('\n');
}

function remarks({ kinds, foreign, unknownServices, refused }: Impact): string[] {
  const clear = kinds.flatMap(({ kind, parties, secure }) =>
    kind === 'visitors' || parties === secure.parties ? [] : [counted(parties - secure.parties, kind)],
  );
  return [
    ...(clear.length === 0
      ? []
      : [`The log tells of no TLS of ${andList(clear)}: what they do not have they cannot lose.`]),
    ...(foreign === 0
      ? []
      : [
          `${number(foreign)} ${foreign === 1 ? 'session is one' : 'sessions are ones'} that the files do not permit: the log is older than they are, or of another machine. Of them nothing is taken for proved.`,
        ]),
    ...(unknownServices.length === 0
      ? []
      : [`No service of the files writes under ${andList(unknownServices.map((name) => shownText(name)))}.`]),
    ...(refused === 0
      ? []
      : [
          `${number(refused)} ${refused === 1 ? 'session' : 'sessions'} whose TLS failed already ${refused === 1 ? 'is' : 'are'} left out.`,
        ]),
  ];
}

function figures({ kind, verdicts, sessions, parties }: Parties, palette: Palette): string {
  const rows = VERDICTS.filter((verdict) => verdicts[verdict].parties > 0 || verdicts[verdict].sessions > 0)
    .toReversed()
    .map((verdict) => {
      const of = verdicts[verdict];
      return {
        verdict,
        cells: [
          number(of.parties),
          share(of.parties, parties),
          number(of.sessions),
          share(of.sessions, sessions),
        ],
      };
    });
  const head = [NOUNS[kind][1], 'share', 'sessions', 'share'];
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const label = Math.max(TITLES[kind].length, ...rows.map(({ verdict }) => LABELS[verdict].length + 2)) + 2;
  const columns = (cells: readonly string[]): string =>
    cells.map((text, column) => text.padStart(widths[column] ?? 0)).join('  ');
  const lines = rows.map(({ verdict, cells }) => {
    const name = `  ${LABELS[verdict]}`.padEnd(label);
    return `${marked(verdict, name, palette)}${columns(cells)}`;
  });
  return `${palette.strong(TITLES[kind].padEnd(label))}${palette.dim(columns(head))}\n${lines.join('\n')}\n`;
}

function marked(verdict: Verdict, text: string, palette: Palette): string {
  if (verdict === 'lost') return palette.severity.error(text);
  return verdict === 'risk' || verdict === 'untold' ? palette.severity.warning(text) : text;
}

/** Those of a kind who lose or may lose; users without their names where those are not asked for. */
function listed({ kind, concerned }: Parties, names: boolean): string {
  const lines: string[] = [];
  for (const verdict of VERDICTS) {
    if (verdict === 'unaffected' || (verdict === 'another' && !names)) continue;
    const some = concerned.filter((party) => party.verdict === verdict);
    if (some.length === 0) continue;
    const shown = names ? some : some.slice(0, MOST_LISTED);
    lines.push(`\n  ${capital(LABELS[verdict])}:`);
    if (kind === 'users' && !names) {
      lines.push(...anonymous(some, verdict));
      continue;
    }
    for (const party of shown) {
      lines.push(`    ${nameOf(party)}${domainText(party)}`);
      for (const one of party.shares)
        if (one.verdict === verdict) lines.push(`      ${number(one.sessions)} × ${shareText(one)}`);
      if (party.affected < party.sessions) lines.push(`      of ${number(party.sessions)} sessions in all`);
    }
    if (some.length > shown.length)
      lines.push(`    and ${number(some.length - shown.length)} more: --peers names all`);
  }
  return lines.length === 0 ? '' : `${lines.join('\n').slice(0)}\n`;
}

/** What users have in common, without telling who they are. */
function anonymous(users: readonly Party[], verdict: Verdict): string[] {
  const groups = new Map<string, { users: number; sessions: number }>();
  for (const { shares } of users) {
    for (const text of new Set(shares.filter((one) => one.verdict === verdict).map(shareText))) {
      const sum = groups.get(text) ?? { users: 0, sessions: 0 };
      sum.users++;
      for (const one of shares)
        if (one.verdict === verdict && shareText(one) === text) sum.sessions += one.sessions;
      groups.set(text, sum);
    }
  }
  const inOrder = [...groups].sort(([, a], [, b]) => b.users - a.users || b.sessions - a.sessions);
  const lines = inOrder
    .slice(0, MOST_LISTED)
    .map(([text, sum]) => `    ${counted(sum.users, 'users')}, ${number(sum.sessions)} × ${text}`);
  if (inOrder.length > MOST_LISTED) lines.push(`    and ${number(inOrder.length - MOST_LISTED)} more kinds`);
  return [...lines, '    --peers names them'];
}

/** `TLSv1 ECDHE-RSA-AES256-SHA at smtpd: goes away, …` */
function shareText({ state, protocol, cipher, service, login, why }: Share): string {
  const used =
    state === 'plaintext'
      ? 'in the clear'
      : state === 'untold'
        ? 'TLS or not'
        : protocol === null
          ? 'TLS'
          : `${shownText(protocol)} ${shownText(cipher ?? '')}`;
  const by = login === null ? '' : `, login by ${shownText(login)}`;
  return `${used} at ${shownText(service)}${by}: ${WHYS[why]}`;
}

function nameOf({ name, addresses }: Party): string {
  const [first = ''] = addresses;
  const where = addresses.length > 1 ? `${addresses.length} addresses` : first;
  return name === null || name === 'unknown'
    ? `[${shownText(where)}]`
    : `${shownText(name)} [${shownText(where)}]`;
}

function domainText({ domains: { names, more } }: Party): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, MOST_DOMAINS).map((name) => shownText(name));
  const rest = names.length > MOST_DOMAINS || more ? ' and more' : '';
  return `, mail of ${shown.join(', ')}${rest}`;
}

/** The same as JSON, see docs/impact.md. Users are named only where that is asked for. */
export function impactJson(impact: Impact, frame: ImpactFrame): string {
  return `${jsonText({
    version: 1,
    impact: {
      sentence: impactSentence(impact, frame),
      basis: frame.basis,
      kinds: impact.kinds.map(({ kind, parties, sessions, secure, verdicts, concerned }) => ({
        kind,
        parties,
        sessions,
        secure,
        verdicts,
        concerned: concerned.map((party) => partyJson(party, kind === 'users' && !frame.names)),
      })),
      foreign: impact.foreign,
      unknownServices: impact.unknownServices,
      refused: impact.refused,
    },
  })}\n`;
}

function partyJson(party: Party, hidden: boolean): object {
  const { name, addresses, domains, verdict, mayClear, sessions, affected, shares } = party;
  return {
    verdict,
    mayClear,
    name: hidden ? null : name,
    addresses: hidden ? [] : addresses,
    domains: domains.names,
    moreDomains: domains.more,
    sessions,
    affected,
    shares: shares.map((one) => ({
      verdict: one.verdict,
      why: one.why,
      service: one.service,
      state: one.state,
      protocol: one.protocol,
      cipher: one.cipher,
      login: one.login,
      sessions: one.sessions,
    })),
  };
}

function counted(value: number, kind: PartyKind): string {
  const [one, many] = NOUNS[kind];
  return `${number(value)} ${value === 1 ? one : many}`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}

/** A share in per cent: never 0 for something, nor 100 for less than all. */
function share(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  const percent = (100 * part) / whole;
  if (part === whole) return '100 %';
  if (percent < 0.1) return '<0.1 %';
  return percent > 99.9 ? '>99.9 %' : `${percent.toFixed(1)} %`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
