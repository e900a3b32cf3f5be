// Comments that silence rules change nothing that the real servers read: real configurations, with a comment
// at every place where one may stand, give the same output of postconf and doveconf. Then the places where
// what looks like a comment is none.
import fs from 'node:fs';
import path from 'node:path';
import { dialectOf } from '../../src/dovecot/syntax/dialect.ts';
import { parseDovecot } from '../../src/dovecot/syntax/parse.ts';
import { decode, encode } from '../../src/hosts/files.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { SourceFile } from '../../src/text/source.ts';
import { dovecotCases, postfixCases } from '../support/corpus.ts';
import { hostFromTexts } from '../support/host.ts';
import { FOLDER, inRoot, type Root, roots } from './roots.ts';

const full = process.env.PFHARDEN_FULL !== undefined;
/** Without --full every fourth case. */
const STEP = full ? 1 : 4;
const COMMENTS = [
  '# pfharden: ignore syntax -- a test',
  '   # pfharden: ignore-file syntax until 2030-01-01',
];

/** A comment before each line that `may` allows one before, of both forms in turn. */
function commented({ path: name, text, encoding }: SourceFile, may: (line: number) => boolean): SourceFile {
  const end = text.includes('\r\n') ? '\r' : '';
  const lines = text
    .split('\n')
    .flatMap((line, index) => (may(index) ? [`${COMMENTS[index % 2]}${end}`, line] : [line]));
  return new SourceFile(name, lines.join('\n'), encoding);
}

/** Lines of Dovecot before which a comment may stand: those that begin a statement. */
function statementLines(source: SourceFile, root: Root): (line: number) => boolean {
  const { statements } = parseDovecot(source, dialectOf(root.dovecot));
  const starts = new Set(statements.map(({ line }) => line.firstLine));
  return (line) => starts.has(line);
}

/**
 * Numbers of lines go, as they differ, and so does the number of the process, which values may show;
 * postconf 3.10 and 3.11 list config_directory in one run and not in the next over the same files.
 */
function comparable(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('config_directory = '))
    .map((line) => line.replace(/,? line \d+|(?<=\.conf):\d+/g, '').replace(/postconf \d+/g, 'postconf'));
}

/** Each warning once: postconf gives them in any order and number, and of a doubled entry names the other one when it reads the file again. */
function warnings(text: string): string[] {
  return [...new Set(comparable(text))].filter((line) => !line.includes('overriding earlier entry')).sort();
}

let compared = 0;
let inserted = 0;
afterAll(() => {
  process.stdout.write(
    `configurations with comments held against the servers: ${compared}, comments: ${inserted}\n`,
  );
});

