import { unifiedDiff } from '../fix/diff.ts';
import { type FixResult, proposeFixes } from '../fix/fix.ts';
import { postconfScript } from '../fix/postconf-script.ts';
import { type HostInput, serverOf } from '../hosts/host.ts';
import { fixedPaths } from '../hosts/read.ts';
import { SERVER_NAMES, type Server } from '../model/endpoint.ts';
import { count, shownText } from '../reports/words.ts';
import { andList } from '../rules/messages.ts';
import { UsageError } from './errors.ts';
import { RequestedHosts } from './hosts.ts';
import { isOn, listOf, type Request, textOf } from './options.ts';
import { configsOf, RunRules } from './own-rules.ts';
import { RunProfiles } from './profile-option.ts';
import { ruleIds } from './rule-option.ts';
import { err, out } from './terminal.ts';

/** `pfharden fix`: the smallest diff that mends the findings, printed or applied. */
export async function fix(request: Request): Promise<number> {
  const { given, words } = request;
  const write = isOn(given, 'write');
  const script = textOf(given, 'format') === 'postconf';
  if (write && words.includes('-'))
    throw new UsageError('standard input cannot be written: leave out --write', 'fix');
  if (write && textOf(given, 'format') !== undefined)
    throw new UsageError('--write changes the files and prints nothing: leave out --format', 'fix');
  if (isOn(given, 'backup') && !write) throw new UsageError('--backup goes with --write', 'fix');

  const hosts = await RequestedHosts.of(request);
  if (script && hosts.hosts.length > 1) {
    throw new UsageError(
      `--format postconf makes a script for one host, and these are ${hosts.hosts.length}: name one`,
      'fix',
    );
  }
  const rules = await RunRules.of(listOf(given, 'rules'), configsOf(hosts));
  const only = ruleIds(listOf(given, 'only'), 'fix', rules.ruleSet);
  const profiles = await RunProfiles.of(textOf(given, 'profile'), hosts, rules);
  // The writer alone needs node:crypto, which a lint would load for nothing.
  const writer = write ? await import('../fix/write.ts') : null;
  if (writer !== null) {
    for (const path of writer.finishInterrupted(hosts.hosts.flatMap(({ source }) => fixedPaths(source)))) {
      err(`pfharden: finished writing ${shownText(path)}, which an earlier run was killed at\n`);
    }
  }

  const results: FixResult[] = [];
  let changes = false;
  let silenced = 0;
  for await (const { host, input } of hosts.inputs()) {
    const result = proposeFixes(input, rules.ruleSetOf(host), profiles.of(host), {
      ...(only === undefined ? {} : { only }),
      unsafe: isOn(given, 'unsafe'),
      reasonRequired: host.config?.config.reasonRequired === true,
    });
    silenced += result.suppressed.filter(({ finding: { rule } }) => only?.has(rule) !== false).length;
    changes ||= result.files.length > 0;
    if (writer !== null) results.push(result);
    else if (script) printScript(result, input);
    else printDiff(result);
    sayWhatIsLeft(result, only, write);
  }
  if (silenced > 0) {
    const findings = count(silenced, 'finding');
    err(`pfharden: ${findings} silenced by comments, not mended: pfharden lint --show-suppressed\n`);
  }
  if (hosts.failed) {
    if (writer !== null && changes) err('pfharden: nothing was written\n');
    return 2;
  }
  if (writer === null) return changes ? 1 : 0;
  const files = results.flatMap((result) => result.files);
  const written = writer.writeFiles(files, { backup: isOn(given, 'backup') });
  for (const { path, backup } of written) {
    out(`wrote ${shownText(path)}${backup === null ? '' : `, the old file is ${shownText(backup)}`}\n`);
  }
  const mended = results.reduce((sum, result) => sum + result.mended.length, 0);
  if (written.length > 0) out(`${count(mended, 'finding')} mended; ${reloadText(results)}\n`);
  return 0;
}

/** How the servers whose files have changed are told. */
function reloadText(results: readonly FixResult[]): string {
  const changed = new Set(
    results.flatMap(({ files, before: { input } }) =>
      files.map(({ before }) => serverOf(input, before.path)),
    ),
  );
  const servers = (['postfix', 'dovecot'] as const).filter((server) => changed.has(server));
  const names = andList(servers.map((server) => SERVER_NAMES[server]));
  return `reload ${names} for it to take effect: ${servers.map((server) => RELOAD[server]).join('; ')}`;
}

const RELOAD: Readonly<Record<Server, string>> = { postfix: 'postfix reload', dovecot: 'doveadm reload' };

function printDiff({ files }: FixResult): void {
  for (const file of files) {
    const { path, text, encoding, withheld } = unifiedDiff(file);
    out(Buffer.from(text, encoding));
    for (const line of new Set(withheld)) {
      err(
        `${shownText(path)}:${line}: changes beside a secret, which no diff shows: --write makes the change\n`,
      );
    }
  }
}

/** The script is for Postfix alone: Dovecot has no program that edits its files. */
function printScript({ before, after, files }: FixResult, input: HostInput): void {
  const { root, postfix, dovecot } = input;
  if (files.some((file) => serverOf(input, file.before.path) === 'dovecot')) {
    err(
      `${shownText(dovecot?.directory ?? root)}: postconf knows nothing of Dovecot: leave out --format postconf for a diff of its files\n`,
    );
  }
  if (files.length === 0) return;
  const { text, impossible } = postconfScript(before, after);
  out(text);
  for (const what of impossible)
    err(`${shownText(postfix?.directory ?? root)}: postconf cannot do this: ${shownText(what)}\n`);
}

/** What was not mended and why, one line each, on standard error; the line is that of the file as it is now on the disk. */
function sayWhatIsLeft(
  { left, findingsBefore }: FixResult,
  only: ReadonlySet<string> | undefined,
  written: boolean,
): void {
  for (const { finding, reason } of left) {
    if (only !== undefined && !only.has(finding.rule)) continue;
    const before = findingsBefore.find(({ fingerprint }) => fingerprint === finding.fingerprint);
    const { source, span } = (written ? finding : (before ?? finding)).at;
    const { line } = source.position(span.start);
    err(`${shownText(source.path)}:${line} ${finding.rule}: ${shownText(reason, 300)}\n`);
  }
}
