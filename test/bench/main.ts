// Measures the budgets as ratios within one run, because only those mean the same on another machine.
//
//   npm run bench                   the example host
//   npm run bench -- PATH           a host of your own
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { parseMainCf } from '../../src/postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../../src/postfix/syntax/master-cf.ts';
import { SourceFile } from '../../src/text/source.ts';
import { readCipherString } from '../../src/tls/cipher-string.ts';
import { readPem } from '../../src/tls/pem.ts';
import { growthInputs, longCipherStrings, longPemFiles } from '../support/growth.ts';
import { makeCertificate } from '../support/x509.ts';

const host = process.argv[2] ?? 'docs/example/etc/postfix';
let withinBudget = true;

startUp();
growth();
await probing();
process.exitCode = withinBudget ? 0 : 1;

/** One lint of one host, the whole process, against a Node that does nothing. */
function startUp(): void {
  const [bare, lint] = interleaved(21, [
    () => node(['-e', '0'], 0),
    () => node(['dist/pfharden.js', 'lint', host], 1),
  ]);
  report(`lint of ${host}`, lint, 'node -e 0', bare, 1.8);
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
function node(args: readonly string[], highest: number): void {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
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

function report(what: string, time: number, against: string, reference: number, budget: number): void {
  const ratio = time / reference;
  const kept = ratio <= budget;
  if (!kept) withinBudget = false;
  const figures = `${time.toFixed(1)} ms, ${against}: ${reference.toFixed(1)} ms`;
  console.log(`${what}: ${figures}, ratio ${ratio.toFixed(2)} (budget ${budget}${kept ? '' : ': EXCEEDED'})`);
}
