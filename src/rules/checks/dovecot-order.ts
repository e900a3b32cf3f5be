import type { DovecotAssignment } from '../../dovecot/assignment.ts';
import { scopePath } from '../../dovecot/assignment.ts';
import { removeStatement } from '../../dovecot/edits.ts';
import { type Filter, type FilterNet, isGlobal, matchesWildcard } from '../../dovecot/filter.ts';
import { isInNet } from '../../dovecot/net.ts';
import type { DovecotWarningCode } from '../../dovecot/outcome.ts';
import { isOverrideFile } from '../../dovecot/places.ts';
import { hasDovecotFeature } from '../../dovecot/releases.ts';
import type { DovecotCheck, DovecotCheckContext, Report } from '../check.ts';
import { hasBranches, isOwn, placeText } from './dovecot-common.ts';

// Settings that stand twice

function* duplicateSetting(context: DovecotCheckContext): Iterable<Report> {
  if (hasBranches(context.dovecot)) return;
  for (const { dead, winner } of context.dovecot.deadSettings()) {
    // A file that is included twice has each line twice.
    if (dead.statement === winner.statement || dead.scope.kind === 'group') continue;
    if (!isOwn(context, dead.at)) continue;
    const sameFile = dead.file === winner.file;
    // That is what such a file is for.
    if (!sameFile && isOverrideFile(winner.file.source.path)) continue;
    const identical = dead.written === winner.written;
    yield {
      message: identical ? 'identical' : sameFile ? 'default' : 'other-file',
      at: dead.at,
      setting: dead.key,
      actual: dead.written,
      data: {
        place: placeText(winner.at),
        winning: shortened(winner.written),
        section: scopePath(dead.scope).join(' > '),
      },
      related: [{ at: winner.at, message: 'the one that counts' }],
      fix: sameFile
        ? {
            title: `remove the ${dead.key} that has no effect`,
            edits: removeStatement(dead.file, dead.statement),
            writes: [],
          }
        : null,
    };
  }
}

function shortened(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value;
}

// Filters that meet on one connection

function* filterConflict(context: DovecotCheckContext): Iterable<Report> {
  if (hasDovecotFeature(context.dovecot.release, 'namedFilters')) return;
  for (const [first, second] of rivals(context)) {
    const a = first.scope.filter;
    const b = second.scope.filter;
    if (isInside(a, b) || isInside(b, a) || !canMeet(a, b)) continue;
    yield {
      at: second.at,
      setting: second.key,
      actual: second.written,
      data: { ...sides(first, second), name: second.key },
      related: [{ at: first.at, message: `${filterText(first)} sets ${first.written}` }],
    };
  }
}

function* filterOrder(context: DovecotCheckContext): Iterable<Report> {
  const newOrder = hasDovecotFeature(context.dovecot.release, 'namedFilters');
  for (const [first, second] of rivals(context)) {
    const a = first.scope.filter;
    const b = second.scope.filter;
    const both = { ...sides(first, second), name: second.key };
    const related = [{ at: first.at, message: `${filterText(first)} sets ${first.written}` }];
    if (newOrder && isInside(a, b) && !isInside(b, a))
      yield {
        message: 'last-wins',
        at: second.at,
        setting: second.key,
        actual: second.written,
        data: both,
        related,
      };
    else if (!newOrder && namesOverlap(a, b) && isInside(b, a) && !isInside(a, b))
      yield {
        message: 'first-name',
        at: second.at,
        setting: second.key,
        actual: second.written,
        data: both,
        related,
      };
  }
  for (const { code, at, name, other } of context.dovecot.warnings) {
    if (code !== 'global-after-filter' || !isOwn(context, at)) continue;
    yield {
      message: 'global-after',
      at,
      ...(name === null ? {} : { setting: name }),
      data: { place: other === null ? '' : placeText(other), name: name ?? '' },
      related: other === null ? [] : [{ at: other, message: 'the filter that keeps its own value' }],
    };
  }
}

/** Two names of servers both of which a client may ask for at once: one of them a pattern. */
function namesOverlap(a: Filter, b: Filter): boolean {
  return a.localName !== null && b.localName !== null && `${a.localName}${b.localName}`.includes('*');
}

