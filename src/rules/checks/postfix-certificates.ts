import {
  type LoadedCertificate,
  type ServiceCertificates,
  serviceCertificates,
} from '../../postfix/certificates.ts';
import type { Effective } from '../../postfix/configuration.ts';
import type { PostfixEndpoint } from '../../postfix/endpoints.ts';
import { proposeRemoval } from '../../postfix/proposals.ts';
import type { Service } from '../../postfix/services.ts';
import { chainOrder } from '../../tls/chain.ts';
import { pemOf } from '../../tls/pem.ts';
import type { Check, CheckContext, Report } from '../check.ts';
import { decidingPlace } from '../locate.ts';
import {
  type CertificateReport,
  chainReport,
  dateReports,
  nameOf,
  nameReport,
  weaknessReports,
} from './certificates.ts';
import { decide, readerOf } from './postfix-protocol-uses.ts';

/**
 * Certificates and keys that Postfix's settings name, as far as their files can be read. What the server
 * makes of them: src/postfix/certificates.ts.
 */

/** A certificate of an endpoint that speaks TLS. */
interface CertificateUse {
  readonly endpoint: PostfixEndpoint;
  /** The service that reads the settings: tlsproxy for postscreen. */
  readonly service: Service;
  readonly loaded: LoadedCertificate;
}

/** The certificates of one endpoint. */
interface EndpointCertificates {
  readonly endpoint: PostfixEndpoint;
  readonly service: Service;
  readonly certificates: ServiceCertificates;
}

/** The certificates of a host. */
interface HostCertificates {
  /** Of each endpoint that speaks TLS and that other machines see. */
  readonly endpoints: readonly EndpointCertificates[];
  readonly uses: readonly CertificateUse[];
  /** Files of certificates that users' programs are shown. */
  readonly ofUsers: ReadonlySet<string>;
}

/** Several checks ask for the same of one host. */
const known = new WeakMap<CheckContext, HostCertificates>();

function certificatesOf(context: CheckContext): HostCertificates {
  let all = known.get(context);
  if (all === undefined) {
    const { postfix } = context;
    const endpoints = context.endpoints
      .filter(({ tls, role, service }) => tls.mode !== 'none' && role !== 'reinjection' && !service.assumed)
      .map((endpoint) => {
        const service = readerOf(postfix, endpoint);
        return { endpoint, service, certificates: serviceCertificates(postfix, service, endpoint.family) };
      });
    const uses = endpoints.flatMap(({ endpoint, service, certificates }) =>
      certificates.certificates.map((loaded) => ({ endpoint, service, loaded })),
    );
    const ofUsers = uses.filter(({ endpoint }) => endpoint.side === 'server' && endpoint.role !== 'mx');
    all = { endpoints, uses, ofUsers: new Set(ofUsers.map(({ loaded }) => loaded.path)) };
    known.set(context, all);
  }
  return all;
}

/** Those of servers: a client's own certificate is looked at by few, and by other rules than these. */
function serverUses(context: CheckContext): readonly CertificateUse[] {
  return certificatesOf(context).uses.filter(({ endpoint }) => endpoint.side === 'server');
}

/** The file is shown to users' programs, here or on another port: one finding for all of them is enough. */
function isForUsers(context: CheckContext, { loaded }: CertificateUse): boolean {
  return certificatesOf(context).ofUsers.has(loaded.path);
}

/** A report at the line that names a file; a key file that nobody named is the file of the certificate. */
function at(
  { postfix }: CheckContext,
  { endpoint, service }: Pick<CertificateUse, 'endpoint' | 'service'>,
  named: Effective,
  report: Omit<Report, 'at' | 'endpoint' | 'of'>,
): Report {
  const of = decide(postfix, named.name, service).effective;
  return { at: decidingPlace(postfix, of, service), endpoint, of, ...report };
}

function* missing(context: CheckContext): Iterable<Report> {
  const { facts } = context.host.input;
  if (facts === undefined) return;
  for (const use of certificatesOf(context).uses) {
    const { from, fault, path, keyPath } = use.loaded;
    if (fault?.kind !== 'absent') continue;
    const chains = from.name.endsWith('_chain_files');
    // Where key and certificate are both missing, both lines are worth a finding.
    const asked: readonly (readonly [setting: Effective, path: string, what: string])[] = chains
      ? [[from, fault.path, 'chain']]
      : [
          [from, path, 'certificate'],
          ...(keyPath === path ? [] : [[use.loaded.keyFrom, keyPath, 'key'] as const]),
        ];
    for (const [setting, file, what] of asked) {
      if (facts(file).exists !== false) continue;
      yield at(context, use, setting, {
        message: what,
        data: { file, server: use.endpoint.side === 'server' },
      });
    }
  }
}

function* dates(context: CheckContext): Iterable<Report> {
  const { now } = context.host.input;
  if (now === undefined) return;
  for (const use of serverUses(context)) yield* ofChain(context, use, dateReports(use.loaded.chain, now));
}

function* weaknesses(context: CheckContext): Iterable<Report> {
  const { thresholds } = context.profile;
  for (const use of serverUses(context))
    yield* ofChain(context, use, weaknessReports(use.loaded.chain, thresholds));
}

function* ofChain(
  context: CheckContext,
  use: CertificateUse,
  reports: Iterable<CertificateReport>,
): Iterable<Report> {
  for (const { message, data } of reports)
    yield at(context, use, use.loaded.from, { message, data: { ...data, file: use.loaded.path } });
}

