import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FixedFile } from '../../src/fix/fix.ts';
import { FixWriter, finishInterrupted, WriteError, writeFiles } from '../../src/fix/write.ts';
import { decode } from '../../src/hosts/files.ts';
import { SourceFile } from '../../src/text/source.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'pfharden-write-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function file(name: string, before: string | Buffer, after: string): FixedFile {
  const path = join(folder, name);
  fs.writeFileSync(path, before);
  const source = decode(path, fs.readFileSync(path));
  return { server: 'postfix', before: source, after: new SourceFile(path, after, source.encoding) };
}

const names = (): string[] => fs.readdirSync(folder).sort();

describe('writeFiles', () => {
  it('writes all files and leaves nothing else', () => {
    const files = [file('main.cf', 'a = 1\n', 'a = 2\n'), file('master.cf', 'x\n', 'y\n')];
    expect(writeFiles(files, { backup: false }).map(({ backup }) => backup)).toEqual([null, null]);
    expect(fs.readFileSync(join(folder, 'main.cf'), 'utf8')).toBe('a = 2\n');
    expect(fs.readFileSync(join(folder, 'master.cf'), 'utf8')).toBe('y\n');
    expect(names()).toEqual(['main.cf', 'master.cf']);
  });

  it('keeps mode, and the old text as a backup that never replaces an older one', () => {
    const first = file('main.cf', 'a = 1\n', 'a = 2\n');
    fs.chmodSync(first.before.path, 0o640);
    writeFiles([first], { backup: true });
    const second = {
      server: 'postfix' as const,
      before: decode(first.before.path, fs.readFileSync(first.before.path)),
      after: new SourceFile(first.before.path, 'a = 3\n'),
    };
    writeFiles([second], { backup: true });
    expect(names()).toEqual(['main.cf', 'main.cf.bak', 'main.cf.bak.1']);
    expect(fs.readFileSync(join(folder, 'main.cf.bak'), 'utf8')).toBe('a = 1\n');
    expect(fs.readFileSync(join(folder, 'main.cf.bak.1'), 'utf8')).toBe('a = 2\n');
    for (const name of names()) expect(fs.statSync(join(folder, name)).mode & 0o777).toBe(0o640);
  });

  it('follows a link to its target and keeps the link', () => {
    const real = file('real.cf', 'a = 1\n', '');
    const link = join(folder, 'main.cf');
    fs.symlinkSync('real.cf', link);
    writeFiles(
      [
        {
          before: new SourceFile(link, real.before.text),
          after: new SourceFile(link, 'a = 2\n'),
        },
      ],
      {
        backup: false,
      },
    );
    expect(fs.readlinkSync(link)).toBe('real.cf');
    expect(fs.readFileSync(join(folder, 'real.cf'), 'utf8')).toBe('a = 2\n');
  });

  it('gives bytes that are no UTF-8 back as they were', () => {
    const bytes = Buffer.from([0x61, 0x20, 0x3d, 0x20, 0xe9, 0xff, 0x0a]);
    const { before } = file('main.cf', bytes, '');
    writeFiles(
      [
        {
          before,
          after: new SourceFile(before.path, `${before.text}b = 1\n`, before.encoding),
        },
      ],
      {
        backup: false,
      },
    );
    expect(fs.readFileSync(before.path)).toEqual(Buffer.concat([bytes, Buffer.from('b = 1\n')]));
  });

  it('refuses a file that changed since it was read, and leaves every file alone', () => {
    const files = [file('main.cf', 'a = 1\n', 'a = 2\n'), file('master.cf', 'x\n', 'y\n')];
    fs.writeFileSync(join(folder, 'master.cf'), 'x # edited\n');
    expect(() => writeFiles(files, { backup: true })).toThrow(/master\.cf: it changed while/);
    expect(fs.readFileSync(join(folder, 'main.cf'), 'utf8')).toBe('a = 1\n');
    expect(names()).toEqual(['main.cf', 'master.cf']);
  });

  it('leaves every file alone when one of them is gone', () => {
    const files = [file('main.cf', 'a = 1\n', 'a = 2\n'), file('master.cf', 'x\n', 'y\n')];
    fs.rmSync(join(folder, 'master.cf'));
    expect(() => writeFiles(files, { backup: false })).toThrow(WriteError);
    expect(names()).toEqual(['main.cf']);
    expect(fs.readFileSync(join(folder, 'main.cf'), 'utf8')).toBe('a = 1\n');
  });
});

