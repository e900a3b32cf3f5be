import type { DovecotCheck } from '../check.ts';
import { dovecotAdvisoryChecks } from './dovecot-advisories.ts';
import { dovecotCertificateChecks } from './dovecot-certificates.ts';
import { dovecotCipherListChecks } from './dovecot-cipher-lists.ts';
import { dovecotCipherChecks } from './dovecot-ciphers.ts';
import { dovecotCleartextChecks } from './dovecot-cleartext.ts';
import { dovecotClientCertificateChecks } from './dovecot-client-certificates.ts';
import { dovecotKeyExchangeChecks } from './dovecot-key-exchange.ts';
import { dovecotLimitChecks } from './dovecot-limits.ts';
import { dovecotLoggingChecks } from './dovecot-logging.ts';
import { dovecotMechanismChecks } from './dovecot-mechanisms.ts';
import { dovecotMigrationChecks } from './dovecot-migration.ts';
import { dovecotNameChecks } from './dovecot-names.ts';
import { dovecotOrderChecks } from './dovecot-order.ts';
import { dovecotPassdbChecks } from './dovecot-passdbs.ts';
import { dovecotProtocolChecks } from './dovecot-protocols.ts';
import { dovecotSchemeChecks } from './dovecot-schemes.ts';
import { dovecotSocketChecks } from './dovecot-sockets.ts';
import { dovecotSyntaxChecks } from './dovecot-syntax.ts';
import { dovecotTlsModeChecks } from './dovecot-tls-modes.ts';
import { dovecotValueChecks } from './dovecot-values.ts';

/** The checks of Dovecot. */
export const dovecotChecks: Readonly<Record<string, DovecotCheck>> = {
  ...dovecotAdvisoryChecks,
  ...dovecotCertificateChecks,
  ...dovecotCipherListChecks,
  ...dovecotCipherChecks,
  ...dovecotClientCertificateChecks,
  ...dovecotKeyExchangeChecks,
  ...dovecotCleartextChecks,
  ...dovecotLimitChecks,
  ...dovecotLoggingChecks,
  ...dovecotMechanismChecks,
  ...dovecotMigrationChecks,
  ...dovecotNameChecks,
  ...dovecotOrderChecks,
  ...dovecotProtocolChecks,
  ...dovecotPassdbChecks,
  ...dovecotSchemeChecks,
  ...dovecotSocketChecks,
  ...dovecotSyntaxChecks,
  ...dovecotTlsModeChecks,
  ...dovecotValueChecks,
};
