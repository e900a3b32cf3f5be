import fc from 'fast-check';
import { type Migration, migration } from '../../src/dovecot/migration/migrate.ts';
import { applyEdits } from '../../src/text/edits.ts';
import { dovecot, type Texts } from '../support/dovecot.ts';
import { EXACT, UNDECIDED } from '../support/migration-cases.ts';

const VERSION = ['dovecot_config_version = 2.4.1', 'dovecot_storage_version = 2.4.1'];

function migrationOf(texts: Texts | string): Migration | null {
  const { tree, table } = dovecot(texts, '2.4.1');
  return migration(tree, table);
}

/** The files after all steps. */
function migrated(texts: Texts): Texts {
  const found = migrationOf(texts);
  if (found === null) return texts;
  const edits = [...found.versionEdits('2.4.1'), ...found.steps.flatMap((step) => step.edits)];
  return Object.fromEntries(
    Object.entries(texts).map(([path, text]) => [path, applyEdits(path, text, edits)]),
  );
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

it.each(EXACT)('rewrites $old', ({ old, modern }) => {
  const text = textOf(old);
  expect(migrated({ 'dovecot.conf': text })).toEqual({ 'dovecot.conf': textOf([...VERSION, ...modern]) });
  expect(migrationOf(text)?.steps.filter(({ kind }) => kind === 'decide' || kind === 'unknown')).toEqual([]);
});

it.each(UNDECIDED)('leaves %s to be decided in %j', (key, old) => {
  const steps = migrationOf(textOf(old))?.steps ?? [];
  expect(steps.filter(({ kind }) => kind === 'decide').map((step) => step.key)).toEqual([key]);
  const after = migrated({ 'dovecot.conf': textOf(old) })['dovecot.conf'] ?? '';
  const lines = after.split('\n');
  const mark = lines.findIndex((line) => /^ *# To be decided for Dovecot 2\.4: /.test(line));
  // What is to be decided stays as it is, below its comment.
  expect(old.map((line) => line.trim())).toContain(lines[mark + 1]?.trim());
  expect(lines[mark + 1]?.trim().startsWith(key)).toBe(true);
});

it('is silent where the files are of 2.4 already, and where nothing in them is old', () => {
  expect(migrationOf('dovecot_config_version = 2.4.0\ndisable_plaintext_auth = yes\n')).toBeNull();
  expect(migrationOf('ssl_server_cert_file = /etc/ssl/mx.pem\nssl_ca = x\n')).toBeNull();
  expect(migrationOf('ssl = required\nprotocols = imap\n')).toBeNull();
  expect(migrationOf('imap_gizmo = yes\n')).toBeNull();
});

it('leaves files of packages alone, and reads a file twice that is included twice', () => {
  const texts = {
    'dovecot.conf': '!include /usr/share/dovecot/x\n!include a\n!include a\n',
    '/usr/share/dovecot/x': 'protocols = $protocols imap\n',
    a: 'ssl_cert = </etc/ssl/mx.pem\n',
  };
  expect(migrated(texts)).toEqual({
    ...texts,
    'dovecot.conf': textOf([...VERSION, ...texts['dovecot.conf'].trimEnd().split('\n')]),
    a: 'ssl_server_cert_file = /etc/ssl/mx.pem\n',
  });
});

it('marks nothing twice where there is no dovecot.conf to say the version', () => {
  const [, old] = UNDECIDED[0] ?? [];
  const found = migrationOf(textOf(old ?? []));
  const once = applyEdits(
    'dovecot.conf',
    textOf(old ?? []),
    found?.steps.flatMap(({ edits }) => edits) ?? [],
  );
  expect(once).toContain('To be decided');
  expect(migrationOf(once)?.steps.flatMap(({ edits }) => edits)).toEqual([]);
});

it('keeps comments, blank lines and line ends, and is done after one time', () => {
  const pieces = [...EXACT.map(({ old }) => old), ...UNDECIDED.map(([, old]) => old)];
  const extra = fc.constantFrom('', '# why', '\t# why not ', '#ssl_cert = <old');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...pieces), extra), { minLength: 1, maxLength: 8 }),
      fc.constantFrom('\n', '\r\n'),
      (chosen, end) => {
        const text = chosen.flatMap(([lines, comment]) => [comment, ...lines]).join(end) + end;
        const after = migrated({ 'dovecot.conf': text })['dovecot.conf'] ?? '';
        const kept = (of: string): string[] =>
          of.split('\n').filter((line) => /^\s*(#(?! To be decided)|\r?$)/.test(line));
        expect(kept(after)).toEqual(kept(text));
        expect(
          after
            .split('\n')
            .slice(0, -1)
            .every((line) => line.endsWith('\r') === (end === '\r\n')),
        ).toBe(true);
        expect(migrated({ 'dovecot.conf': after })['dovecot.conf']).toBe(after);
      },
    ),
  );
});