describe.each(roots().map((root, turn) => ({ name: root.release, root, turn })))(
  '$name',
  ({ root, turn }) => {
    const inside = `/tmp/pfh-${process.pid}-silencing`;
    const home = path.join(root.path, inside);
    afterAll(() => {
      fs.rmSync(home, { recursive: true, force: true });
    });

    function write(name: string, which: 'old' | 'new', source: SourceFile): void {
      const file = path.join(home, name, which, source.path);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, encode(source));
      if (which === 'new') inserted += source.text.split('# pfharden: ').length - 1;
    }

    /** Runs a command in the old and the new folder of each case, and says where it answers differently. */
    function differences(names: readonly string[], command: string): string[] {
      // Both stand at one path while they are read, because values show it.
      const script = [
        `cd ${inside}`,
        'for case in "$@"; do for which in old new; do',
        `  mv $case/$which $case/now; ( cd $case/now && ${command} ) >$case/$which.out 2>$case/$which.err </dev/null; rm -r $case/now`,
        'done; done',
      ].join('\n');
      const { status } = inRoot(root, ['sh', '-c', script, 'sh', ...names]);
      expect(status).not.toBeNull();
      return names.flatMap((name) => {
        const [old, now] = ['old', 'new'].map((which) => {
          const read = (end: string): string =>
            fs.readFileSync(path.join(home, name, `${which}.${end}`), 'latin1');
          return [...comparable(read('out')), ...warnings(read('err'))];
        });
        compared++;
        const lost = old?.filter((line) => now?.includes(line) !== true) ?? [];
        const added = now?.filter((line) => old?.includes(line) !== true) ?? [];
        const same = JSON.stringify(old) === JSON.stringify(now);
        return same ? [] : [`${name}: ${JSON.stringify({ lost, added })}`];
      });
    }

    it('postconf reads what it read', () => {
      const names = postfixCases()
        .filter((_, index) => index % STEP === turn % STEP)
        .map(({ id, folder }) => {
          for (const file of ['main.cf', 'master.cf']) {
            const at = path.join(folder, file);
            const source = decode(file, fs.existsSync(at) ? fs.readFileSync(at) : Buffer.from(''));
            write(id, 'old', source);
            write(
              id,
              'new',
              commented(source, () => true),
            );
          }
          return id;
        });
      expect(differences(names, 'for option in -n -nx -M -P; do postconf -c $PWD $option; done')).toEqual([]);
    });

    it('doveconf reads what it read', () => {
      const names = dovecotCases()
        .filter((_, index) => index % STEP === turn % STEP)
        .map(({ id, folder }) => {
          for (const file of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
            const at = path.join(folder, file);
            if (!fs.statSync(at).isFile()) continue;
            const source = decode(file, fs.readFileSync(at));
            write(id, 'old', source);
            write(
              id,
              'new',
              file.endsWith('.conf') ? commented(source, statementLines(source, root)) : source,
            );
          }
          return id;
        });
      expect(differences(names, 'doveconf -n -c dovecot.conf')).toEqual([]);
    });

    const head = root.dovecot.startsWith('2.3')
      ? ''
      : `dovecot_config_version = ${root.dovecot}\ndovecot_storage_version = ${root.dovecot}\n`;
    const C = '# pfharden: ignore syntax';

    /** What pfharden says of the comments of a text. */
    function said(file: string, text: string): string[] {
      const host = hostFromTexts({ [file]: text }, { postfix: root.postfix, dovecot: root.dovecot });
      const only = new Set(['silencing/malformed']);
      return evaluate(host, BUILTIN_RULES, builtinProfile('modern'), { only }).map(
        ({ messageId }) => messageId,
      );
    }

    it.each([
      [
        'between the lines of a value',
        `mynetworks = 127.0.0.0/8,\n${C}\n  ${C}\n\n  10.0.0.0/8\n`,
        '127.0.0.0/8, 10.0.0.0/8',
        [],
      ],
      ['behind a value', `mynetworks = 127.0.0.0/8 ${C}\n`, `127.0.0.0/8 ${C}`, ['in-value']],
      [
        'behind a line of a value',
        `mynetworks = 127.0.0.0/8, ${C}\n  10.0.0.0/8\n`,
        `127.0.0.0/8, ${C}  10.0.0.0/8`,
        ['in-value'],
      ],
      ['in a value', `mynetworks = ${C}\n`, C, ['in-value']],
      ['between a name and its value', `mynetworks =\n${C}\n  10.0.0.0/8\n`, '10.0.0.0/8', []],
    ])('Postfix: a comment %s', (_, main, value, faults) => {
      const { stdout } = inRoot(root, ['postconf', '-c', FOLDER, '-h', 'mynetworks'], {
        files: { 'main.cf': main, 'master.cf': '' },
      });
      expect(stdout.trim().replace(/\s+/g, ' ')).toBe(value.replace(/\s+/g, ' '));
      expect(said('main.cf', main)).toEqual(faults);
    });

    it.each([
      [
        'before an -o line',
        `a inet n - y - - smtpd\n${C}\n  -o syslog_name=a\n   ${C}\n  -o max_use=1\n`,
        '-o syslog_name=a -o max_use=1',
        [],
      ],
      [
        'within braces',
        `a inet n - y - - smtpd\n  -o { syslog_name =\n${C}\n    a }\n`,
        '-o syslog_name=a',
        [],
      ],
      [
        'behind an -o',
        `a inet n - y - - smtpd\n  -o syslog_name=a ${C}\n`,
        `-o syslog_name=a ${C}`,
        ['in-value'],
      ],
    ])('Postfix: a comment in master.cf %s', (_, master, options, faults) => {
      const { stdout } = inRoot(root, ['postconf', '-c', FOLDER, '-M'], {
        files: { 'main.cf': '', 'master.cf': master },
      });
      expect(stdout.trim().replace(/\s+/g, ' ')).toBe(`a inet n - y - - smtpd ${options}`);
      expect(said('master.cf', master)).toEqual(faults);
    });

    it.each([
      ['before a setting', `${C}\n  ${C}\n\nlogin_greeting = a\n`, 'login_greeting = a', []],
      ['behind a setting', `login_greeting = a ${C}\n`, 'login_greeting = a', ['behind']],
      ['in quotes', `login_greeting = "a ${C}"\n`, `a ${C}`, ['in-value']],
      ['behind a backslash', `login_greeting = a \\ ${C}\n  b\n`, 'login_greeting = a b', ['behind']],
      [
        'behind the last of two lines',
        `login_greeting = a \\\n  b ${C}\n`,
        'login_greeting = a b',
        ['behind'],
      ],
      [
        'between two lines that are joined',
        `login_greeting = a \\\n${C}\n  b\n`,
        "Expecting '{'",
        ['breaks-line'],
      ],
      [
        'at the end of a block',
        `login_greeting = a\nprotocol imap {\n${C}\n}\n`,
        'login_greeting = a',
        ['nothing-follows'],
      ],
    ])('Dovecot: a comment %s', (_, conf, answer, faults) => {
      const text = `${head}${conf}`;
      const { stdout, stderr } = inRoot(root, ['doveconf', '-n', '-c', `${FOLDER}/dovecot.conf`], {
        files: { 'dovecot.conf': text },
      });
      expect(`${stdout}${stderr}`).toContain(answer);
      expect(said('dovecot.conf', text)).toEqual(faults);
    });
  },
);
