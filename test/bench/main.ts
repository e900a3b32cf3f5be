// Measures the budgets as ratios within one run, because only those mean the same on another machine.
//
//   npm run bench                   the example host, and a repository of 10,000 hosts
//   npm run bench -- PATH [HOSTS]   a host of your own, and a repository of so many hosts
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseMainCf } from '../../src/postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../../src/postfix/syntax/master-cf.ts';
import { SourceFile } from '../../src/text/source.ts';
import { readCipherString } from '../../src/tls/cipher-string.ts';
import { readPem } from '../../src/tls/pem.ts';
import { roots } from '../servers/roots.ts';
import { growthInputs, longCipherStrings, longPemFiles } from '../support/growth.ts';
import { makeCertificate } from '../support/x509.ts';
import { writeMailLog } from './mail-log.ts';
import { makeRepository, shapes } from './repository.ts';

const example = process.argv[2] ?? 'docs/example/etc/postfix';
let withinBudget = true;

/** What admins count with, and what of it looks for peers without a name, which it leaves out. */
const PIPELINE = String.raw`egrep "TLS connection established from.*with cipher" "$0" | grep -v "unknown\[" | awk '{printf("%s %s %s %s\n", $12, $13, $14, $15)}' | sort | uniq -c | sort -n`;
const NAMED_ONLY = String.raw` | grep -v "unknown\["`;

/** Megabytes that reading a log may take, however long it is. */
const LOG_MEMORY = 200;

/** How many times faster a lint of many hosts has to be than the programs of the servers, and how much more memory it may take for twice as many. */
const FASTER = 20;
const FLAT = 1.1;

startUp();
growth();
repository(Number(process.argv[3] ?? 10_000));
await probing();
logs();
process.exitCode = withinBudget ? 0 : 1;

/** One lint of one host, the whole process, against a Node that does nothing. */
function startUp(): void {
  const { NODE_EXTRA_CA_CERTS: certificates, ...plain } = process.env;
  const measured = (env: NodeJS.ProcessEnv): readonly [bare: number, lint: number] =>
    interleaved(21, [
      () => node(['-e', '0'], 0, env),
      () => node(['dist/pfharden.js', 'lint', example], 1, env),
    ]);
  const [bare, lint] = measured(process.env);
  report(`lint of ${example}`, lint, 'node -e 0', bare, 1.8);
  if (certificates === undefined) return;
  // Node reads these whenever it starts, which takes longer than the lint and makes the ratio look good.
  const [without, lintWithout] = measured(plain);
  console.log(
    `the same without NODE_EXTRA_CA_CERTS: ${lintWithout.toFixed(1)} ms, node -e 0: ${without.toFixed(1)} ms, ratio ${(lintWithout / without).toFixed(2)}`,
  );
}

/** Ten times the text may take ten times as long, with room for noise; one MB at most a second. */
function growth(): void {
  growthOf('', growthInputs, (text) => {
    parseMainCf(new SourceFile('main.cf', text));
    parseMasterCf(new SourceFile('master.cf', text));
  });
  growthOf('cipher string ', longCipherStrings, (text) => readCipherString(text, '3.0'));
  growthOf('PEM ', longPemFiles, readPem);
}

function growthOf(kind: string, inputs: typeof growthInputs, read: (text: string) => unknown): void {
  const small = inputs(1e5);
  for (const [index, [what, text]] of inputs(1e6).entries()) {
    const [little, much] = interleaved(5, [() => read(small[index]?.[1] ?? ''), () => read(text)]);
    report(`1 MB of ${kind}${what}`, much, '100 kB', Math.max(little, 5), 25);
    if (much > 1000) {
      withinBudget = false;
      console.log(`1 MB of ${kind}${what}: more than a second: EXCEEDED`);
    }
  }
}