/** Pairs of assignments to one setting in different filters that differ in value, in the order of reading. */
function* rivals(context: DovecotCheckContext): Iterable<readonly [DovecotAssignment, DovecotAssignment]> {
  const byName = new Map<string, Map<DovecotAssignment['scope'], DovecotAssignment>>();
  for (const assignment of context.dovecot.settings()) {
    const { scope, name } = assignment;
    if (scope.kind !== 'filter' || isGlobal(scope.filter) || !isOwn(context, assignment.at)) continue;
    const known = byName.get(name) ?? new Map<DovecotAssignment['scope'], DovecotAssignment>();
    byName.set(name, known);
    // Within one filter the last counts.
    known.delete(scope);
    known.set(scope, assignment);
  }
  for (const list of byName.values()) yield* pairs([...list.values()]);
}

/** Most pairs of one setting that are compared. */
const MOST_PAIRS = 20_000;

/** Two different names of servers, neither of them a pattern, never meet: of such filters there may be thousands. */
function* pairs(
  list: readonly DovecotAssignment[],
): Iterable<readonly [DovecotAssignment, DovecotAssignment]> {
  const isName = ({ scope: { filter } }: DovecotAssignment): boolean =>
    filter.localName !== null && !/[*? ]/.test(filter.localName);
  const others = list.filter((one) => !isName(one));
  let compared = 0;
  for (const one of list) {
    for (const other of others) {
      // Of two that are no names, each pair once.
      if (other === one || (!isName(one) && other.order > one.order)) continue;
      if (++compared > MOST_PAIRS) return;
      if (other.written !== one.written) yield other.order < one.order ? [other, one] : [one, other];
    }
  }
}

function sides(first: DovecotAssignment, second: DovecotAssignment): Readonly<Record<string, string>> {
  return {
    first: filterText(first),
    second: filterText(second),
    firstValue: shortened(first.written),
    secondValue: shortened(second.written),
    place: placeText(first.at),
  };
}

function filterText({ scope }: DovecotAssignment): string {
  return scopePath(scope).join(' > ');
}

/** Whether every connection that `inner` is for is one of `outer`. */
function isInside(inner: Filter, outer: Filter): boolean {
  return (
    (outer.protocol === null || outer.protocol === inner.protocol) &&
    (outer.localName === null ||
      (inner.localName !== null && nameInside(inner.localName, outer.localName))) &&
    netInside(inner.local, outer.local) &&
    netInside(inner.remote, outer.remote)
  );
}

function nameInside(inner: string, outer: string): boolean {
  return inner
    .split(' ')
    .every((name) => outer.split(' ').some((mask) => name === mask || matchesWildcard(name, mask)));
}

function netInside(inner: FilterNet | null, outer: FilterNet | null): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  if (inner.net === null || outer.net === null) return inner.text === outer.text;
  return inner.net.bits >= outer.net.bits && isInNet(inner.net, outer.net);
}

/** Whether there can be a connection that both are for. */
function canMeet(a: Filter, b: Filter): boolean {
  return (
    protocolsMeet(a.protocol, b.protocol) &&
    (a.localName === null ||
      b.localName === null ||
      nameInside(a.localName, b.localName) ||
      nameInside(b.localName, a.localName)) &&
    netsMeet(a.local, b.local) &&
    netsMeet(a.remote, b.remote)
  );
}

function protocolsMeet(a: string | null, b: string | null): boolean {
  if (a === null || b === null || a === b) return true;
  if (a.startsWith('!') && b.startsWith('!')) return true;
  return a.startsWith('!') ? a.slice(1) !== b : b.startsWith('!') && b.slice(1) !== a;
}

function netsMeet(a: FilterNet | null, b: FilterNet | null): boolean {
  return a === null || b === null || netInside(a, b) || netInside(b, a);
}

// What the server warns of and no other rule tells

const START_WARNINGS: Readonly<Partial<Record<DovecotWarningCode, string>>> = {
  limits: 'limits',
  'ssl-off-globally': 'ssl-off',
  'special-use': 'special-use',
};

function* startWarning(context: DovecotCheckContext): Iterable<Report> {
  for (const { code, at, name, says } of context.dovecot.warnings) {
    const message = START_WARNINGS[code];
    if (message === undefined || !isOwn(context, at)) continue;
    yield { message, at, ...(name === null ? {} : { setting: name }), data: { says } };
  }
}

/** Checks of what stands where, by the name that rule files call. */
export const dovecotOrderChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/duplicate-setting': duplicateSetting,
  'dovecot/filter-conflict': filterConflict,
  'dovecot/filter-order': filterOrder,
  'dovecot/start-warning': startWarning,
};
