import type { DovecotConfiguration } from '../dovecot/configuration.ts';
import type { DovecotEndpoint } from '../dovecot/endpoints.ts';
import type { Host } from '../hosts/host.ts';
import type { Fix, Related } from '../model/finding.ts';
import type { EffectiveValue } from '../model/setting.ts';
import type { PostfixConfiguration } from '../postfix/configuration.ts';
import type { PostfixEndpoint } from '../postfix/endpoints.ts';
import type { Location } from '../text/source.ts';
import type { Profile } from './profile.ts';
import type { SilencingComment } from './silencing/places.ts';
import type { RuleNames, Silenced } from './silencing/suppress.ts';

/** What a check of Postfix may look at. */
export interface CheckContext {
  readonly host: Host;
  readonly postfix: PostfixConfiguration;
  readonly endpoints: readonly PostfixEndpoint[];
  readonly profile: Profile;
}

/** What a check of Dovecot may look at. */
export interface DovecotCheckContext {
  readonly host: Host;
  readonly dovecot: DovecotConfiguration;
  readonly endpoints: readonly DovecotEndpoint[];
  readonly profile: Profile;
}

/** What a check of both servers of a host may look at. */
export interface CrossCheckContext {
  readonly host: Host;
  readonly postfix: CheckContext;
  readonly dovecot: DovecotCheckContext;
  readonly profile: Profile;
}

/** What a check of the comments that silence rules may look at. */
export interface SilencingContext {
  readonly host: Host;
  readonly silenced: Silenced;
  readonly names: RuleNames;
  /** Each comment has to give a reason. */
  readonly reasonRequired: boolean;
  /** True where it is sure that a rule finds nothing which the comment could silence. */
  readonly isSilent: (id: string, comment: SilencingComment) => boolean;
}

/** An endpoint of either server; `server` tells them apart. */
export type JudgedEndpoint = PostfixEndpoint | DovecotEndpoint;

/** A fix as a check proposes it; safe or not is the rule's to say, unless the check knows better. */
export type ProposedFix = Omit<Fix, 'safe'> & { readonly safe?: boolean };

/** What a check found: typed data; the words are made elsewhere from the rule's templates. */
export interface Report {
  /** Message id of the rule; `default` when left out. */
  readonly message?: string;
  /** What the templates of the message use. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** The line that decides. */
  readonly at: Location;
  /** The endpoint concerned; null for the host as a whole. */
  readonly endpoint?: JudgedEndpoint | null;
  /** The value that is judged: gives setting, actual and where it comes from. */
  readonly of?: EffectiveValue | null;
  /** Name of the setting, where `of` does not give it. */
  readonly setting?: string;
  readonly actual?: string;
  readonly expected?: string;
  readonly related?: readonly Related[];
  readonly fix?: ProposedFix | null;
}

/** A check in code, named by rule files. It reports in any order; nothing is found twice at one place. */
export type CheckOf<Context> = (context: Context) => Iterable<Report>;

/** A check of Postfix. */
export type Check = CheckOf<CheckContext>;

/** A check of Dovecot. */
export type DovecotCheck = CheckOf<DovecotCheckContext>;

/** A check of the comments that silence rules. */
export type SilencingCheck = CheckOf<SilencingContext>;

/** A check that needs both servers of one host. */
export type CrossCheck = CheckOf<CrossCheckContext>;