function* selfSigned(context: CheckContext): Iterable<Report> {
  for (const use of serverUses(context)) {
    const { from, path, chain } = use.loaded;
    const [leaf] = chain;
    if (leaf === undefined || !leaf.selfSigned || isExample(path)) continue;
    const message = isForUsers(context, use) ? 'submission' : 'mx';
    yield at(context, use, from, { message, data: { name: nameOf(leaf), file: path } });
  }
}

/** Debian's ssl-cert makes this certificate on each machine for its own name (make-ssl-cert(8)). */
function isExample(path: string): boolean {
  return /\bsnakeoil\b/i.test(path.replace(/^.*\//, ''));
}

function* example(context: CheckContext): Iterable<Report> {
  for (const use of serverUses(context)) {
    const { from, path } = use.loaded;
    if (isExample(path)) yield at(context, use, from, { data: { file: path } });
  }
}

function* names(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  for (const use of serverUses(context)) {
    const { from, path, chain } = use.loaded;
    const [leaf] = chain;
    // Nobody compares the name of a certificate that he has no reason to trust.
    if (leaf === undefined || leaf.selfSigned || isExample(path)) continue;
    // Who asks for the name may be shown another certificate.
    if (postfix.value('tls_server_sni_maps', use.service) !== '') continue;
    const host = postfix.get('myhostname', use.endpoint.service);
    if (host.setting === null || !/^[\w.-]+$/.test(host.value)) continue;
    const report = nameReport(leaf, host.value);
    if (report !== null) yield at(context, use, from, { data: { ...report.data, file: path } });
  }
}

function* pairs(context: CheckContext): Iterable<Report> {
  for (const use of certificatesOf(context).uses) {
    const { from, path, fault, chain } = use.loaded;
    if (fault !== null && fault.kind !== 'absent') {
      const ofKey = fault.path !== path || /key|mismatch/.test(fault.kind);
      yield at(context, use, ofKey ? use.loaded.keyFrom : from, {
        message: leafIsNotFirst(use) ? 'leaf-not-first' : fault.kind,
        data: { file: fault.path, line: fault.line, certificate: path, effect: effectOn(use.endpoint) },
      });
    } else if (use.endpoint.side === 'server') {
      const report = chainReport(chain);
      if (report === null || (report.message === 'incomplete' && hasIssuer(context, use))) continue;
      const incomplete = report.message === 'incomplete' && !isForUsers(context, use);
      const message = incomplete ? 'incomplete-mx' : report.message;
      yield at(context, use, from, { message, data: { ...report.data, file: path } });
    }
  }
}

/** The key belongs to a certificate of the file, but not to the first. */
function leafIsNotFirst({ loaded: { fault, chain } }: CertificateUse): boolean {
  const [first, ...others] = chain;
  return fault?.kind === 'mismatch' && first !== undefined && !chainOrder([first, ...others]).leafFirst;
}

/** What a peer meets when a certificate cannot be loaded. */
function effectOn({ side, tls }: PostfixEndpoint): string {
  if (side === 'client') return tls.mode === 'opportunistic' ? 'mail leaves without TLS' : 'mail is deferred';
  return tls.mode === 'implicit' ? 'each connection is closed at once' : 'STARTTLS is answered with 454';
}

/** OpenSSL completes a chain from the CAs that a server is given. */
function hasIssuer({ postfix }: CheckContext, { endpoint, service, loaded }: CertificateUse): boolean {
  const get = (name: string): string => postfix.value(`${endpoint.family}_tls_${name}`, service);
  // What a folder of CAs holds is not known.
  if (get('CApath') !== '') return true;
  const file = get('CAfile');
  if (file === '') return false;
  const source = postfix.open(file);
  if (source === null) return true;
  const [leaf] = loaded.chain;
  return pemOf(source).certificates.some(({ subject }) => subject.id === leaf?.issuer.id);
}

function* readable(context: CheckContext): Iterable<Report> {
  const { facts } = context.host.input;
  if (facts === undefined) return;
  for (const use of certificatesOf(context).uses) {
    const file = use.loaded.keyPath;
    // A file that holds no key may be read by everybody.
    if (use.loaded.key === null && context.postfix.open(file) !== null) continue;
    const { readers } = facts(file);
    if (readers === 'group' || readers === 'others')
      yield at(context, use, use.loaded.keyFrom, { message: readers, data: { file } });
  }
}

function* shadowed(context: CheckContext): Iterable<Report> {
  const { postfix } = context;
  const { endpoints } = certificatesOf(context);
  // What stands in main.cf counts where one service does not have chain files.
  const counted = new Set(
    endpoints
      .filter(({ certificates }) => certificates.shadowed.length === 0)
      .map(({ endpoint }) => endpoint.family),
  );
  for (const { endpoint, service, certificates } of endpoints) {
    for (const effective of certificates.shadowed) {
      const { setting } = effective;
      if (setting === null || (setting.kind === 'main' && counted.has(endpoint.family))) continue;
      yield at(context, { endpoint, service }, effective, {
        data: { chains: `${endpoint.family}_tls_chain_files` },
        fix: { title: `remove ${effective.name}`, ...proposeRemoval(postfix, setting) },
      });
    }
  }
}

/** Checks about certificates and keys. */
export const certificateChecks: Readonly<Record<string, Check>> = {
  'postfix/certificate-missing': missing,
  'postfix/certificate-expired': dates,
  'postfix/certificate-weak': weaknesses,
  'postfix/certificate-self-signed': selfSigned,
  'postfix/snakeoil-certificate': example,
  'postfix/certificate-name': names,
  'postfix/certificate-key-mismatch': pairs,
  'postfix/private-key-readable': readable,
  'postfix/certificate-settings-shadowed': shadowed,
};
