// Logs as files: plain and packed, cut off, too long, growing, missing.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type LogSink, readLogFile } from '../../src/hosts/log-files.ts';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-logs-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Keeps what it gets. */
class Kept implements LogSink {
  text = '';
  long = 0;
  longest = 0;
  read(bytes: Buffer, from: number, to: number): void {
    this.longest = Math.max(this.longest, to - from);
    this.text += bytes.toString('latin1', from, to);
  }
  skipped(lines: number): void {
    this.long += lines;
  }
}

function write(name: string, content: string | Buffer): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
}

/** More than one piece of 256 kB. */
const TEXT = Array.from({ length: 12_000 }, (_, index) => `line ${index} of a log, é as UTF-8\n`).join('');
const LATIN1 = Buffer.from(TEXT, 'utf8').toString('latin1');

async function readIt(file: string): Promise<{ kept: Kept; cut: string | null; bytes: number }> {
  const kept = new Kept();
  const { cut, bytes } = await readLogFile(file, kept);
  return { kept, cut, bytes };
}

const PACKERS = [
  ['xz', 'xz'],
  ['zst', 'zstd'],
  ['bz2', 'bzip2'],
] as const;
const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

function pack(program: string, text: string): Buffer {
  const { stdout } = spawnSync(program, ['-c'], { input: text, maxBuffer: 1 << 26 });
  return stdout;
}

describe('whole files', () => {
  test.each([
    ['plain', TEXT],
    ['gzip', gzipSync(TEXT)],
    [
      'gzip of several members',
      Buffer.concat([gzipSync(TEXT.slice(0, 70_001)), gzipSync(TEXT.slice(70_001))]),
    ],
  ])('%s', async (_, content) => {
    const { kept, cut, bytes } = await readIt(write('mail.log', content));
    expect(kept.text).toBe(LATIN1);
    expect(cut).toBeNull();
    expect(bytes).toBe(LATIN1.length);
  });

  test.each(PACKERS)('.%s', async (extension, program) => {
    if (!isThere(program)) return;
    const { kept, cut } = await readIt(write(`mail.log.${extension}`, pack(program, TEXT)));
    expect(kept.text).toBe(LATIN1);
    expect(cut).toBeNull();
  });

  test.each([
    ['empty', '', ''],
    ['shorter than what tells an archive', 'ab', 'ab\n'],
    ['a last line without a line feed', 'one\ntwo', 'one\ntwo\n'],
    ['only a line feed', '\n', '\n'],
  ])('%s', async (_, content, text) => {
    const { kept, cut } = await readIt(write('mail.log', content));
    expect([kept.text, cut]).toEqual([text, null]);
  });
});

describe('what is damaged', () => {
  test('a gzip archive that ends too early: what stands before is read', async () => {
    // Random digits, so that half of the archive holds about half of the lines.
    let seed = 1;
    const lines = Array.from({ length: 20_000 }, () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return `${seed}\n`;
    }).join('');
    const whole = gzipSync(lines);
    const { kept, cut } = await readIt(write('mail.log.gz', whole.subarray(0, whole.length / 2)));
    expect(cut).toBe('the archive ends too early');
    expect(lines.startsWith(kept.text)).toBe(true);
    expect(kept.text.length).toBeGreaterThan(lines.length / 4);
  });

  test('a gzip archive with noise in it', async () => {
    const whole = gzipSync(TEXT);
    const { cut } = await readIt(
      write('mail.log.gz', Buffer.concat([whole.subarray(0, 200), Buffer.alloc(500, 7)])),
    );
    expect(cut).not.toBeNull();
  });

  test.each(PACKERS)('a .%s that ends too early', async (extension, program) => {
    if (!isThere(program)) return;
    const whole = pack(program, TEXT);
    const file = write(`mail.log.${extension}`, whole.subarray(0, whole.length - 10));
    const { kept, cut } = await readIt(file);
    expect(cut).toMatch(new RegExp(`^${program} says: .`));
    expect(LATIN1.startsWith(kept.text)).toBe(true);
  });

  test('noise is read as lines', async () => {
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 251));
    const { kept, cut } = await readIt(write('mail.log', noise));
    expect(cut).toBeNull();
    expect(kept.text).toBe(`${noise.toString('latin1')}\n`);
  });
});

describe('long lines', () => {
  test('one of 10 MB is counted, not kept, and the others are read', async () => {
    const { kept } = await readIt(write('mail.log', `first\n${'x'.repeat(10 << 20)}\nlast\n`));
    expect([kept.text, kept.long]).toEqual(['first\nlast\n', 1]);
    expect(kept.longest).toBeLessThan(4 << 20);
  });

  test('several, and one at the end', async () => {
    const long = 'x'.repeat(3 << 20);
    const { kept } = await readIt(write('mail.log', `${long}\na\n${long}\nb\n${long}`));
    expect([kept.text, kept.long]).toEqual(['a\nb\n', 3]);
  });
});

describe('files that change', () => {
  test('what is added while it is read is left for the next run', async () => {
    const file = write('mail.log', TEXT);
    const kept = new Kept();
    let added = false;
    const sink: LogSink = {
      read(bytes, from, to) {
        if (!added) fs.appendFileSync(file, 'added\n');
        added = true;
        kept.read(bytes, from, to);
      },
      skipped: () => undefined,
    };
    const { cut } = await readLogFile(file, sink);
    expect([kept.text, cut]).toEqual([LATIN1, null]);
  });

  test('one that is cut while it is read', async () => {
    const file = write('mail.log', TEXT);
    const sink: LogSink = { read: () => fs.truncateSync(file, 0), skipped: () => undefined };
    expect((await readLogFile(file, sink)).cut).toBe('it became shorter while it was read');
  });
});

describe('what is no file', () => {
  test('missing', async () => {
    const file = path.join(folder, 'none.log');
    await expect(readIt(file)).rejects.toThrow(`${file}: `);
  });

  test('a folder', async () => {
    await expect(readIt(folder)).rejects.toThrow(`${folder}: is a folder`);
  });
});
