import { atLeast } from '../model/release.ts';
import {
  type Group,
  type GroupStrength,
  groupOf,
  groupsOfItem,
  LIBRARY_GROUPS,
  NO_GROUPS,
  OPENSSL_GROUPS,
  strengthOf,
} from '../tls/groups.ts';
import type { ServerNegotiation } from '../tls/negotiation.ts';
import { pemOf } from '../tls/pem.ts';
import type { TlsFamily } from './cipher-settings.ts';
import { listWords, type PostfixConfiguration } from './configuration.ts';
import { hasFeature } from './parameters.ts';
import type { Service } from './services.ts';

/**
 * Diffie-Hellman parameters and groups of a server: what of its ciphers can be used hangs on them. Sources: tls_dh.c and tls_server.c of 2.6 to 3.12; measured with 3.5, 3.7, 3.10 and
 * 3.11.
 */

/** Parameters `smtpd_tls_…` or `tlsproxy_tls_…` of a service. */
export interface TlsPlace {
  readonly configuration: PostfixConfiguration;
  readonly service: Service;
  readonly family: TlsFamily;
}

/** Bits of the group that Postfix brings along (dh2048_der of tls_dh.c, dh1024_p before it). */
const BUILT_IN_DH = 2048;
const FORMER_DH = 1024;

function valueOf({ configuration, service, family }: TlsPlace, name: string): string {
  return configuration.value(`${family}_tls_${name}`, service);
}

/** The Diffie-Hellman group of a server; a file that cannot be read here is taken for a good one. */
export function serverDh(place: TlsPlace): ServerNegotiation['dh'] {
  const { configuration } = place;
  const { version } = configuration.openssl;
  const automatic = hasFeature(configuration.release, 'dhParametersAuto');
  const ownBits = hasFeature(configuration.release, 'builtInDh2048') ? BUILT_IN_DH : FORMER_DH;
  const builtIn = automatic && atLeast(version, OPENSSL_GROUPS.automaticDh) ? 'fitting' : ownBits;
  const path = valueOf(place, 'dh1024_param_file');
  if (path === '' || (path === 'auto' && automatic)) return builtIn;
  const source = configuration.open(path);
  if (source === null) return builtIn;
  // Decoders look for PKCS #3 alone; older code took X9.42 too.
  const block = pemOf(source).blocks.find(
    ({ kind, label }) =>
      kind === 'dh-parameters' &&
      (label === 'DH PARAMETERS' || !atLeast(version, OPENSSL_GROUPS.automaticDh)),
  );
  return block?.kind === 'dh-parameters' ? block.parameters.bits : builtIn;
}

/**
 * The groups of a server.
 *
 * @param ofLibrary what an openssl.cnf says, for where Postfix leaves them to OpenSSL
 */
export function serverGroups(place: TlsPlace, ofLibrary: GroupStrength | null = null): GroupStrength {
  const { configuration, service } = place;
  const { release } = configuration;
  const { version } = configuration.openssl;
  const library = ofLibrary ?? LIBRARY_GROUPS;
  if (hasFeature(release, 'ffdheGroupList')) return listedGroups(configuration, service, library);
  // Without a curve OpenSSL takes its own, once it chooses by itself.
  const fallback = atLeast(version, OPENSSL_GROUPS.automaticCurves) ? library : NO_GROUPS;
  const list = curveParameter(place);
  if (list === null) return fallback;
  const curves = listWords(configuration.value(list, service)).flatMap(
    (name) => groupOf(name, version, 'objects') ?? [],
  );
  return curves.length > 0 ? strengthOf(curves) : fallback;
}

/** The parameter with the curves that the grade stands for (tls_set_eecdh_curve()); null: no curves. */
function curveParameter(place: TlsPlace): string | null {
  const { release, openssl } = place.configuration;
  if (hasFeature(release, 'eecdhGradeIgnored')) return 'tls_eecdh_auto_curves';
  const grade = valueOf(place, 'eecdh_grade').toLowerCase();
  if (grade === 'strong' || grade === 'ultra') return `tls_eecdh_${grade}_curve`;
  const automatic = hasFeature(release, 'eecdhAuto') && atLeast(openssl.version, OPENSSL_GROUPS.curveLists);
  if (grade === 'auto') return automatic ? 'tls_eecdh_auto_curves' : null;
  return grade === 'none' && hasFeature(release, 'eecdhNoneIsAuto') ? 'tls_eecdh_auto_curves' : null;
}

/** tls_auto_groups(): curves and fields in one list; where nothing of it is known, the defaults. */
function listedGroups(
  configuration: PostfixConfiguration,
  service: Service,
  library: GroupStrength,
): GroupStrength {
  const { release, openssl } = configuration;
  const names = ['tls_eecdh_auto_curves'];
  if (atLeast(openssl.version, OPENSSL_GROUPS.automaticDh)) names.push('tls_ffdhe_auto_groups');
  const set = names.map((name) => configuration.value(name, service));
  if (hasFeature(release, 'emptyGroupsMeanLibrary') && set.every((value) => value === '')) return library;
  const defaults = names.map((name) => configuration.parameter(name)?.default ?? '');
  for (const values of [set, defaults]) {
    const groups = readGroups(configuration, values.join(' '));
    if (groups.length > 0) return strengthOf(groups);
  }
  return library;
}

function readGroups({ release, openssl }: PostfixConfiguration, text: string): readonly Group[] {
  if (!hasFeature(release, 'groupNames'))
    return listWords(text).flatMap((name) => groupOf(name, openssl.version, 'objects') ?? []);
  return text
    .split(/[,\s:]+/)
    .filter((word) => word !== '')
    .flatMap((word) => groupsOfItem(word, openssl.version));
}
