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
  /** Null where only the admin knows it. */
  readonly value: string | null;
}

/**
 * The limits with the defaults of the releases. Root is refused whatever first_valid_uid says
 * (mail-storage-service.c, user_reply_handle), and any other user may be the one whom all mail belongs to.
 */
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
  ['first_valid_uid', { message: 'daemons', off: /^0+$/, value: null }],
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
      ...(limit.value === null
        ? {}
        : { expected: limit.value, fix: limitFix(context, assignment, limit.value) }),
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
