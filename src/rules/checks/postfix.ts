import type { Check } from '../check.ts';
import { certificateChecks } from './postfix-certificates.ts';
import { cipherListChecks } from './postfix-cipher-lists.ts';
import { cipherWordChecks } from './postfix-cipher-words.ts';
import { cipherChecks } from './postfix-ciphers.ts';
import { clientLevelChecks } from './postfix-client-levels.ts';
import { commentChecks } from './postfix-comments.ts';
import { fileChecks } from './postfix-files.ts';
import { hygieneChecks } from './postfix-hygiene.ts';
import { keyExchangeChecks } from './postfix-key-exchange.ts';
import { leftoverChecks } from './postfix-leftovers.ts';
import { levelChecks } from './postfix-levels.ts';
import { limitChecks } from './postfix-limits.ts';
import { nameChecks } from './postfix-names.ts';
import { networkChecks } from './postfix-networks.ts';
import { openRelayChecks } from './postfix-open-relay.ts';
import { overrideChecks } from './postfix-overrides.ts';
import { policyChecks } from './postfix-policy.ts';
import { postfixProtocolChecks } from './postfix-protocols.ts';
import { recipientChecks } from './postfix-recipients.ts';
import { referenceChecks } from './postfix-references.ts';
import { relayChecks } from './postfix-relay.ts';
import { restrictionPlaceChecks } from './postfix-restriction-places.ts';
import { restrictionWordChecks } from './postfix-restriction-words.ts';
import { postfixSaslChecks } from './postfix-sasl.ts';
import { smugglingChecks } from './postfix-smuggling.ts';
import { postfixSubmissionChecks } from './postfix-submission.ts';
import { swallowedChecks } from './postfix-swallowed.ts';
import { syntaxChecks } from './postfix-syntax.ts';
import { tlsSwitchChecks } from './postfix-tls-switches.ts';
import { valueChecks } from './postfix-values.ts';

/** The checks of Postfix, by the name that rule files call. */
export const checks: Readonly<Record<string, Check>> = {
  ...certificateChecks,
  ...cipherChecks,
  ...cipherListChecks,
  ...cipherWordChecks,
  ...keyExchangeChecks,
  ...clientLevelChecks,
  ...levelChecks,
  ...policyChecks,
  ...postfixSaslChecks,
  ...postfixSubmissionChecks,
  ...postfixProtocolChecks,
  ...tlsSwitchChecks,
  ...commentChecks,
  ...fileChecks,
  ...hygieneChecks,
  ...leftoverChecks,
  ...limitChecks,
  ...nameChecks,
  ...networkChecks,
  ...openRelayChecks,
  ...overrideChecks,
  ...recipientChecks,
  ...referenceChecks,
  ...relayChecks,
  ...restrictionPlaceChecks,
  ...restrictionWordChecks,
  ...smugglingChecks,
  ...swallowedChecks,
  ...syntaxChecks,
  ...valueChecks,
};
