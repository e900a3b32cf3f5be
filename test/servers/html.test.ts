import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { chromiumPath, startChromium } from '../support/browser.ts';

/**
 * The page of `--format html` in a real browser: by keyboard, with and without scripts, on paper, with hostile
 * texts, and by axe, the checker of accessibility.
 */
const chromium = chromiumPath();
if (chromium === null && process.env.CI !== 'true')
  console.log('No Chromium on this machine: the page of --format html is not looked at in a browser.');
const inBrowser = chromium === null && process.env.CI !== 'true' ? describe.skip : describe;

const ROOT = path.join(__dirname, '..', '..');
const PROGRAM = path.join(ROOT, 'dist', 'pfharden.js');
const AXE = require.resolve('axe-core/axe.min.js');

let browser: Browser;
let folder: string;
let one: string;
let many: string;
let hostile: string;
let logs: string;
let silenced: string;

const HOSTILE = `<img src=x onerror=document.title=1>\u202e"'&amp;${'long'.repeat(20)}`;

/** Lints in a folder and gives the URL of the page; the findings are what is wanted, so that the status is 1. */
function report(cwd: string, name: string, ...args: readonly string[]): string {
  const file = path.join(folder, name);
  const { status, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, 'lint', ...args, '--no-exec', '--format', 'html', '--output', file],
    { cwd, encoding: 'utf8' },
  );
  if (status !== 1) throw new Error(`lint ended with ${status}: ${stderr}`);
  return pathToFileURL(file).href;
}

/** Counts a log and gives the URL of the page. */
function logsPage(name: string, log: string, ...args: readonly string[]): string {
  const file = path.join(folder, name);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, 'logs', '-', ...args, '--format', 'html'],
    { input: log, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`logs ended with ${status}: ${stderr}`);
  fs.writeFileSync(file, stdout);
  return pathToFileURL(file).href;
}

/** Sessions of all kinds in three weeks and a hole, with peers who have odd names. */
function mailLog(): string {
  const suites = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'].map(
    (protocol) => `${protocol} with cipher X`,
  );
  return ['2026-11-02', '2026-11-10', '2026-11-27']
    .flatMap((day, week) =>
      Array.from({ length: 60 }, (_, index) => {
        const head = `${day}T10:00:00Z mx1 postfix/smtpd[7]:`;
        const peer = `${index % 7 === 0 ? HOSTILE.replaceAll(' ', '') : `mx${index}.example.net`}[192.0.2.${index}]`;
        const suite = suites[(index * (week + 1)) % 7];
        return suite === undefined
          ? `${head} disconnect from ${peer} ehlo=1 ${index % 2 === 0 ? 'mail=1 commands=2' : 'starttls=0/1 commands=1/2'}\n`
          : `${head} Anonymous TLS connection established from ${peer}: ${suite} (256/256 bits)\n`;
      }),
    )
    .join('');
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
}

