import type { Side } from '../../model/endpoint.ts';
import type { Related } from '../../model/finding.ts';
import type { Release } from '../../model/release.ts';
import type { Effective, PostfixConfiguration } from '../../postfix/configuration.ts';
import type { Location } from '../../text/source.ts';
import { hasForwardSecrecy } from '../../tls/cipher-classes.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import type { Objection } from '../cipher-judgement.ts';
import { decidingPlace } from '../locate.ts';
import { counted, namesOf } from './forbidden-suites.ts';
import { forbiddenSuites, judgedSuites } from './postfix-cipher-suites.ts';
import { type CipherUse, cipherUses, exclusionsOf, gradeOf } from './postfix-cipher-uses.ts';
import { type ExclusionPlan, type ForbiddenUse, planExclusions } from './postfix-exclusion-plan.ts';

/** The suites that endpoints take or offer, against what the profile forbids there. */

/** Suites with an objection of one kind, of every use about which something may be said. */
function forbiddenUses(
  context: CheckContext,
  counts: (objection: Objection) => boolean,
): readonly ForbiddenUse[] {
  return cipherUses(context).flatMap((use) => {
    const { library, suites } = forbiddenSuites(
      context,
      use,
      (objection) => counts(objection) && mayBeSaid(context.postfix, use, objection.where),
    );
    return suites.length === 0 ? [] : [{ use, library, forbidden: suites }];
  });
}

/**
 * Without a main.cf only what an override says is known. Of a service that only stands for any submission
 * service nothing is said but for lists that somebody wrote.
 */
function mayBeSaid(
  postfix: PostfixConfiguration,
  use: CipherUse,
  where: 'anywhere' | 'tlsRequired' | 'server',
): boolean {
  const written = exclusionsOf(postfix, use).filter(
    ({ effective, through }) =>
      !effective.expansion.failed &&
      [effective, ...through].some(
        ({ setting }) => setting !== null && (postfix.main !== null || !setting.value.includes('$')),
      ),
  );
  if (postfix.main === null) return written.some(({ effective }) => effective.setting?.kind === 'override');
  if (!use.endpoint.service.assumed) return true;
  return written.some(({ name }) => where !== 'tlsRequired' || name.includes('_mandatory_'));
}

/** Reports what the profile forbids, but for the lack of forward secrecy, on one side. */
function forbiddenCiphers(side: Side): Check {
  return function* (context) {
    for (const plan of plans(context, 'ciphers')) {
      if (plan.use.endpoint.side === side) yield suitesReport(context, plan, {});
    }
  };
}

const known = new WeakMap<CheckContext, Map<string, readonly ExclusionPlan[]>>();

/** What mends the lack of forward secrecy, or everything else: one plan for both sides, which may share their lists. */
function plans(context: CheckContext, which: 'ciphers' | 'forward-secrecy'): readonly ExclusionPlan[] {
  const kinds = known.get(context) ?? new Map<string, readonly ExclusionPlan[]>();
  known.set(context, kinds);
  let made = kinds.get(which);
  if (made === undefined) {
    const found = forbiddenUses(
      context,
      ({ threshold }) => (threshold === 'forwardSecrecy') === (which === 'forward-secrecy'),
    );
    made = planExclusions(context, found, cipherUses(context));
    kinds.set(which, made);
  }
  return made;
}

function suitesReport(context: CheckContext, plan: ExclusionPlan, about: Pick<Report, 'message'>): Report {
  const { postfix } = context;
  const { use, library, forbidden, fix, targets, words } = plan;
  const ownWords = use.policy !== null && use.policy.exclude !== null;
  const [target] = targets;
  // A list that is not written yet has one place for all that need it at one level: where the first is.
  const first =
    target?.setting === null
      ? (target.uses.find(
          ({ endpoint, mandatory }) => endpoint.side === use.endpoint.side && mandatory === use.mandatory,
        ) ?? use)
      : use;
  const of = ownWords ? null : decidingValue(postfix, first, target?.decider.effective ?? null);
  const at = ownWords && use.policy !== null ? use.policy.at : placeOf(postfix, first, of);
  return {
    ...about,
    at,
    of,
    endpoint: use.endpoint,
    ...(ownWords && use.policy !== null
      ? { setting: `${use.endpoint.family}_tls_policy_maps`, actual: use.policy.exclude ?? '' }
      : {}),
    ...(target === undefined ? {} : { expected: target.value }),
    related: [...listRelated(use, at), ...namesOf(forbidden, at)],
    fix: ownWords ? null : fix,
    data: {
      counted: counted(forbidden),
      ...aboutLibrary(postfix, library),
      written: of !== null && of.setting !== null && of.name.includes('exclude'),
      grade: use.settings.grade ?? '',
      policy: ownWords ? (use.policy?.key ?? '') : null,
      policies: use.policy !== null,
      words,
      additions: targets.map(({ words: added, name, where }) => ({ words: added, name, where })),
      writable: !ownWords && fix !== null,
    },
  };
}