describe('a writer that takes the files of one host after the other', () => {
  it('keeps the new texts on the disk, and touches no target before the end', () => {
    const writer = new FixWriter({ backup: false });
    writer.add([file('main.cf', 'a = 1\n', 'a = 2\n')]);
    writer.add([file('dovecot.conf', 'x\n', 'y\n')]);
    const beside = ['.dovecot.conf.pfharden-new', '.main.cf.pfharden-new'];
    expect(names()).toEqual([...beside, 'dovecot.conf', 'main.cf']);
    expect(fs.readFileSync(join(folder, 'main.cf'), 'utf8')).toBe('a = 1\n');
    expect(writer.finish().map(({ path }) => path)).toEqual(
      ['main.cf', 'dovecot.conf'].map((name) => join(fs.realpathSync(folder), name)),
    );
    expect(names()).toEqual(['dovecot.conf', 'main.cf']);
    expect(fs.readFileSync(join(folder, 'dovecot.conf'), 'utf8')).toBe('y\n');
  });

  it('takes them away where nothing is to be written after all', () => {
    const writer = new FixWriter({ backup: false });
    writer.add([file('main.cf', 'a = 1\n', 'a = 2\n')]);
    writer.abandon();
    expect(names()).toEqual(['main.cf']);
    expect(writer.finish()).toEqual([]);
    expect(fs.readFileSync(join(folder, 'main.cf'), 'utf8')).toBe('a = 1\n');
  });

  it('says in the end what went wrong on the way, and takes no more', () => {
    const writer = new FixWriter({ backup: false });
    writer.add([file('main.cf', 'a = 1\n', 'a = 2\n')]);
    const gone = file('master.cf', 'x\n', 'y\n');
    fs.rmSync(gone.before.path);
    writer.add([gone]);
    expect(names()).toEqual(['main.cf']);
    writer.add([file('other.cf', 'a\n', 'b\n')]);
    expect(names()).toEqual(['main.cf', 'other.cf']);
    expect(() => writer.finish()).toThrow(/master\.cf: .*nothing was written/);
    expect(names()).toEqual(['main.cf', 'other.cf']);
  });
});

describe('an interrupted write', () => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

  /** What a process leaves that is killed between the two renames. */
  function interrupted(oldSecond: string): void {
    file('main.cf', 'a = 2\n', '');
    file('master.cf', oldSecond, '');
    fs.writeFileSync(join(folder, '.master.cf.pfharden-new'), 'y\n');
    const record = [
      {
        beside: join(folder, '.main.cf.pfharden-new'),
        target: join(folder, 'main.cf'),
        old: sha256('a = 1\n'),
      },
      {
        beside: join(folder, '.master.cf.pfharden-new'),
        target: join(folder, 'master.cf'),
        old: sha256('x\n'),
      },
    ];
    fs.writeFileSync(join(folder, '.pfharden-journal'), JSON.stringify(record));
  }

  it('is finished by the next run', () => {
    interrupted('x\n');
    expect(finishInterrupted([join(folder, 'main.cf')])).toEqual([join(folder, 'master.cf')]);
    expect(fs.readFileSync(join(folder, 'master.cf'), 'utf8')).toBe('y\n');
    expect(names()).toEqual(['main.cf', 'master.cf']);
    expect(finishInterrupted([join(folder, 'main.cf')])).toEqual([]);
  });

  it('does not overwrite what somebody changed meanwhile', () => {
    interrupted('edited\n');
    expect(() => finishInterrupted([join(folder, 'main.cf')])).toThrow(/changed after a fix was interrupted/);
    expect(fs.readFileSync(join(folder, 'master.cf'), 'utf8')).toBe('edited\n');
  });
});
