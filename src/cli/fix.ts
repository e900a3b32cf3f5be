import type { FixedFile } from '../fix/fix.ts';
import { fixedPaths } from '../hosts/read.ts';
import { SERVER_NAMES, type Server } from '../model/endpoint.ts';
import { count, shownText } from '../reports/words.ts';
import { andList } from '../rules/messages.ts';
import { SourceFile } from '../text/source.ts';
import { eachHost } from './each-host.ts';
import { UsageError } from './errors.ts';
import type { FixedText, FixOrders } from './fix-host.ts';
import { RequestedHosts } from './hosts.ts';
import { onInterrupt } from './interrupt.ts';
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

  if (listOf(given, 'logs').length === 0 && 'keep-peers' in given)
    throw new UsageError('--keep-peers goes with --logs, which tells of the peers', 'fix');

  const hosts = await RequestedHosts.of(request);
  if (script && hosts.hosts.length > 1) {
    throw new UsageError(
      `--format postconf makes a script for one host, and these are ${hosts.hosts.length}: name one`,
      'fix',
    );
  }
  const rules = await RunRules.of(listOf(given, 'rules'), configsOf(hosts));
  const only = ruleIds(listOf(given, 'only'), 'fix', rules.ruleSet);
  let profiles = await RunProfiles.of(textOf(given, 'profile'), hosts, rules);
  if (listOf(given, 'logs').length > 0) {
    const { fixImpact } = await import('./fix-impact.ts');
    const impact = await fixImpact({ hosts, rules, profiles, given }, only);
    if (impact === null) return 2;
    profiles = impact.profiles;
    // What stands before the first file of a diff is passed over; a script has to begin with its shell.
    for (const line of impact.lines) {
      if (script) err(`${line}\n`);
      else out(write ? `${line}\n` : `# ${line}\n`);
    }
  }
  // The writer alone needs node:crypto, which a lint would load for nothing.
  const writing = write ? await import('../fix/write.ts') : null;
  if (writing !== null) {
    for (const path of writing.finishInterrupted(hosts.hosts.flatMap(({ source }) => fixedPaths(source)))) {
      err(`pfharden: finished writing ${shownText(path)}, which an earlier run was killed at\n`);
    }
  }

  const orders: FixOrders = {
    only: only === undefined ? null : [...only],
    unsafe: isOn(given, 'unsafe'),
    as: write ? 'files' : script ? 'postconf' : 'diff',
  };
  const writer = writing === null ? null : new writing.FixWriter({ backup: isOn(given, 'backup') });
  const forget = writer === null ? () => undefined : onInterrupt(() => writer.abandon());
  const servers = new Set<Server>();
  let mended = 0;
  let silenced = 0;
  try {
    for await (const { outcome } of eachHost('fix', orders, { hosts, rules, profiles, given })) {
      out(outcome.out);
      err(outcome.err);
      writer?.add(outcome.files.map(sources));
      for (const server of outcome.servers) servers.add(server);
      mended += outcome.mended;
      silenced += outcome.silenced;
    }
  } catch (error) {
    writer?.abandon();
    throw error;
  } finally {
    forget();
  }
  if (silenced > 0) {
    const findings = count(silenced, 'finding');
    err(`pfharden: ${findings} silenced by comments, not mended: pfharden lint --show-suppressed\n`);
  }
  if (hosts.failed) {
    writer?.abandon();
    if (writer !== null && servers.size > 0) err('pfharden: nothing was written\n');
    return 2;
  }
  if (writer === null) return servers.size > 0 ? 1 : 0;
  const written = writer.finish();
  for (const { path, backup } of written) {
    out(`wrote ${shownText(path)}${backup === null ? '' : `, the old file is ${shownText(backup)}`}\n`);
  }
  if (written.length > 0) out(`${count(mended, 'finding')} mended; ${reloadText(servers)}\n`);
  return 0;
}

function sources({ path, encoding, before, after }: FixedText): Pick<FixedFile, 'before' | 'after'> {
  return { before: new SourceFile(path, before, encoding), after: new SourceFile(path, after, encoding) };
}

/** How the servers whose files have changed are told. */
function reloadText(changed: ReadonlySet<Server>): string {
  const servers = (['postfix', 'dovecot'] as const).filter((server) => changed.has(server));
  const names = andList(servers.map((server) => SERVER_NAMES[server]));
  return `reload ${names} for it to take effect: ${servers.map((server) => RELOAD[server]).join('; ')}`;
}

const RELOAD: Readonly<Record<Server, string>> = { postfix: 'postfix reload', dovecot: 'doveadm reload' };
