import type { Role, Side, TlsMode } from '../model/endpoint.ts';
import type { Readers } from '../model/file-facts.ts';
import type { LevelByMessage, Severity } from '../model/finding.ts';
import type { Protocol } from '../model/protocol.ts';
import type { CipherClass } from '../tls/cipher-classes.ts';

/** What a condition asks of a setting; all of it must hold. See docs/own-rules.md for the words. */
export interface SettingCondition {
  readonly setting: string;
  /** The service (`submission/inet`) or section (`protocol imap`) that the value is asked for. */
  readonly in?: string;
  readonly is?: string;
  readonly oneOf?: readonly string[];
  readonly matches?: string;
  /** A word of the list, or words that follow each other in it; of several, each is there. */
  readonly contains?: string | readonly string[];
  /** The list holds a word that is none of these. */
  readonly others?: readonly string[];
  /** All of these are in the list, each behind the one before. */
  readonly order?: readonly string[];
  /** How many words the list has. */
  readonly count?: { readonly is?: number; readonly below?: number; readonly above?: number };
  /** A number, or a time or size as the server writes it. */
  readonly below?: number | string;
  readonly above?: number | string;
  readonly explicit?: boolean;
}

/** What a condition asks of an endpoint; all of it must hold. */
export interface EndpointCondition {
  readonly sides?: readonly Side[];
  readonly roles?: readonly Role[];
  readonly modes?: readonly TlsMode[];
  readonly public?: boolean;
  readonly sasl?: boolean;
  readonly port?: number | readonly number[];
  /** It speaks this protocol. */
  readonly protocol?: Protocol;
  /** It speaks one that is older, than this or than what the profile asks for. */
  readonly protocolBelow?: Protocol | '$lowestProtocol';
  /** It takes a suite of one of these classes, or of those that the profile forbids there. */
  readonly cipherClasses?: readonly CipherClass[] | '$forbiddenCiphers';
  /** It offers one of these mechanisms, before or after TLS. */
  readonly mechanisms?: readonly string[];
  /** It offers authentication before TLS, or one of these mechanisms. */
  readonly authBeforeTls?: boolean | readonly string[];
}

/** A condition of a declarative rule, see rules/rule.schema.json. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | SettingCondition
  | { readonly endpoint: EndpointCondition }
  /** There is an endpoint of the server for which it holds. */
  | { readonly some: Condition }
  /** There is none. */
  | { readonly none: Condition }
  | { readonly release: string };

/** The edits that a declarative rule asks for. */
export interface DeclaredFix {
  readonly kind: 'safe' | 'ask' | 'none';
  /** Values by setting. */
  readonly set?: Readonly<Record<string, string>>;
  /** A setting whose assignment goes. */
  readonly remove?: string;
  /** Words that a list gets at its end, by setting. */
  readonly add?: Readonly<Record<string, string>>;
  /** Words that a list gets at its head. */
  readonly prepend?: Readonly<Record<string, string>>;
  /** Words that a list loses. */
  readonly drop?: Readonly<Record<string, string>>;
  /** The service or section that all this is for, as in a condition. */
  readonly in?: string;
  /** Postfix: where a new setting goes, main.cf or the `-o` of the endpoint's service. */
  readonly scope?: 'main' | 'service';
}

/** A configuration text in an example: one string, or lines that each end with a line feed. */
export type ExampleText = string | readonly string[];

/** A configuration in a rule file that is run as a test and shown on the rule's page. */
export interface Example {
  readonly title?: string;
  readonly files: Readonly<Record<string, ExampleText>>;
  readonly profile?: string;
  readonly postfix?: string;
  readonly dovecot?: string;
  readonly openssl?: string;
  /** The day for which it is judged, `2026-01-31`; without it nothing expires. */
  readonly now?: string;
  /** It stands for a running system: who can read a file, by path; `absent` for one that is not there. */
  readonly system?: Readonly<Record<string, Readers | 'absent'>>;
  /** Whether comments that silence rules have to give a reason. */
  readonly silencing?: { readonly reason: 'required' | 'optional' };
}

/** An example that the rule must report, exactly there. */
export interface BadExample extends Example {
  readonly findings: readonly {
    readonly file: string;
    /** `line:column`, from 1. */
    readonly from: string;
    /** The end, exclusive. */
    readonly to: string;
    readonly message?: string;
    readonly severity?: Severity;
    readonly endpoint?: string;
    readonly says?: string;
  }[];
  readonly fixed?: Readonly<Record<string, ExampleText>>;
}

/** What of a rule is needed to judge and to report. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly applies: {
    /** `any`: what pfharden itself is told in the files of either server. */
    readonly server: 'postfix' | 'dovecot' | 'both' | 'any';
    readonly on: 'host' | 'endpoint';
    readonly side?: Side;
    readonly roles?: readonly Role[];
    readonly releases?: string;
  };
  readonly severity: Readonly<Record<string, LevelByMessage>>;
  readonly why: string;
  readonly references: readonly string[];
  readonly check?: string;
  /**
   * The rule that says more of the same: where it finds something, this one is silent, or leaves out some
   * of its messages.
   */
  readonly yields?: { readonly to: string; readonly messages?: readonly string[] };
  readonly when?: Condition;
  /** By message id; the templates themselves come compiled. */
  readonly messages: Readonly<Record<string, object>>;
  readonly fix: DeclaredFix;
}

/** How a rule is mended by hand. */
export interface ManualFix {
  /** The server whose releases are meant; left out where the rule judges one server alone. */
  readonly server?: 'postfix' | 'dovecot';
  readonly releases: string;
  /** A sentence. */
  readonly do: string;
  /** Lines to write, by file. */
  readonly lines?: Readonly<Record<string, readonly string[]>>;
  /** Commands to run afterwards. */
  readonly run?: readonly string[];
}

/** A rule as its file says it, see rules/rule.schema.json: with all that its page shows. */
export interface RulePage extends Rule {
  readonly messages: Readonly<Record<string, { readonly text: string; readonly advice: string }>>;
  readonly background?: readonly string[];
  readonly wire?: readonly string[];
  /** Why it counts as it does: one sentence for all profiles, or by profile. */
  readonly rationale?: string | Readonly<Record<string, string>>;
  readonly manual?: readonly ManualFix[];
  readonly examples: { readonly bad: readonly BadExample[]; readonly good: readonly Example[] };
}

/** The text of a file of an example. */
export function exampleText(text: ExampleText): string {
  return typeof text === 'string' ? text : text.map((line) => `${line}\n`).join('');
}