inBrowser('the page of --format html', () => {
  beforeAll(async () => {
    if (chromium === null) throw new Error('no Chromium: .ci/run installs it');
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pfharden-html-'));
    browser = await startChromium(chromium);
    one = report(ROOT, 'one.html', path.join('docs', 'example', 'etc'));
    for (let number = 1; number <= 12; number++)
      write({
        [`many/mx${number}/main.cf`]: `myhostname = mx${number}.example.org\nsmtpd_tls_protocols = !SSLv2\nsmtpd_tls_security_level = ${number % 3 === 0 ? 'none' : 'may'}\n${number % 4 === 0 ? 'disable_vrfy_command = yes\n' : ''}`,
        [`many/mx${number}/master.cf`]: 'smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n',
      });
    many = report(path.join(folder, 'many'), 'many.html', '.');
    write({
      [`hostile/${HOSTILE}/main.cf`]: [
        `${HOSTILE} = ${HOSTILE}`,
        'smtpd_banner = </script></style></pre><script>document.title=1</script>',
        'smtpd_tls_protocols = </template><svg onload=document.title=1>',
        `relayhost = [${HOSTILE}]`,
        `smtpd_tls_ciphers = ${'long'.repeat(50)}`,
        `smtp_tls_protocols = ${'long'.repeat(50)}`,
        'smtp_tls_security_level = \u001b]0;x\u0007may',
        '',
      ].join('\n'),
    });
    write({
      'silenced/main.cf': '# pfharden: ignore postfix/vrfy -- they ask\ndisable_vrfy_command = no\n',
      'silenced/master.cf': 'smtp inet n - y - - smtpd\n',
    });
    silenced = report(
      path.join(folder, 'silenced'),
      'silenced.html',
      '.',
      '--rule',
      'vrfy',
      '--rule',
      'server-tls-off',
    );
    hostile = report(path.join(folder, 'hostile'), 'hostile.html', '.');
    logs = logsPage('logs.html', mailLog(), '--by', 'week', '--peers');
  });

  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page, looks at it, and sees that nothing left it and nothing went wrong in it. */
  async function open(
    url: string,
    options: BrowserContextOptions,
    look: (page: Page) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const said: string[] = [];
    const asked: string[] = [];
    const page = await context.newPage();
    page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => said.push(error.message));
    page.on('dialog', (dialog) => said.push(`a dialog: ${dialog.message()}`));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(url);
    await look(page);
    expect(said).toEqual([]);
    expect(asked.filter((address) => address !== url.replace(/#.*$/, '') && address !== 'data:,')).toEqual(
      [],
    );
    await context.close();
  }

  /** What axe objects to, in words. */
  async function objections(page: Page): Promise<readonly string[]> {
    // The policy of the page lets no script in from outside: it is evaluated as the debugger does.
    await page.evaluate(fs.readFileSync(AXE, 'utf8'));
    const found = await page.evaluate(
      `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 160) + ' ' + failureSummary)))`,
    );
    return found as readonly string[];
  }

  const narrow = { width: 400, height: 800 };

  test.each<[string, () => string, BrowserContextOptions]>([
    ['one host, light and wide', () => one, { colorScheme: 'light' }],
    ['one host, dark and narrow', () => one, { colorScheme: 'dark', viewport: narrow }],
    ['many hosts, dark and wide', () => many, { colorScheme: 'dark' }],
    ['many hosts, light and narrow', () => many, { colorScheme: 'light', viewport: narrow }],
    ['logs, light and wide', () => logs, { colorScheme: 'light' }],
    ['logs, dark and narrow', () => logs, { colorScheme: 'dark', viewport: narrow }],
  ])('axe objects to nothing: %s', async (_name, url, options) => {
    await open(url(), options, async (page) => {
      await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
      expect(await objections(page)).toEqual([]);
    });
  });

  test.each([
    ['one host', () => one],
    ['logs', () => logs],
  ])('axe objects to nothing on paper: %s', async (_name, url) => {
    await open(url(), {}, async (page) => {
      await page.emulateMedia({ media: 'print' });
      expect(await objections(page)).toEqual([]);
    });
  });

  test.each([320, 400, 800, 1100, 1280, 1920])('nothing stands out at %i pixels', async (width) => {
    for (const url of [one, hostile, logs]) {
      await open(url, { viewport: { width, height: 800 } }, async (page) => {
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        // What a host or a bar cuts off makes the page no wider.
        const cut = await page.evaluate(
          "[...document.querySelectorAll('.host, .page, .bar, pre, td, dd')].filter((each) => each.clientWidth > 0 && each.scrollWidth > each.clientWidth).map((each) => each.className + ' ' + each.textContent.trim().slice(0, 60))",
        );
        expect(cut).toEqual([]);
      });
    }
  });

  /** How many of a kind can be seen. */
  const seen = (page: Page, selector: string): Promise<number> => page.locator(`${selector}:visible`).count();
  const output = (page: Page): Promise<string> => page.locator('.filter output').innerText();
  const hashOf = (page: Page): string => new URL(page.url()).hash;
  /** Waits until something holds; the policy of the page lets a test evaluate nothing in it but as the debugger. */
  async function until(page: Page, expression: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if ((await page.evaluate(expression)) === true) return;
      await page.waitForTimeout(25);
    }
    throw new Error(`never: ${expression}`);
  }
  /** Where the keyboard is, in a few words. */
  const focused = async (page: Page): Promise<string> =>
    String(
      await page.evaluate(
        "((at) => at.name ? at.name + ' ' + at.type : at.id || at.textContent.trim())(document.activeElement)",
      ),
    );

  // Tables that are laid out as grids are tables no more in some browsers: the roles are written out.
  test.each([400, 1280])('the picture is a table to those who cannot see it, at %i pixels', async (width) => {
    await open(one, { viewport: { width, height: 900 } }, async (page) => {
      const picture = page.getByRole('table', { name: 'From: Mail programs of users' });
      expect(await picture.getByRole('columnheader').allInnerTexts()).toEqual([
        'Port',
        'Role',
        'TLS',
        'Protocols',
        'Suites',
        'Findings',
      ]);
      const row = picture.getByRole('row').filter({ has: page.getByRole('rowheader', { name: '993' }) });
      expect(await row.ariaSnapshot()).toMatch(
        /^- 'row "993 imaps imap-login\/imaps TLS from the start logins after TLS allowed by the profile: TLSv1\.2 and TLSv1\.3 \d+ suites: \d+ with forward secrecy and authenticated encryption \(AEAD\); .*; \d+ without forward secrecy warning: \d+ findings"/m,
      );
    });
  });

  test('can be filtered by keyboard alone, says what is left, and keeps it in the address', async () => {
    await open(one, {}, async (page) => {
      const all = await seen(page, '.finding');
      const errors = await seen(page, '.rule.error .finding');
      const info = await seen(page, '.rule.info .finding');
      expect(await output(page)).toBe(`${all} findings`);
      await page.keyboard.press('Tab');
      expect(await focused(page)).toBe('Skip to the report');
      await page.keyboard.press('Enter');
      expect(await focused(page)).toBe('main');
      const stops: string[] = [];
      for (let steps = 0; steps < 40 && stops.at(-1) !== 'severity checkbox'; steps++) {
        await page.keyboard.press('Tab');
        stops.push(await focused(page));
      }
      // The lists at the top come first although they stand last in the file.
      expect(stops.length).toBeGreaterThan(5);
      expect(stops.length).toBeLessThan(20);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await until(page, "location.hash === '#severity=error%2Cwarning'");
      expect(await seen(page, '.finding')).toBe(all - info);
      expect(await output(page)).toBe(`${all - info} of ${all} findings on 1 host`);
      await page.keyboard.press('Tab');
      expect(await focused(page)).toBe('rule select-one');
      const rules = await page.locator('select[name=rule] option').allInnerTexts();
      for (let rule = 0; rule < rules.indexOf('postfix/server-protocols'); rule++)
        await page.keyboard.press('ArrowDown');
      await until(page, "location.hash === '#severity=error%2Cwarning&rule=postfix%2Fserver-protocols'");
      expect(await seen(page, '.finding')).toBe(1);
      await page.keyboard.press('Tab');
      expect(await focused(page)).toBe('text search');
      await page.keyboard.type('no such text');
      await until(page, "location.hash.endsWith('&text=no+such+text')");
      expect(await output(page)).toBe(`0 of ${all} findings on 0 hosts`);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await until(page, "location.hash === ''");
      expect(await seen(page, '.finding')).toBe(all);
      expect(errors).toBeGreaterThan(0);
      expect(await page.locator('.filter output').getAttribute('aria-live')).toBe('polite');
    });
  });

  test('opens with the filter of its address', async () => {
    await open(`${many}#severity=warning&text=mx3`, {}, async (page) => {
      const left = page.locator('.finding:visible');
      expect(await left.count()).toBeGreaterThan(0);
      expect(await page.locator('.host:visible').count()).toBe(1);
      expect(await page.locator('.host:visible h2').innerText()).toBe('mx3');
      expect(await seen(page, '.rule:not(.warning)')).toBe(0);
      expect(await page.locator('input[value=error]').isChecked()).toBe(false);
    });
  });

  test('has filters for what there is only, and shows what is silenced', async () => {
    await open(silenced, {}, async (page) => {
      expect(await page.locator('.filter input[type=checkbox]').count()).toBe(1);
      await page.locator('.silenced > summary').click();
      expect(await page.locator('.silenced li').innerText()).toMatch(
        /main\.cf:2 warning: .* postfix\/vrfy\s+By the comment in .*main\.cf line 1: they ask$/s,
      );
      await page.getByRole('checkbox').uncheck();
      await until(page, "location.hash === '#severity='");
      expect(await seen(page, '.finding')).toBe(0);
    });
  });

  test('leaves what is on changed lines, with --diff-base', async () => {
    const main = 'disable_vrfy_command = no\nsmtpd_banner = $myhostname ESMTP $mail_version\n';
    write({ 'changed/main.cf': main, 'changed/master.cf': 'smtp inet n - y - - smtpd\n' });
    const cwd = path.join(folder, 'changed');
    const git = (...args: readonly string[]): void => {
      const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.org'];
      const { status, stderr } = spawnSync('git', [...who, ...args], { cwd, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    };
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'first');
    write({ 'changed/main.cf': main.replace('ESMTP', 'ESMTP server') });
    const url = report(cwd, 'changed.html', '.', '--diff-base', 'HEAD');
    await open(url, {}, async (page) => {
      const all = await seen(page, '.finding');
      const box = page.getByRole('checkbox', { name: 'on changed lines' });
      await box.check();
      await until(page, "location.hash === '#changed=only'");
      expect(await page.locator('.finding:visible .at').allInnerTexts()).toEqual([
        expect.stringMatching(/^main\.cf:2 changed line/),
      ]);
      await page.reload();
      expect(await box.isChecked()).toBe(true);
      expect(await output(page)).toBe(`1 of ${all} findings on 1 host`);
    });
  });

  test('of many hosts, only the names are open, and links open what they name', async () => {
    await open(many, {}, async (page) => {
      expect(await page.locator('.host[open]').count()).toBe(0);
      const worst = page.locator('#by-host + table a').first();
      await worst.click();
      expect(await page.locator('.host[open] h2').allInnerTexts()).toEqual([await worst.innerText()]);
      const port = page.locator('.host[open] .found a').first();
      const target = await port.getAttribute('href');
      await port.click();
      await until(page, `document.activeElement.id === ${JSON.stringify(target?.slice(1))}`);
      // The number beside the port is the number of findings that name it.
      expect(await port.innerText()).toMatch(/^\s*\w+:\s+[1-9]\d* findings?$/);
      // From the rules at the top to the findings of a rule.
      await page.locator('a[data-rule="postfix/vrfy"]').click();
      await until(page, "document.querySelector('.filter').elements.rule.value === 'postfix/vrfy'");
      expect(await page.locator('.finding:visible').count()).toBe(
        await page.locator('.host[open] [data-rule="postfix/vrfy"] .finding').count(),
      );
      expect(await output(page)).toMatch(/^9 of \d+ findings on 9 hosts$/);
    });
  });

  test('a link to what the filter hides takes the filter away', async () => {
    await open(`${one}#severity=info`, {}, async (page) => {
      const link = page.locator('.found a:has(use[href="#i-error"])').first();
      await link.click();
      await until(page, "location.hash.startsWith('#h1f')");
      expect(await page.locator(':target').isVisible()).toBe(true);
      expect(await page.evaluate("document.activeElement.matches(':target')")).toBe(true);
      expect(await page.locator('input[value=error]').isChecked()).toBe(true);
      // Nor does what the form does a moment later take the place out of the address.
      await page.waitForTimeout(300);
      expect(hashOf(page)).toBe(await link.getAttribute('href'));
    });
  });

  test('is light or dark as the system is, until one chooses, and remembers that', async () => {
    await open(one, { colorScheme: 'dark' }, async (page) => {
      const background = (): Promise<unknown> =>
        page.evaluate('getComputedStyle(document.body).backgroundColor');
      const dark = await background();
      const button = page.getByRole('button', { name: 'Dark' });
      expect(await button.getAttribute('aria-pressed')).toBe('true');
      await button.press('Enter');
      expect(await button.getAttribute('aria-pressed')).toBe('false');
      const light = await background();
      expect(light).not.toBe(dark);
      await page.reload();
      expect(await background()).toBe(light);
      expect(await button.getAttribute('aria-pressed')).toBe('false');
      await page.emulateMedia({ media: 'print' });
      expect(await background()).toBe('rgb(255, 255, 255)');
    });
  });

  test('is whole on paper, and as it was behind it', async () => {
    await open(many, {}, async (page) => {
      await page.evaluate(
        "addEventListener('beforeprint', () => { globalThis.open = document.querySelectorAll('.host[open]').length })",
      );
      const paper = await page.pdf({ format: 'A4' });
      expect(paper.subarray(0, 5).toString()).toBe('%PDF-');
      expect(await page.evaluate('globalThis.open')).toBe(12);
      expect(await page.locator('.host[open]').count()).toBe(0);
    });
  });

  test('shows hostile texts and obeys none', async () => {
    await open(hostile, {}, async (page) => {
      await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
      expect(await page.title()).toBe('Mail configuration report');
      expect(await page.locator('img').count()).toBe(0);
      const shown = HOSTILE.replace('\u202e', '<U+202E>');
      expect(await page.locator('.host h2').innerText()).toContain(shown);
      expect(await page.locator('.finding').filter({ hasText: shown }).count()).toBeGreaterThan(0);
    });
  });

  test('shows how protocols change, and names of strangers as they are', async () => {
    await open(logs, {}, async (page) => {
      expect(await page.locator('h2').allInnerTexts()).toEqual(['Incoming, smtpd']);
      expect(await page.locator('.trend path').count()).toBe(7);
      const boxes = await page.evaluate(
        "[...document.querySelectorAll('.trend path')].map((path) => path.getBBox()).map(({ x, y, width, height }) => ({ x, y, width, height }))",
      );
      for (const { x, y, width, height } of boxes as Record<'x' | 'y' | 'width' | 'height', number>[]) {
        expect(x >= 0 && y >= 0 && width > 0 && height > 0).toBe(true);
        expect(x + width).toBeLessThan(100.1);
        expect(y + height).toBeLessThan(100.1);
      }
      await page.getByText('Who is behind it').click();
      expect(await page.locator('.peers').innerText()).toContain('<imgsrc=xonerror=document.title=1>');
      expect(await page.locator('img').count()).toBe(0);
    });
  });

  test('shows everything where no script runs', async () => {
    await open(many, { javaScriptEnabled: false }, async (page) => {
      const findings = page.locator('.finding');
      expect(await findings.count()).toBeGreaterThan(30);
      // Each host is open, and the counts stand at the top although they were written last.
      expect(await page.locator('.host[open]').count()).toBe(12);
      expect(await page.locator('.filter').isVisible()).toBe(false);
      const top = await page.locator('h1').boundingBox();
      const first = await page.locator('.host').first().boundingBox();
      expect(top?.y).toBeLessThan(first?.y ?? 0);
    });
  });
});
