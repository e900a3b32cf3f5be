import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unifiedDiff } from '../../src/fix/diff.ts';
import {
  causedFindings,
  type FixedFile,
  type FixResult,
  type JudgedHost,
  proposeFixes,
} from '../../src/fix/fix.ts';
import { encode } from '../../src/hosts/files.ts';
import { type Host, type HostInput, withTexts } from '../../src/hosts/host.ts';
import { judgement } from '../../src/rules/evaluate.ts';
import type { Profile } from '../../src/rules/profile.ts';
import { BUILTIN_RULES } from '../../src/rules/rule-set.ts';
import type { SourceFile } from '../../src/text/source.ts';

/** What must hold of every fix; each line says what does not. */
export function fixFaults(
  input: HostInput,
  profile: Profile,
  options: { readonly unsafe?: boolean } = {},
): { result: FixResult; faults: string[] } {
  const result = proposeFixes(input, BUILTIN_RULES, profile, options);
  const faults: string[] = [];
  const judged = (host: Host): JudgedHost => ({ host, ...judgement(host, BUILTIN_RULES, profile) });
  for (const finding of causedFindings(judged(result.before), judged(result.after))) {
    faults.push(`new finding ${finding.rule}: ${finding.message}`);
  }
  const changed = new Map(result.files.map(({ after }) => [after.path, after]));
  const again = proposeFixes(withTexts(input, changed), BUILTIN_RULES, profile, options);
  for (const file of again.files) {
    faults.push(
      `a second fix changes ${file.before.path}: ${again.mended.map(({ rule }) => rule).join(', ')}\n${lineChanges(file)}`,
    );
  }
  for (const file of result.files) {
    faults.push(...lostLines(file.before, file.after));
    faults.push(...patchFaults(file));
  }
  return { result, faults };
}

function lineChanges(file: FixedFile): string {
  return unifiedDiff(file).text;
}

/** Comments and blank lines that are gone or stand in another order. */
function lostLines(before: SourceFile, after: SourceFile): string[] {
  const kept = (text: string): string[] => text.split('\n').filter((line) => /^\s*(#|$)/.test(line));
  const lines = kept(after.text);
  let at = 0;
  const lost: string[] = [];
  for (const line of kept(before.text)) {
    const found = lines.indexOf(line, at);
    if (found < 0) lost.push(`${before.path} lost the line ${JSON.stringify(line)}`);
    else at = found + 1;
  }
  return lost;
}

/** The diff must turn the old bytes into the new ones, by patch(1) and by git. */
function patchFaults(fixed: FixedFile): string[] {
  const { before, after } = fixed;
  const { text, encoding, withheld } = unifiedDiff(fixed);
  if (withheld.length > 0) return [];
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'pfharden-patch-'));
  try {
    const faults: string[] = [];
    const name = /^--- a\/(.*)$/m.exec(text)?.[1] ?? '';
    const file = path.join(folder, name);
    for (const [tool, args] of [
      ['patch', ['-p1', '--no-backup-if-mismatch', '--binary', '-s']],
      ['git', ['apply', '--whitespace=nowarn']],
    ] as const) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, encode(before));
      const { status, stdout, stderr } = spawnSync(tool, args, {
        cwd: folder,
        input: Buffer.from(text, encoding),
      });
      if (status !== 0)
        faults.push(
          `${tool} refuses the diff of ${before.path}: ${stdout.toString()}${stderr.toString()}\n${text}`,
        );
      else if (!fs.readFileSync(file).equals(encode(after)))
        faults.push(`${tool} makes another text of ${before.path}`);
    }
    return faults;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
