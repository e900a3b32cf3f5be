import type { DovecotAssignment } from '../../dovecot/assignment.ts';
import { proposeRemoval, proposeSetting, proposeValue } from '../../dovecot/proposals.ts';
import type { DovecotCheck, DovecotCheckContext, ProposedFix, Report } from '../check.ts';
import { isOwn } from './dovecot-common.ts';

/** Settings that write passwords to the log, with the values that do. */
const LOGGING: ReadonlyMap<string, RegExp> = new Map([
  ['auth_debug_passwords', /^(?:yes|y|1)$/i],
  // `yes` is another word for `plain`; `plain:3` cuts the password off, but it is the password still.
  ['auth_verbose_passwords', /^(?:yes|plain)(?::|$)/i],
]);

/** Settings that name a folder for copies of whole sessions. */
const RAWLOG = /(?:^|_)rawlog_dir$/;

/** Of these the ones whose sessions are with clients behind the login: mail is in them, and no password. */
const AFTER_LOGIN: ReadonlySet<string> = new Set(['rawlog_dir', 'lmtp_rawlog_dir']);

function* passwordsLogged(context: DovecotCheckContext): Iterable<Report> {
  const dead = new Set(context.dovecot.deadSettings().map((pair) => pair.dead));
  for (const assignment of context.dovecot.settings()) {
    const { name, key, value, at } = assignment;
    if (value === null || value === '' || dead.has(assignment) || !isOwn(context, at)) continue;
    if (LOGGING.get(name)?.test(value) === true) {
      yield {
        at,
        setting: key,
        actual: value,
        expected: 'no',
        fix: switchedOff(context, assignment),
      };
    } else if (RAWLOG.test(name)) {
      yield {
        message: AFTER_LOGIN.has(name) ? 'rawlog-mail' : 'rawlog',
        at,
        setting: key,
        actual: value,
        fix: { title: `remove ${key}`, ...proposeRemoval(assignment) },
      };
    }
  }
}

function switchedOff({ dovecot }: DovecotCheckContext, assignment: DovecotAssignment): ProposedFix | null {
  const { name, scope } = assignment;
  const proposal =
    scope.kind === 'root'
      ? proposeSetting(dovecot, { name, value: 'no' })
      : proposeValue(dovecot, assignment, 'no');
  return proposal === null ? null : { title: `set ${name} to no`, ...proposal };
}

/** Checks of what is written to logs, by the name that rule files call. */
export const dovecotLoggingChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/passwords-logged': passwordsLogged,
};
