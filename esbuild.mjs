// Builds pfharden, and runs TypeScript files of this repository.
//
//   node esbuild.mjs                     src/cli/main.ts -> dist/pfharden.js and its chunks
//   node esbuild.mjs run FILE [ARG…]     bundles FILE and runs it with ARG…, passing on its exit status
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';

const root = import.meta.dirname;
const dist = path.join(root, 'dist');
// Below node_modules, so that a bundle there finds the packages that it leaves outside.
const cache = path.join(root, 'node_modules', '.cache', 'pfharden');

/** @type {esbuild.BuildOptions} */
const common = {
  // Node itself, which loads what a run leaves outside its bundle, wants the whole file name.
  alias: { 'handlebars/runtime': 'handlebars/runtime.js' },
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  splitting: true,
  logLevel: 'warning',
};

// V8 reads the text given to JSON.parse faster than an object literal of the same size, and start-up counts.
const jsonAsText = {
  name: 'json-as-text',
  /** @param {esbuild.PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /\.json$/ }, async ({ path: file }) => {
      // Packages require() their JSON and expect the value itself, not a module with a default.
      if (file.includes(`${path.sep}node_modules${path.sep}`)) return undefined;
      const text = JSON.stringify(JSON.parse(await fs.readFile(file, 'utf8')));
      return {
        contents: `export default /* @__PURE__ */ JSON.parse(${JSON.stringify(text)});`,
        loader: 'js',
      };
    });
  },
};

/**
 * Rules, profiles and templates are compiled into one module when the bundle is made: reading some
 * hundred files and compiling templates at each start would cost more than a lint.
 * @param {() => Promise<string>} makeSource
 */
function builtinRules(makeSource) {
  return {
    name: 'builtin-rules',
    /** @param {esbuild.PluginBuild} build */
    setup(build) {
      build.onResolve({ filter: /^virtual:builtin-rules$/ }, ({ path: name }) => ({
        path: name,
        namespace: 'builtin-rules',
      }));
      build.onLoad({ filter: /.*/, namespace: 'builtin-rules' }, async () => ({
        contents: await makeSource(),
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}

const noRules = async () =>
  'export const rules = []; export const profiles = []; export const templates = {};';

async function compileRules() {
  const compiler = path.join(root, 'src', 'build', 'rules-module.ts');
  if (!(await exists(compiler))) return noRules();
  // The compiler of the rules may import code that imports the compiled rules: it gets none.
  return withBundle(compiler, noRules, async (file) => {
    const { rulesModule } = await import(pathToFileURL(file).href);
    return rulesModule(path.join(root, 'rules'), path.join(root, 'profiles'));
  });
}

/**
 * Bundles one file of this repository into a folder of its own, which goes away after use.
 * @template T
 * @param {string} entry
 * @param {() => Promise<string>} rulesSource
 * @param {(file: string) => T | Promise<T>} use
 */
async function withBundle(entry, rulesSource, use) {
  await fs.mkdir(cache, { recursive: true });
  const folder = await fs.mkdtemp(path.join(cache, 'run-'));
  try {
    await esbuild.build({
      ...common,
      entryPoints: { main: entry },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      packages: 'external',
      sourcemap: 'inline',
      plugins: [jsonAsText, builtinRules(rulesSource)],
    });
    return await use(path.join(folder, 'main.mjs'));
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

async function buildDist() {
  const result = await esbuild.build({
    ...common,
    entryPoints: { pfharden: path.join(root, 'src', 'cli', 'main.ts') },
    outdir: dist,
    chunkNames: '[name]-[hash]',
    // Identifiers stay as they are, so that a stack trace in a bug report can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    plugins: [jsonAsText, builtinRules(compileRules)],
  });

  /** @type {Map<string, string>} */
  const files = new Map();
  for (const { path: file, text } of result.outputFiles) {
    files.set(path.relative(dist, file), withRequire(text));
  }
  const licences = await thirdPartyLicences(result.metafile);
  if (licences !== '') files.set('THIRD-PARTY-LICENSES.txt', licences);
  const entry = files.get('pfharden.js') ?? '';
  files.delete('pfharden.js');

  // The entry comes last and in one step, so that a pfharden that starts meanwhile finds all its chunks.
  await fs.mkdir(dist, { recursive: true });
  for (const [name, text] of files) await fs.writeFile(path.join(dist, name), text);
  const whole = path.join(dist, `.pfharden-${process.pid}.js`);
  await fs.writeFile(whole, entry.startsWith('#!') ? entry : `#!/usr/bin/env node\n${entry}`, {
    mode: 0o755,
  });
  await fs.rename(whole, path.join(dist, 'pfharden.js'));
  for (const name of await fs.readdir(dist)) {
    const ours = name === 'pfharden.js' || files.has(name) || name.startsWith('.pfharden-');
    if (!ours) await fs.rm(path.join(dist, name), { recursive: true, force: true });
  }
}

/**
 * CommonJS packages call require() for Node's own modules, which an ES module does not have. esbuild
 * puts its stand-in into one chunk, and only that chunk has to make a require of its own.
 * @param {string} text
 */
function withRequire(text) {
  if (!text.includes('Dynamic require of')) return text;
  const made = 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);\n';
  return text.startsWith('#!') ? text.replace('\n', `\n${made}`) : made + text;
}

/**
 * What is bundled is distributed, and its licences ask to be distributed with it.
 * @param {esbuild.Metafile} metafile
 */
async function thirdPartyLicences(metafile) {
  /** @type {Set<string>} */
  const folders = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  }
  /** @type {Set<string>} */
  const sections = new Set();
  for (const folder of [...folders].sort()) {
    const about = JSON.parse(await fs.readFile(path.join(root, folder, 'package.json'), 'utf8'));
    const names = (await fs.readdir(path.join(root, folder))).filter((name) =>
      /^(licen[cs]e|copying|notice)/i.test(name),
    );
    if (names.length === 0) throw new Error(`${folder}: no licence file to distribute with the bundle`);
    const texts = await Promise.all(names.map((name) => fs.readFile(path.join(root, folder, name), 'utf8')));
    const title = `${about.name} ${about.version} (${about.license})`;
    sections.add(
      `${title}\n${'='.repeat(title.length)}\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`,
    );
  }
  return [...sections].join('\n\n');
}

/** @param {string} file */
function exists(file) {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

const [command, file, ...args] = process.argv.slice(2);
if (command === undefined) {
  await buildDist();
} else if (command === 'run' && file !== undefined) {
  process.exitCode = await withBundle(path.resolve(file), compileRules, (bundle) => {
    const node = spawnSync(process.execPath, ['--enable-source-maps', bundle, ...args], { stdio: 'inherit' });
    if (node.error) throw node.error;
    return node.status ?? 128 + (node.signal ? constants.signals[node.signal] : 0);
  });
} else {
  console.error('usage: node esbuild.mjs [run FILE [ARG…]]');
  process.exitCode = 2;
}
