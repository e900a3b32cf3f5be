import type { DovecotEffective } from '../../dovecot/effective.ts';
import type { DovecotServerEndpoint } from '../../dovecot/endpoints.ts';
import type { ServerCertificate } from '../../dovecot/tls-files.ts';
import { chainOrder } from '../../tls/chain.ts';
import { pemOf } from '../../tls/pem.ts';
import type { DovecotCheck, DovecotCheckContext, Report } from '../check.ts';
import {
  type CertificateReport,
  chainReport,
  dateReports,
  nameOf,
  nameReport,
  weaknessReports,
} from './certificates.ts';
import { isOwn } from './dovecot-common.ts';
import { isWhole, placeOf, tlsServers } from './dovecot-tls-common.ts';

/**
 * Certificates and keys that Dovecot's settings name, as far as their files can be read. What the server
 * makes of them: src/dovecot/tls-files.ts.
 */

/** A certificate of a listener. */
interface CertificateUse {
  readonly endpoint: DovecotServerEndpoint;
  readonly certificate: ServerCertificate;
}

/** Listeners that show a certificate to other machines. */
function shownTo(context: DovecotCheckContext): readonly DovecotServerEndpoint[] {
  return tlsServers(context).filter((endpoint) => endpoint.public);
}

/** All certificates that lines of these files name. */
function uses(context: DovecotCheckContext): readonly CertificateUse[] {
  return shownTo(context)
    .flatMap((endpoint) =>
      endpoint.certificates.map((certificate): CertificateUse => ({ endpoint, certificate })),
    )
    .filter(({ certificate: { from } }) => from.at !== null && isOwn(context, from.at));
}

/** The file of a setting, for messages. */
function fileOf({ path, value }: DovecotEffective): string {
  return path ?? value.replace(/^</, '');
}

function at(
  context: DovecotCheckContext,
  endpoint: DovecotServerEndpoint,
  of: DovecotEffective,
  report: Omit<Report, 'at' | 'endpoint' | 'of'>,
): Report {
  return { at: placeOf(context, of, endpoint), endpoint, of, ...report };
}

function* missing(context: DovecotCheckContext): Iterable<Report> {
  for (const endpoint of shownTo(context)) {
    const [first] = endpoint.certificates;
    if (first === undefined || first.fault?.kind !== 'unset') continue;
    const certificate = first.from.value === '';
    // What another file may hold is not missing.
    const beside = certificate ? first.keyFrom : first.from;
    if (!isWhole(context) && beside.at === null) continue;
    const report = at(context, endpoint, first.fault.in, {
      message: certificate ? 'none' : 'no-key',
      data: { name: first.fault.in.name },
    });
    yield { ...report, at: beside.at ?? report.at };
  }
  const { facts } = context.host.input;
  if (facts === undefined) return;
  for (const { endpoint, certificate } of uses(context)) {
    const { from, keyFrom } = certificate;
    const asked = [
      [from, 'certificate'],
      ...(keyFrom.path === from.path ? [] : [[keyFrom, 'key'] as const]),
    ] as const;
    for (const [setting, message] of asked) {
      if (setting.path === null || facts(setting.path).exists !== false) continue;
      yield at(context, endpoint, setting, { message, data: { file: setting.path } });
    }
  }
}

function* ofChain(
  context: DovecotCheckContext,
  { endpoint, certificate: { from } }: CertificateUse,
  reports: Iterable<CertificateReport>,
): Iterable<Report> {
  for (const { message, data } of reports)
    yield at(context, endpoint, from, { message, data: { ...data, file: fileOf(from) } });
}

function* dates(context: DovecotCheckContext): Iterable<Report> {
  const { now } = context.host.input;
  if (now === undefined) return;
  for (const use of uses(context)) yield* ofChain(context, use, dateReports(use.certificate.chain, now));
}

function* weaknesses(context: DovecotCheckContext): Iterable<Report> {
  const { thresholds } = context.profile;
  for (const use of uses(context))
    yield* ofChain(context, use, weaknessReports(use.certificate.chain, thresholds));
}

/** make-ssl-cert(8) makes it on each machine for its own name. */
const SNAKEOIL = /\/ssl-cert-snakeoil\.pem$/i;

/** The certificate that a package makes when it is installed: Debian's, dovecot-mkcert's. */
function isExample(file: string): boolean {
  return /\/(?:ssl-cert-snakeoil\.pem|(?:etc\/)?dovecot\/(?:private\/)?dovecot\.pem)$/i.test(file);
}

