import { SourceFile } from '../text/source.ts';
import type { HostInput } from './host.ts';

/** How the files around a host are asked for: by what its settings name, by what Dovecot includes, and the names in a folder. */
type Kind = 'named' | 'included' | 'listed';

/** What there was: a file, the names in a folder, or nothing. */
type Answer = SourceFile | readonly string[] | null;

/**
 * What was asked of the files around a host, and what there was. What was worked out from a host holds for another
 * with the same texts, if that one answers all the same.
 */
export class Looks {
  readonly #answers: Readonly<Record<Kind, Map<string, Answer>>> = {
    named: new Map(),
    included: new Map(),
    listed: new Map(),
  };
  #asked: HostInput | null;

  constructor(input: HostInput) {
    this.#asked = input;
  }

  /** The host is done: neither it is kept, nor what is known of the files that it had. */
  letGo(): void {
    this.#asked = null;
    for (const answers of Object.values(this.#answers))
      for (const [path, answer] of answers)
        if (answer !== null && 'text' in answer)
          answers.set(path, new SourceFile(answer.path, answer.text, answer.encoding));
  }

  /** A file that a setting names. */
  readonly named = (path: string): SourceFile | null => this.#look('named', path) as SourceFile | null;

  /** A file that Dovecot includes. */
  readonly included = (path: string): SourceFile | null => this.#look('included', path) as SourceFile | null;

  /** The names in a folder of Dovecot's files. */
  readonly listed = (path: string): readonly string[] | null =>
    this.#look('listed', path) as readonly string[] | null;

  /** The host, each look of it remembered. */
  through(input: HostInput): HostInput {
    const { dovecot } = input;
    return {
      ...input,
      first: firstOf(input),
      open: this.named,
      dovecot: dovecot === null ? null : { ...dovecot, open: this.included, entries: this.listed },
    };
  }

  /**
   * Whether a host answers as the ones before did; then it is the one that is asked from now on, unless one is that
   * was made from the same host: that may ask through these looks itself.
   */
  agreesWith(input: HostInput): boolean {
    for (const kind of ['included', 'listed', 'named'] as const)
      for (const [path, answer] of this.#answers[kind])
        if (!isSame(answer, ask(input, kind, path))) return false;
    if (this.#asked === null || firstOf(this.#asked) !== firstOf(input)) this.#asked = input;
    return true;
  }

  #look(kind: Kind, path: string): Answer {
    const answers = this.#answers[kind];
    let answer = answers.get(path);
    if (answer === undefined) {
      if (this.#asked === null) throw new Error(`there is no host to be asked for ${path}`);
      answers.set(path, (answer = ask(this.#asked, kind, path)));
    }
    return answer;
  }
}

/** The host from which one was made, by whatever steps. */
export function firstOf(input: HostInput): HostInput {
  return input.first ?? input;
}

function ask({ open, dovecot }: HostInput, kind: Kind, path: string): Answer {
  if (kind === 'named') return open(path);
  if (dovecot === null) return null;
  return kind === 'included' ? dovecot.open(path) : dovecot.entries(path);
}

function isSame(one: Answer, other: Answer): boolean {
  if (one === other) return true;
  if (one === null || other === null) return false;
  if ('text' in one)
    return (
      'text' in other && one.text === other.text && one.path === other.path && one.encoding === other.encoding
    );
  return !('text' in other) && one.length === other.length && one.every((name, at) => name === other[at]);
}
