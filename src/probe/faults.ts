/** Why a server gave no answer that can be used. */
export type FaultKind =
  /** No connection: refused, no route, no such name. */
  | 'unreachable'
  /** It said nothing in time. */
  | 'timeout'
  /** It hung up. */
  | 'closed'
  /** It answered with something that is not the protocol expected. */
  | 'garbage'
  /** It talked on and on. */
  | 'too-long'
  /** It said that it will not serve us now: too many connections, shutting down. */
  | 'busy'
  /** It does not offer STARTTLS. */
  | 'no-starttls'
  /** It offers STARTTLS and refuses the command. */
  | 'starttls-refused'
  /** TLS was begun and no protocol or suite was agreed on. */
  | 'no-handshake'
  /** Questions were left unasked. */
  | 'incomplete';

/** Something that went wrong with a port. What a server said is quoted as it came and may hold anything. */
export interface Fault {
  readonly kind: FaultKind;
  /** In words, without the host. */
  readonly text: string;
  /** How often it was met. */
  readonly count: number;
}

/** Ends a conversation. Thrown inside the prober only: callers of `probe` get faults as data. */
export class ProbeFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, text: string) {
    super(text);
    this.kind = kind;
  }
}

/** Collects faults, the same ones together. */
export class Faults {
  readonly #found = new Map<string, Fault>();

  add(kind: FaultKind, text: string): void {
    const key = `${kind} ${text}`;
    this.#found.set(key, { kind, text, count: (this.#found.get(key)?.count ?? 0) + 1 });
  }

  has(kind: FaultKind): boolean {
    return [...this.#found.values()].some((fault) => fault.kind === kind);
  }

  list(): readonly Fault[] {
    return [...this.#found.values()];
  }
}