function* selfSigned(context: DovecotCheckContext): Iterable<Report> {
  for (const { endpoint, certificate } of uses(context)) {
    const [leaf] = certificate.chain;
    // Postfix speaks LMTP on this machine and asks nobody.
    if (!endpoint.sasl) continue;
    const file = fileOf(certificate.from);
    // Debian's is known by its name, so that it is found in a repository too.
    if (leaf === undefined && SNAKEOIL.test(file))
      yield at(context, endpoint, certificate.from, { message: 'snakeoil', data: { file } });
    if (leaf === undefined || !leaf.selfSigned) continue;
    const message = isExample(file) ? 'example' : 'default';
    yield at(context, endpoint, certificate.from, { message, data: { name: nameOf(leaf), file } });
  }
}

function* names(context: DovecotCheckContext): Iterable<Report> {
  const all = uses(context);
  const bySni = all.some(({ endpoint }) => (endpoint.filter?.localName ?? null) !== null);
  const hostname = context.dovecot.get('hostname');
  for (const { endpoint, certificate } of all) {
    const [leaf] = certificate.chain;
    // Nobody compares the name of a certificate that he has no reason to trust.
    if (leaf === undefined || leaf.selfSigned || !endpoint.sasl) continue;
    const file = fileOf(certificate.from);
    const sni = endpoint.filter?.localName ?? null;
    if (sni !== null) {
      for (const name of sni.split(/\s+/)) {
        const report = /^[\w.-]+$/.test(name) ? nameReport(leaf, name) : null;
        if (report !== null)
          yield at(context, endpoint, certificate.from, { message: 'sni', data: { ...report.data, file } });
      }
      continue;
    }
    // Who asks for a name is shown another certificate.
    if (bySni || hostname.at === null || !/^[\w-]+(?:\.[\w-]+)+$/.test(hostname.value)) continue;
    const report = nameReport(leaf, hostname.value);
    if (report !== null) yield at(context, endpoint, certificate.from, { data: { ...report.data, file } });
  }
}

function* pairs(context: DovecotCheckContext): Iterable<Report> {
  for (const { endpoint, certificate } of uses(context)) {
    const { from, fault, chain } = certificate;
    const message = fault === null ? undefined : messageOf(certificate);
    if (fault !== null && message !== undefined) {
      const data = { file: fileOf(fault.in), certificate: fileOf(from) };
      yield at(context, endpoint, fault.in, { message, data });
      continue;
    }
    const report = fault === null ? chainReport(chain) : null;
    if (report === null || (report.message === 'incomplete' && hasIssuer(context, certificate))) continue;
    yield at(context, endpoint, from, {
      message: report.message,
      data: { ...report.data, file: fileOf(from) },
    });
  }
}

/** What to say of a fault of the files; undefined for one of a setting, of which other rules speak. */
function messageOf({ from, fault, chain }: ServerCertificate): string | undefined {
  if (fault?.kind === 'no-content') return fault.in === from ? 'no-certificate' : 'no-key';
  if (fault?.kind === 'encrypted-key') return 'encrypted-key';
  if (fault?.kind !== 'mismatch') return undefined;
  const [first, ...others] = chain;
  return first !== undefined && !chainOrder([first, ...others]).leafFirst ? 'leaf-not-first' : 'mismatch';
}

/** OpenSSL completes a chain from the CAs that a server is given for its clients' certificates. */
function hasIssuer({ dovecot, host }: DovecotCheckContext, { chain: [leaf] }: ServerCertificate): boolean {
  const name = ['ssl_server_ca_file', 'ssl_ca'].find((one) => dovecot.table.get(one) !== null);
  const path = name === undefined ? null : dovecot.get(name).path;
  if (path === null) return false;
  const source = host.input.open(path);
  if (source === null) return true;
  return pemOf(source).certificates.some(({ subject }) => subject.id === leaf?.issuer.id);
}

function* readable(context: DovecotCheckContext): Iterable<Report> {
  const { facts, open } = context.host.input;
  if (facts === undefined) return;
  for (const { endpoint, certificate } of uses(context)) {
    const { keyFrom, key } = certificate;
    const { path } = keyFrom;
    // A file that holds no key may be read by everybody.
    if (path === null || keyFrom.at === null || (key === null && open(path) !== null)) continue;
    const { readers } = facts(path);
    if (readers === 'group' || readers === 'others')
      yield at(context, endpoint, keyFrom, { message: readers, data: { file: path } });
  }
}

/** Checks of certificates and their keys. */
export const dovecotCertificateChecks: Readonly<Record<string, DovecotCheck>> = {
  'dovecot/certificate-missing': missing,
  'dovecot/certificate-expired': dates,
  'dovecot/certificate-weak': weaknesses,
  'dovecot/certificate-self-signed': selfSigned,
  'dovecot/certificate-name': names,
  'dovecot/certificate-key-mismatch': pairs,
  'dovecot/private-key-readable': readable,
};
