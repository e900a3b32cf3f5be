import { buildHost, type DovecotHost, type Host, type PostfixHost } from '../hosts/host.ts';
import type { Rendering, TemplatedHost } from '../hosts/renderings.ts';
import type { Server } from '../model/endpoint.ts';
import type { Finding } from '../model/finding.ts';
import { secretsOf } from './redact.ts';

/** What rules have found, by their ids. */
export type FoundByRule = Map<string, readonly Finding[]>;

/** What was found before in the same texts: by rules of one server, and by those that look at both. */
export type FoundBefore = Readonly<Record<Server | 'both', FoundByRule>>;

/** Characters of configurations that are kept with all that is known of them. */
const MOST_KEPT = 4_000_000;

/**
 * The servers of the renderings of one host. Many renderings differ in the files of one server only, or in what
 * does not come up in them: what has the same texts is read once, and each rule looks at it once.
 */
export class RenderedServers {
  readonly #host: Host;
  readonly #filled: Readonly<Record<Server, boolean>>;
  readonly #postfix = new Map<string, PostfixHost | null>();
  readonly #dovecot = new Map<string, DovecotHost | null>();
  readonly #found = new Map<string, FoundByRule>();
  #kept = 0;

  /** @param host as it was read, its templates as they are */
  constructor(host: Host, templated: TemplatedHost) {
    this.#host = host;
    this.#filled = { postfix: templated.fills('postfix'), dovecot: templated.fills('dovecot') };
  }

  /** The host of a rendering, and where to keep what is found in it. */
  of(rendering: Rendering): { readonly host: Host; readonly found: FoundBefore } {
    const { input } = rendering;
    const texts = { postfix: rendering.choicesOf('postfix'), dovecot: rendering.choicesOf('dovecot') };
    const postfix = this.#filled.postfix ? this.#postfix.get(texts.postfix) : this.#host.postfix;
    const dovecot = this.#filled.dovecot ? this.#dovecot.get(texts.dovecot) : this.#host.dovecot;
    const host = buildHost(input, {
      ...(postfix === undefined ? {} : { postfix }),
      ...(dovecot === undefined ? {} : { dovecot }),
    });
    if (postfix === undefined || dovecot === undefined) this.#keep(host, texts);
    // The secrets of one server are hidden in what is said of the other.
    const secrets = (server: Server): string =>
      this.#filled[server] && host.postfix !== null && host.dovecot !== null ? secretsOf(host[server]) : '';
    return {
      host,
      found: {
        postfix: this.#foundIn(['postfix', texts.postfix, secrets('dovecot')]),
        dovecot: this.#foundIn(['dovecot', texts.dovecot, secrets('postfix')]),
        both: this.#foundIn(['both', texts.postfix, texts.dovecot]),
      },
    };
  }

  #keep({ postfix, dovecot }: Host, texts: Readonly<Record<Server, string>>): void {
    const { main = null, master = null } = postfix?.configuration ?? {};
    const sources = [main, master, ...(dovecot?.configuration.tree.files ?? [])];
    this.#kept += sources.reduce((sum, file) => sum + (file?.source.text.length ?? 0), 0);
    if (this.#kept > MOST_KEPT) {
      this.#postfix.clear();
      this.#dovecot.clear();
      this.#kept = 0;
    }
    this.#postfix.set(texts.postfix, postfix);
    this.#dovecot.set(texts.dovecot, dovecot);
  }

  #foundIn(texts: readonly string[]): FoundByRule {
    const key = texts.join('\x02');
    const known = this.#found.get(key) ?? new Map<string, readonly Finding[]>();
    this.#found.set(key, known);
    return known;
  }
}
