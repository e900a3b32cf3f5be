import type { Effective, PostfixConfiguration, PostfixSetting } from '../../postfix/configuration.ts';
import { listWords } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { proposeOptionRemoval, proposeRemoval, proposeValue } from '../../postfix/proposals.ts';
import type { Service } from '../../postfix/services.ts';
import type { Argument } from '../../postfix/syntax/tree.ts';
import type { Check, CheckContext, ProposedFix, Report } from '../check.ts';
import { isMisread, isTemplated } from './misread-lines.ts';
import { isDaemon, usesParameter } from './programs.ts';
import { authOffer } from './smtpd-auth.ts';

/**
 * What was switched on to look for a fault, and stayed on. Sources: tls_misc.c (tls_log_mask), smtpd.c and
 * smtp_chat.c (lines logged with -v), debug_peer.c, debug_process.c, smtpd_check.c (soft_bounce).
 */

/** An assignment that counts where it stands, and that no template engine and no slip of the pen changes. */
function counts(postfix: PostfixConfiguration, setting: PostfixSetting): boolean {
  if (isTemplated(setting.value) || isMisread(postfix, setting)) return false;
  const parameter = postfix.parameter(setting.name);
  if (parameter === null) return false;
  return setting.kind === 'main' || usesParameter(postfix, setting.service, parameter) !== false;
}

const softBounce: Check = function* ({ postfix }) {
  for (const setting of postfix.settings()) {
    if (setting.name !== 'soft_bounce' || !counts(postfix, setting)) continue;
    const service = setting.kind === 'override' ? setting.service : null;
    const of = postfix.get(setting.name, service);
    if (of.value.toLowerCase() !== 'yes') continue;
    yield {
      at: setting.at,
      of,
      expected: 'no',
      data: { service: service?.id ?? '' },
      fix: { title: 'set soft_bounce to no', ...proposeValue(postfix, setting, 'no') },
    };
  }
};

/** What a log level writes that 1 does not; the words came with 2.9, 5 to 9 are 4. */
const LEVELS: readonly (readonly [message: string, words: ReadonlySet<string>])[] = [
  ['content', new Set(['4', '5', '6', '7', '8', '9', 'ssl-developer', 'ssl-session-packet-dump'])],
  ['handshake', new Set(['3', 'ssl-expert', 'ssl-handshake-packet-dump'])],
  ['debug', new Set(['2', 'debug', 'ssl-debug'])],
];

const tlsLogging: Check = function* ({ postfix, endpoints }) {
  for (const endpoint of endpoints) {
    if (endpoint.tls.mode === 'none') continue;
    const of = logLevel(postfix, endpoint);
    const { setting } = of;
    if (setting === null || !counts(postfix, setting)) continue;
    const words = listWords(of.value.toLowerCase());
    const message = LEVELS.find(([, known]) => words.some((word) => known.has(word)))?.[0];
    if (message === undefined) continue;
    yield {
      message,
      at: setting.at,
      of,
      endpoint,
      expected: '1',
      data: { client: endpoint.side === 'client' },
      fix: { title: `set ${of.name} to 1`, ...proposeValue(postfix, setting, '1') },
    };
  }
};

/** tlsproxy, which speaks TLS for postscreen, takes its level from smtpd's. */
function logLevel(postfix: PostfixConfiguration, { family, service }: PostfixEndpoint): Effective {
  const own = postfix.get(`${family}_tls_loglevel`, service);
  return family === 'tlsproxy' && own.setting === null ? postfix.get('smtpd_tls_loglevel', service) : own;
}

const PEERS = 'debug_peer_list';
const DEBUGGER = 'debugger_command';

const debugLeftOn: Check = function* (context) {
  yield* verboseServices(context);
  yield* debugPeers(context);
};

/** `-v` logs what a program does and hears; `-D` starts a debugger on each process. */
function* verboseServices(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const service of postfix.services) {
    if (service.entry === null || !isDaemon(service.program) || isTemplated(service.entry.line.text))
      continue;
    const options = service.entry.arguments.filter(isOption);
    yield* optionReport(context, service, options, 'v');
    yield* optionReport(context, service, options, 'D');
  }
}

function isOption(argument: NonNullable<Service['entry']>['arguments'][number]): argument is Argument & {
  readonly reached: boolean;
} {
  return argument.kind === 'option' && argument.reached && /^-[vD]+$/.test(argument.text);
}

function* optionReport(
  { postfix, endpoints }: CheckContext,
  service: Service,
  all: readonly Argument[],
  letter: 'v' | 'D',
): Iterable<Report> {
  const options = all.filter(({ text }) => text.includes(letter));
  const [first] = options;
  const source = postfix.master?.source;
  if (first === undefined || source === undefined) return;
  const endpoint = endpoints.find((one) => one.service === service) ?? null;
  const command = postfix.get(DEBUGGER, service);
  const message =
    letter === 'v'
      ? logsPasswords(postfix, endpoint)
        ? 'passwords'
        : 'verbose'
      : command.value === ''
        ? 'no-debugger'
        : 'debugger';
  yield {
    message,
    at: { source, span: first.span },
    endpoint,
    actual: first.text,
    data: { service: service.id, program: service.program },
    related:
      message === 'debugger' && command.setting !== null
        ? [{ at: command.setting.at, message: `${DEBUGGER} is run on each process` }]
        : [],
    fix: withoutOptions(postfix, service, options),
  };
}

function withoutOptions(
  postfix: PostfixConfiguration,
  service: Service,
  options: readonly Argument[],
): ProposedFix {
  return {
    title: `take ${options[0]?.text ?? ''} from ${service.id} in master.cf`,
    ...proposeOptionRemoval(postfix, service, options),
  };
}

/** smtpd and smtp log each command that they get or send, the answer to AUTH among them. */
function logsPasswords(postfix: PostfixConfiguration, endpoint: PostfixEndpoint | null): boolean {
  if (endpoint === null) return false;
  if (endpoint.side === 'client') return endpoint.sasl;
  const { beforeTls, afterTls } = authOffer(postfix, endpoint);
  return beforeTls || afterTls;
}

function* debugPeers({ postfix }: CheckContext): Iterable<Report> {
  for (const setting of postfix.settings()) {
    if (setting.name !== PEERS || !counts(postfix, setting)) continue;
    const of = postfix.get(PEERS, setting.kind === 'override' ? setting.service : null);
    if (of.value === '') continue;
    yield {
      message: 'peers',
      at: setting.at,
      of,
      fix: { title: `remove ${PEERS}`, ...proposeRemoval(postfix, setting) },
    };
  }
}

/** Checks of what was left on after a search for a fault, by the name that rule files call. */
export const leftoverChecks: Readonly<Record<string, Check>> = {
  'postfix/soft-bounce': softBounce,
  'postfix/tls-logging': tlsLogging,
  'postfix/debug-left-on': debugLeftOn,
};
