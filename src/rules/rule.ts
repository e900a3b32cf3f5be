import type { Role, Side } from '../model/endpoint.ts';
import type { Readers } from '../model/file-facts.ts';
import type { Severity } from '../model/finding.ts';

/** How much a rule counts under a profile. */
export type Level = Severity | 'off';

/** One level for the whole rule, or by message id. */
export type LevelByMessage = Level | Readonly<Record<string, Level>>;

/** A condition of a declarative rule, see rules/rule.schema.json. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | {
      readonly setting: string;
      readonly is?: string;
      readonly oneOf?: readonly string[];
      readonly matches?: string;
      readonly contains?: string;
      readonly below?: number;
      readonly above?: number;
      readonly explicit?: boolean;
    }
  | {
      readonly endpoint: {
        readonly roles?: readonly Role[];
        readonly modes?: readonly string[];
        readonly public?: boolean;
        readonly sasl?: boolean;
        readonly port?: number;
      };
    }
  | { readonly release: string };

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
    readonly server: 'postfix' | 'dovecot' | 'both';
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
  readonly fix: {
    readonly kind: 'safe' | 'ask' | 'none';
    readonly set?: Readonly<Record<string, string>>;
    readonly remove?: string;
  };
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
