import { PROTOCOLS, type Protocol } from '../model/protocol.ts';
import { type GroupStrength, groupsOfItem, strengthOf } from '../tls/groups.ts';
import { commandWords, systemDefaults } from '../tls/openssl-conf.ts';
import { type CipherSuite, suitesOf } from '../tls/suites.ts';
import type { PostfixConfiguration } from './configuration.ts';
import { hasFeature } from './parameters.ts';
import type { Service } from './services.ts';

/**
 * What `tls_config_file` brings into play: an openssl.cnf of the administrator. Postfix sets protocols,
 * ciphers, security level and groups itself; what is left to the file are the suites of TLSv1.3, a newest
 * protocol before 3.6, protocols that are switched off, whose order decides, and groups where Postfix names
 * none (tls_library_init() of tls_misc.c; measured with 3.5.25, 3.7.11 and 3.11.7).
 */

/** Effects of the file on the TLS of a service. */
export interface LibrarySettings {
  /** TLSv1.3 suites in order; null: OpenSSL's own. */
  readonly tls13: readonly CipherSuite[] | null;
  /** Protocols that are not spoken. */
  readonly without: readonly Protocol[];
  readonly newest: Protocol | null;
  readonly serverOrder: boolean;
  /** Null: OpenSSL's own, where Postfix leaves them to it. */
  readonly groups: GroupStrength | null;
  /** There is a file that cannot be read here, or that hangs on other files. */
  readonly unknown: boolean;
  /** Not an absolute path, nor one of the words: TLS is off. */
  readonly invalid: boolean;
}

const NOTHING: LibrarySettings = {
  tls13: null,
  without: [],
  newest: null,
  serverOrder: false,
  groups: null,
  unknown: false,
  invalid: false,
};

/** Reads what the file says that a service uses. */
export function librarySettings(configuration: PostfixConfiguration, service: Service): LibrarySettings {
  const { release, openssl } = configuration;
  if (!hasFeature(release, 'tlsConfigFile')) return NOTHING;
  const path = configuration.value('tls_config_file', service);
  // The system's own file is not among those of Postfix, and those of the distributions change nothing here.
  if (path === 'default' || path === 'none') return NOTHING;
  if (!path.startsWith('/')) return { ...NOTHING, invalid: true };
  const source = configuration.open(path);
  if (source === null) return { ...NOTHING, unknown: true };
  const name = configuration.value('tls_config_name', service);
  const { commands, complete } = systemDefaults(source.text, name === '' ? null : name);
  const words = (command: string): readonly string[] => commandWords(commands.get(command) ?? '');
  const suites = suitesOf(openssl.version);
  const tls13 = commands.get('ciphersuites');
  const groups = commands.get('groups') ?? commands.get('curves');
  return {
    ...NOTHING,
    tls13:
      tls13 === undefined
        ? null
        : tls13.split(':').flatMap((word) => suites.find((suite) => suite.name === word) ?? []),
    without: PROTOCOLS.filter((protocol) => words('protocol').includes(`-${protocol}`)),
    newest: hasFeature(release, 'protocolRange')
      ? null
      : (PROTOCOLS.find((protocol) => protocol === commands.get('maxprotocol')) ?? null),
    serverOrder: words('options').includes('ServerPreference'),
    groups:
      groups === undefined
        ? null
        : strengthOf(groups.split(':').flatMap((item) => groupsOfItem(item, openssl.version))),
    unknown: !complete,
  };
}