/** The value to show: the list that gets the words, or what decides in its place where it is not written. */
function decidingValue(
  postfix: PostfixConfiguration,
  use: CipherUse,
  target: Effective | null,
): Effective | null {
  const lists = exclusionsOf(postfix, use).map(({ effective }) => effective);
  const { listFrom } = use.settings;
  const candidates = [target, ...lists.toReversed(), listFrom, gradeOf(postfix, use)?.effective ?? null];
  return candidates.find((one) => one !== null && one.setting !== null) ?? target ?? lists[0] ?? listFrom;
}

function placeOf(postfix: PostfixConfiguration, { endpoint }: CipherUse, of: Effective | null): Location {
  return decidingPlace(postfix, of ?? endpoint.levelFrom, endpoint.service, [endpoint.levelFrom.name]);
}

/** A list of the grade that somebody replaced belongs to the finding. */
function listRelated({ settings }: CipherUse, at: Location): readonly Related[] {
  const setting = settings.listFrom?.setting ?? null;
  if (setting === null || (setting.at.source === at.source && setting.at.span.start === at.span.start))
    return [];
  return [{ at: setting.at, message: `${setting.name} is the list of grade ${settings.grade}` }];
}

/** Which OpenSSL is judged, where that is not the one named in the head of the report. */
function aboutLibrary(
  { openssl }: PostfixConfiguration,
  library: Release,
): Readonly<Record<string, unknown>> {
  return { library: library === openssl.version ? null : `OpenSSL ${library}` };
}

const forwardSecrecy: Check = function* (context) {
  const { postfix } = context;
  for (const use of cipherUses(context)) {
    const judged = judgedSuites(postfix, use);
    if (judged.suites.length === 0 || judged.suites.some(hasForwardSecrecy)) continue;
    if (!mayBeSaid(postfix, use, 'anywhere')) continue;
    const of = withoutForwardSecrecy(postfix, use);
    const at = placeOf(postfix, use, of);
    yield {
      message: 'none',
      at,
      of,
      endpoint: use.endpoint,
      related: [
        ...listRelated(use, at),
        { at, message: judged.suites.map(({ name }) => name).join(', '), onRequest: true },
      ],
      data: { tls13: judged.tls13, count: judged.suites.length, ...aboutLibrary(postfix, judged.library) },
    };
  }
  for (const plan of plans(context, 'forward-secrecy')) {
    // Where nothing else is left, the message above says so.
    if (judgedSuites(postfix, plan.use).suites.some(hasForwardSecrecy))
      yield suitesReport(context, plan, { message: plan.use.endpoint.side });
  }
};

/** The value that most likely took forward secrecy away: a list that was replaced, exclusions, the curves. */
function withoutForwardSecrecy(postfix: PostfixConfiguration, use: CipherUse): Effective | null {
  const { listFrom } = use.settings;
  const excluded = exclusionsOf(postfix, use)
    .map(({ effective }) => effective)
    .find(({ value }) => /(?:^|[\s,:])k?(?:EECDH|ECDHE|EDH|DHE)(?:$|[\s,:+])/.test(value));
  if (excluded !== undefined) return excluded;
  return decidingValue(postfix, use, listFrom);
}

/** Checks of the suites of endpoints. */
export const cipherChecks: Readonly<Record<string, Check>> = {
  'postfix/server-ciphers': forbiddenCiphers('server'),
  'postfix/client-ciphers': forbiddenCiphers('client'),
  'postfix/forward-secrecy': forwardSecrecy,
};
