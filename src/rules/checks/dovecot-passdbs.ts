import type { DovecotSection } from '../../dovecot/configuration.ts';
import type { Location } from '../../text/source.ts';
import type { DovecotCheck, DovecotCheckContext, Report } from '../check.ts';
import { isOwn } from './dovecot-common.ts';
import { isTemplated } from './misread-lines.ts';

/**
 * Password databases that take every password. Sources: passdb-static.c, auth-request.c
 * (auth_request_want_skip_passdb, auth_request_handle_passdb_callback); logins to 2.3.13, 2.3.19.1, 2.4.1 and 2.4.5.
 */

/** The field counts by being there: `nopassword=no` is the same. */
const FIELD = 'nopassword';

/** Fields that hand the login on, or bound who may log in. */
const RESTRAINTS: readonly string[] = ['proxy', 'proxy_maybe', 'allow_nets', 'nologin'];

/** A field that a passdb of the driver `static` gives to whoever logs in. */
interface Field {
  readonly name: string;
  readonly at: Location;
}

function* anyPassword(context: DovecotCheckContext): Iterable<Report> {
  for (const section of context.dovecot.sections('passdb')) {
    if (isReserved(section)) continue;
    if (driverOf(section) === 'static') {
      const fields = fieldsOf(context, section);
      const found = fields.find(({ name }) => name === FIELD);
      if (
        found !== undefined &&
        isOwn(context, found.at) &&
        !fields.some(({ name }) => RESTRAINTS.includes(name) || isTemplated(name))
      )
        yield { at: found.at, setting: FIELD };
    }
    // What stands behind such a passdb is asked only where that one itself fails.
    if (section.get('result_failure').value.startsWith('return')) return;
  }
}

/** True for one that only some logins come to, or that lets nobody in. */
function isReserved(section: DovecotSection): boolean {
  const isYes = (key: string): boolean => /^(?:yes|y|1)$/i.test(section.get(key).value);
  return (
    isYes('deny') ||
    isYes('master') ||
    isYes('pass') ||
    section.get('skip').value === 'unauthenticated' ||
    !section.get('result_success').value.startsWith('return') ||
    ['mechanisms', 'mechanisms_filter', 'username_filter'].some((key) => section.get(key).at !== null)
  );
}

/** From 2.4 on the name is the driver where none is set. */
function driverOf(section: DovecotSection): string {
  const { value } = section.get('driver');
  return value === '' ? section.name : value;
}

/** Until 2.3 the words of `args`; from 2.4 on what stands in `fields`. */
function fieldsOf({ dovecot }: DovecotCheckContext, section: DovecotSection): readonly Field[] {
  if (!dovecot.hasNamedFilters) {
    const { value, at } = section.get('args');
    if (at === null) return [];
    return value.split(/\s+/).map((word) => ({ name: word.replace(/=.*$/s, ''), at }));
  }
  return dovecot.settings().flatMap(({ name, scope, at }) => {
    const [, field = ''] = /^passdb_fields\/([^:]+)/.exec(name) ?? [];
    return field !== '' && scope === section.scope ? [{ name: field, at }] : [];
  });
}

/** Checks of password databases, by the name that rule files call. */
export const dovecotPassdbChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/any-password': anyPassword,
};
