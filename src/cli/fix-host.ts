import { type FixResult, proposeFixes } from '../fix/fix.ts';
import { postconfScript } from '../fix/postconf-script.ts';
import { type HostInput, serverOf } from '../hosts/host.ts';
import type { Server } from '../model/endpoint.ts';
import { type FixedHost, fixedHost } from '../reports/fixed.ts';
import { shownText } from '../reports/words.ts';
import type { Encoding } from '../text/source.ts';
import type { JudgedBy } from './host-work.ts';

/** What a run of `fix` asks of every host, as plain data. */
export interface FixOrders {
  /** Ids of rules; null for all. */
  readonly only: readonly string[] | null;
  readonly unsafe: boolean;
  /** What becomes of the fixes. */
  readonly as: 'diff' | 'postconf' | 'files';
}

/** A file and its fixed text, as plain data. */
export interface FixedText {
  readonly path: string;
  readonly encoding: Encoding;
  readonly before: string;
  readonly after: string;
}

/** What fixing one host comes to, as plain data. */
export interface FixOutcome {
  /** For standard output, in the encodings of the files. */
  readonly out: Uint8Array;
  /** For standard error: what is left, and why. */
  readonly err: string;
  /** Files would change, of these servers. */
  readonly servers: readonly Server[];
  /** How many findings are mended, and how many are not because a comment silences them. */
  readonly mended: number;
  readonly silenced: number;
  /** What is to be written; empty where the orders ask for none. */
  readonly files: readonly FixedText[];
}

/** What is said on the two outputs. */
interface Said {
  out: Buffer[];
  err: string[];
}

/** Makes what mends the hosts of a run: a pure function from the texts of one. */
export function hostFixer(orders: FixOrders): (input: HostInput, by: JudgedBy) => FixOutcome {
  const { unsafe, as } = orders;
  const only = orders.only === null ? undefined : new Set(orders.only);
  return (input, { ruleSet, profile, reasonRequired, known }) => {
    const options = {
      ...(only === undefined ? {} : { only }),
      ...(known === undefined ? {} : { known }),
      unsafe,
      reasonRequired,
    };
    const result = proposeFixes(input, ruleSet, profile, options);
    const fixed = fixedHost(result, { only, written: as === 'files' });
    const said: Said = { out: [], err: [] };
    if (as === 'diff') sayDiff(fixed, said);
    if (as === 'postconf') sayScript(result, input, said);
    sayWhatIsLeft(fixed, said);
    return {
      out: Buffer.concat(said.out),
      err: said.err.join(''),
      servers: [...new Set(result.files.map(({ server }) => server))],
      mended: fixed.mended.length,
      silenced: fixed.silenced,
      files:
        as !== 'files'
          ? []
          : result.files.map(({ before, after }) => ({
              path: before.path,
              encoding: before.encoding,
              before: before.text,
              after: after.text,
            })),
    };
  };
}

function sayDiff({ files }: FixedHost, { out, err }: Said): void {
  for (const { diff } of files) {
    const { path, text, encoding, withheld } = diff;
    out.push(Buffer.from(text, encoding));
    for (const line of new Set(withheld)) {
      err.push(
        `${shownText(path)}:${line}: changes beside a secret, which no diff shows: --write makes the change\n`,
      );
    }
  }
}

/** The script is for Postfix alone: Dovecot has no program that edits its files. */
function sayScript({ before, after, files }: FixResult, input: HostInput, { out, err }: Said): void {
  const { root, postfix, dovecot } = input;
  if (files.some((file) => serverOf(input, file.before.path) === 'dovecot')) {
    err.push(
      `${shownText(dovecot?.directory ?? root)}: postconf knows nothing of Dovecot: leave out --format postconf for a diff of its files\n`,
    );
  }
  if (files.length === 0) return;
  const { text, impossible } = postconfScript(before, after);
  out.push(Buffer.from(text));
  for (const what of impossible)
    err.push(`${shownText(postfix?.directory ?? root)}: postconf cannot do this: ${shownText(what)}\n`);
}

/** What was not mended and why, one line each. */
function sayWhatIsLeft({ left }: FixedHost, { err }: Said): void {
  for (const { file, line, rule, reason } of left)
    err.push(`${shownText(file)}:${line} ${rule}: ${shownText(reason, 300)}\n`);
}
