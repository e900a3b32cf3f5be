import type { DovecotAssignment } from '../../dovecot/assignment.ts';
import { proposeSetting, proposeValue } from '../../dovecot/proposals.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { isOwn } from './dovecot-common.ts';
import { withValues } from './dovecot-sockets.ts';

/** A setting that is a limit while it is not 0, and the value that puts it back. */
interface Limit {
  readonly message: string;
  /** What switches the limit off. */
  readonly off: RegExp;
  readonly value: string;
}

/** Defaults of the releases; of first_valid_uid only so much that root is left out, since mail may belong to any other. */
const LIMITS: ReadonlyMap<string, Limit> = new Map([
  ['mail_max_userip_connections', { message: 'connections', off: /^0+$/, value: '10' }],
  [
    'auth_failure_delay',
    {
      message: 'delay',
      off: /^0+\s*(?:m?secs?|milliseconds?|[smhdw]|mins?|hours?|days?|weeks?)?$/,
      value: '2 secs',
    },
  ],
  ['first_valid_uid', { message: 'root', off: /^0+$/, value: '1' }],
]);

/** Protocols that nobody logs in to. */
const WITHOUT_LOGIN: ReadonlySet<string> = new Set(['lda', 'lmtp', 'doveadm']);

const PENALTY = 'anvil-auth-penalty';

function* loginLimits(context: DovecotCheckContext): Iterable<Report> {
  yield* switchedOff(context);
  const listener = context.dovecot
    .services()
    .find(({ name }) => name === 'anvil')
    ?.listeners.find(({ name }) => name === PENALTY);
  const mode = listener?.get('mode');
  if (listener === undefined || mode === undefined || mode.at === null || !isOwn(context, mode.at)) return;
  if (!/^0+$/.test(mode.value)) return;
  const fix = withValues(context, { service: { name: 'anvil' }, listener }, { mode: '0600' });
  yield {
    message: 'penalty',
    at: mode.at,
    setting: 'mode',
    actual: mode.value,
    expected: '0600',
    // Behind a proxy that does not tell addresses the penalty would hit everybody.
    fix: fix && { ...fix, safe: false },
  };
}

function* switchedOff(context: DovecotCheckContext): Iterable<Report> {
  const dead = new Set(context.dovecot.deadSettings().map((pair) => pair.dead));
  for (const assignment of context.dovecot.settings()) {
    const { name, value, at, scope } = assignment;
    const limit = LIMITS.get(name);
    if (limit === undefined || value === null || !limit.off.test(value.trim())) continue;
    if (dead.has(assignment) || WITHOUT_LOGIN.has(scope.filter.protocol ?? '') || !isOwn(context, at))
      continue;
    yield {
      message: limit.message,
      at,
      setting: name,
      actual: value,
      expected: limit.value,
      fix: limitFix(context, assignment, limit.value),
    };
  }
}

function limitFix(
  { dovecot }: DovecotCheckContext,
  assignment: DovecotAssignment,
  value: string,
): ProposedFix | null {
  const { name, scope } = assignment;
  const proposal =
    scope.kind === 'root'
      ? proposeSetting(dovecot, { name, value })
      : proposeValue(dovecot, assignment, value);
  return proposal === null ? null : { title: `set ${name} to ${value}`, ...proposal };
}

/** Checks of what slows down whoever tries passwords, by the name that rule files call. */
export const dovecotLimitChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/login-limits': loginLimits,
};
