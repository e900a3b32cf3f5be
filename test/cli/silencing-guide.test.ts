// The examples of docs/silencing.md, one after the other in one folder: what it shows is what is printed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const GUIDE = join(ROOT, 'docs', 'silencing.md');
const RELEASES = ['--no-exec', '--postfix-version', '3.7.11', '--openssl-version', '3.0'];

/** The console blocks as they would be written, the files made on the way. */
function played(guide: string, folder: string): string {
  return guide.replace(
    /```(conf|console) ?(\S*)\n([^]*?)```/g,
    (block, kind: string, name: string, text: string) => {
      if (kind === 'conf') {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
        return block;
      }
      const commands = text.split('\n').filter((line) => line.startsWith('$ pfharden '));
      const runs = commands.map((command) => {
        const args = command.split(' ').slice(2);
        const { stdout, stderr } = spawnSync(
          process.execPath,
          [join(ROOT, 'dist', 'pfharden.js'), ...args, ...RELEASES],
          { cwd: folder, encoding: 'utf8' },
        );
        return `${command}\n${stdout}${stderr}`;
      });
      return `\`\`\`console\n${runs.join('')}\`\`\``;
    },
  );
}

test('the guide to silencing shows what pfharden prints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pfharden-guide-'));
  try {
    const guide = readFileSync(GUIDE, 'utf8');
    expect(guide.match(/^\$ pfharden /gm)?.length).toBeGreaterThanOrEqual(5);
    expect(played(guide, folder)).toBe(guide);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
