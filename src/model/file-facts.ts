/** Who can read a file: its owner alone, a group as well, or everybody. */
export type Readers = 'owner' | 'group' | 'others';

/** What is known of a file of the running system besides its text. */
export interface FileFacts {
  /** False: it is not there. Null: that cannot be told. */
  readonly exists: boolean | null;
  /** Null where it cannot be told. */
  readonly readers: Readers | null;
}

/** Of a file in a copy or a repository: whether it is there says nothing of the system, and neither does its mode. */
export const NOTHING_KNOWN: FileFacts = { exists: null, readers: null };