/** A log of 1 GB, beside the usual pipeline over the same file. */
function logs(): void {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'pfharden-bench-'));
  try {
    const file = path.join(folder, 'mail.log');
    const lines = writeMailLog(file, 1e9);
    const pipeline = (command: string, locale: string): string =>
      spawnSync('sh', ['-c', command, file], {
        encoding: 'utf8',
        env: locale === '' ? process.env : { ...process.env, LC_ALL: locale },
      }).stdout;
    const ours = (): ProgramRun => runProgram(['logs', '--format', 'json', file], 'pipe');
    const load = loadavg()[0]?.toFixed(1);
    let memory = 0;
    const times = interleaved(5, [
      () => void (memory = Math.max(memory, ours().memory)),
      () => pipeline(PIPELINE, 'C'),
      () => pipeline(PIPELINE, ''),
    ]);
    console.log(`a log of 1 GB, ${lines} lines, at a load of ${load}:`);
    report('logs of 1 GB', times[0], 'pipeline', Math.min(times[1], times[2]), 0.5);
    limit('logs of 1 GB: memory', memory, 'MB', LOG_MEMORY);
    const counted = byPipeline(pipeline(PIPELINE.replace(NAMED_ONLY, ''), 'C'));
    const same = JSON.stringify(counted) === JSON.stringify(byReading(ours().stdout));
    if (!same) withinBudget = false;
    console.log(`logs of 1 GB: same counts as the pipeline that leaves out nobody: ${same ? 'yes' : 'NO'}`);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Sessions by suite, as `TLSv1.3 with cipher NAME: 7`, in order. */
function byPipeline(output: string): string[] {
  return [...output.matchAll(/^ *(\d+) (.*)$/gm)]
    .map(([, sessions, suite]) => `${suite}: ${sessions}`)
    .sort();
}

/** The same of incoming SMTP as pfharden counts it. */
function byReading(json: string): string[] {
  const { sessions } = JSON.parse(json) as {
    readonly sessions: readonly {
      readonly direction: string;
      readonly service: string;
      readonly protocol: string | null;
      readonly cipher: string | null;
      readonly sessions: number;
    }[];
  };
  const counted = new Map<string, number>();
  for (const { direction, service, protocol, cipher, sessions: number } of sessions) {
    if (direction !== 'in' || protocol === null || !/(?:smtpd|tlsproxy)$/.test(service)) continue;
    const suite = `${protocol} with cipher ${cipher}`;
    counted.set(suite, (counted.get(suite) ?? 0) + number);
  }
  return [...counted].map(([suite, number]) => `${suite}: ${number}`).sort();
}

/**
 * Many hosts, beside the programs of the servers asked about each of them; and whether twice as many take more
 * memory. What is kept of hosts for those that are alike fills up first: between a thousand and ten thousand of them
 * memory grows up to its bound.
 */
function repository(count: number): void {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'pfharden-bench-'));
  try {
    const [once, twice] = [path.join(folder, 'once'), path.join(folder, 'twice')];
    const hosts = makeRepository(once, count, 1);
    makeRepository(twice, 2 * count, 1);
    console.log(
      `${count} hosts, ${shapes().ofCorpus ? 'in the shapes of the corpus' : 'in written shapes: no corpus'}`,
    );
    const few = hosts.filter((host) => path.dirname(host) === path.dirname(hosts[0] ?? ''));
    const run = (command: string, where: string): ProgramRun =>
      runProgram([command, where, '--no-exec'], 'ignore');
    const servers = serversPerHost(hosts);
    for (const command of ['lint', 'fix'] as const) {
      const small = run(command, path.dirname(few[0] ?? ''));
      const large = run(command, once);
      const own = large.time / count;
      const what = `${command} of ${count} hosts: ${(large.time / 1000).toFixed(1)} s, ${own.toFixed(2)} ms a host`;
      if (servers === null) console.log(`${what}; no root of bookworm to run postconf and doveconf in`);
      else {
        const isMet = servers.asked / own >= FASTER;
        if (!isMet) withinBudget = false;
        const budget = ` (budget ${FASTER}${isMet ? '' : ': MISSED'})`;
        const times = (other: number): string =>
          `${other.toFixed(1)} ms, ${(other / own).toFixed(1)} times as long`;
        console.log(
          `${what}; postconf -n and doveconf -n on each that has their files ${times(servers.asked)}${budget}, on one that they take ${times(servers.accepted)}`,
        );
      }
      console.log(
        `memory for ${command}: ${small.memory.toFixed(0)} MB for ${few.length} hosts, ${large.memory.toFixed(0)} MB for ${count}`,
      );
      if (command === 'lint')
        report(
          `memory for lint of ${2 * count} hosts`,
          run(command, twice).memory,
          `${count} hosts`,
          large.memory,
          FLAT,
          'MB',
        );
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** One run of the program: what it wrote where that was asked for, milliseconds, and megabytes at most. */
interface ProgramRun {
  readonly stdout: string;
  readonly time: number;
  readonly memory: number;
}

function runProgram(args: readonly string[], stdout: 'pipe' | 'ignore'): ProgramRun {
  const hook = path.join(tmpdir(), `pfharden-bench-${process.pid}.cjs`);
  fs.writeFileSync(
    hook,
    "if (require('node:worker_threads').isMainThread) process.on('exit', () => require('node:fs').writeSync(3, String(process.resourceUsage().maxRSS)));",
  );
  try {
    const start = performance.now();
    const { status, stderr, output } = spawnSync(
      process.execPath,
      ['--require', hook, 'dist/pfharden.js', ...args],
      { stdio: ['ignore', stdout, 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 30 },
    );
    const time = performance.now() - start;
    if (status === null || status > 1)
      throw new Error(`${args.join(' ')}: exit ${status}\n${stderr.slice(-1000)}`);
    return { stdout: output[1] ?? '', time, memory: Number(output[3]) / 1024 };
  } finally {
    fs.rmSync(hook);
  }
}

/** Milliseconds that the programs of the servers take to print the settings of a host. */
interface ServersTime {
  /** Where they take its files. */
  readonly accepted: number;
  /** Wherever its files are there: where they refuse them they read no further, and postconf then sleeps for a second. */
  readonly asked: number;
}

/** What the programs of the servers take, by a sample of the hosts; null without a root. */
function serversPerHost(hosts: readonly string[]): ServersTime | null {
  const root = rootOf('bookworm');
  if (root === null) return null;
  const inside = fs.mkdtempSync(path.join(root, 'tmp', 'pfharden-bench-'));
  const etc = path.join(inside, 'etc');
  const seen = `/${path.relative(root, etc)}`;
  // Without a network nothing is waited for that a name server would have to answer; Postfix wants to see loopback.
  const network = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo up && exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const waiting = ['-t', `${network.pid}`, '--net', 'chroot', root];
    while (spawnSync('nsenter', [...waiting, 'true']).status !== 0) sleep(10);
    sleep(100);
    const sample = hosts.filter((_, index) => index % Math.ceil(hosts.length / 100) === 0);
    const accepted: number[] = [];
    const asked: number[] = [];
    for (const host of sample) {
      // Postfix waits until a file that it reads is older than a second or two.
      fs.cpSync(path.join(host, 'etc'), etc, { recursive: true, preserveTimestamps: true });
      const commands = [
        ...(fs.existsSync(`${etc}/postfix/main.cf`) ? [['postconf', '-n', '-c', `${seen}/postfix`]] : []),
        ...(fs.existsSync(`${etc}/dovecot/dovecot.conf`)
          ? [['doveconf', '-n', '-c', `${seen}/dovecot/dovecot.conf`]]
          : []),
      ];
      const start = performance.now();
      const taken = commands.filter((command) => spawnSync('nsenter', [...waiting, ...command]).status === 0);
      const time = performance.now() - start;
      if (commands.length > 0) asked.push(time);
      if (commands.length > 0 && taken.length === commands.length) accepted.push(time);
      fs.rmSync(etc, { recursive: true });
    }
    return accepted.length === 0 ? null : { accepted: mean(accepted), asked: mean(asked) };
  } finally {
    network.kill();
    fs.rmSync(inside, { recursive: true, force: true });
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The folder of a root, if it is there. */
function rootOf(release: string): string | null {
  try {
    return roots().find((root) => root.release === release)?.path ?? null;
  } catch {
    return null;
  }
}

/** A whole port, beside other programs that list what a port takes; they need not be there. */
async function probing(): Promise<void> {
  const { port, close } = await smtpsServer();
  const target = `127.0.0.1:${port}`;
  const [ours] = interleaved(5, [
    () => node(['dist/pfharden.js', 'probe', target, '--starttls', 'none', '--format', 'json'], 0),
  ]);
  console.log(`probe of a port: ${ours.toFixed(0)} ms for the whole process`);
  for (const [program, args] of [
    ['sslscan', ['--no-colour', target]],
    ['testssl', ['--quiet', '--color', '0', '--warnings', 'off', '-p', '-E', target]],
  ] as const) {
    const start = performance.now();
    const { error } = spawnSync(program, args, { stdio: 'ignore', timeout: 300_000 });
    const time = performance.now() - start;
    if (error === undefined)
      console.log(
        `${program}: ${time.toFixed(0)} ms, ${(time / ours).toFixed(1)} times as long as the probe`,
      );
    else console.log(`${program}: skipped (${'code' in error ? String(error.code) : error.message})`);
  }
  await close();
}

/** SMTP behind TLS, in a thread of its own: whoever measures waits for programs and serves nobody. */
async function smtpsServer(): Promise<{ readonly port: number; readonly close: () => Promise<unknown> }> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = makeCertificate({ publicKey, privateKey });
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:tls').createServer(
      { ...workerData, minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0', dhparam: 'auto' },
      (socket) => {
        socket.on('error', () => undefined);
        socket.write('220 bench ESMTP\\r\\n');
        socket.on('data', () => socket.write('250 bench\\r\\n'));
      },
    );
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    {
      eval: true,
      workerData: {
        cert: certificate,
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { port, close: () => worker.terminate() };
}

/** Runs Node to its end. An exit status above `highest` is a failure, and its duration would be a lie. */
function node(args: readonly string[], highest: number, env: NodeJS.ProcessEnv = process.env): void {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  if (status === null || status > highest)
    throw new Error(`node ${args.join(' ')}: exit ${status}\n${stderr}`);
}

/** Median milliseconds of each task. The tasks take turns, so that a slow moment hits all of them. */
function interleaved<const T extends readonly (() => void)[]>(
  rounds: number,
  tasks: T,
): { [K in keyof T]: number } {
  const times = tasks.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, task] of tasks.entries()) {
      const start = performance.now();
      task();
      times[index]?.push(performance.now() - start);
    }
  }
  return times.map(median) as { [K in keyof T]: number };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function limit(what: string, value: number, unit: string, budget: number): void {
  const kept = value <= budget;
  if (!kept) withinBudget = false;
  console.log(`${what}: ${value.toFixed(0)} ${unit} (budget ${budget}${kept ? '' : ': EXCEEDED'})`);
}

function report(
  what: string,
  time: number,
  against: string,
  reference: number,
  budget: number,
  unit = 'ms',
): void {
  const ratio = time / reference;
  const kept = ratio <= budget;
  if (!kept) withinBudget = false;
  const figures = `${time.toFixed(1)} ${unit}, ${against}: ${reference.toFixed(1)} ${unit}`;
  console.log(`${what}: ${figures}, ratio ${ratio.toFixed(2)} (budget ${budget}${kept ? '' : ': EXCEEDED'})`);
}
