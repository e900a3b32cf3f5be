// Builds pfharden, and runs TypeScript files of this repository.
//
//   node esbuild.mjs                     src/cli/main.ts -> dist/pfharden.js and what it loads,
//                                        src/library/index.ts -> dist/library.mjs
//   node esbuild.mjs names               the same with the names of the source, for profiles
//   node esbuild.mjs run FILE [ARG…]     bundles FILE and runs it with ARG…, passing on its exit status
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
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
  loader: { '.wasm': 'base64' },
};

/**
 * Gives the code that a bundle gets a text by.
 * @typedef {(name: string, text: string) => string} Place
 */

/** @type {Place} */
const inPlace = (_, text) => JSON.stringify(text);

/**
 * V8 reads the text given to JSON.parse faster than an object literal of the same size, and start-up counts:
 * what a run does not look into, such as the settings of a server that the host does not have, is not read.
 * @param {Place} place
 */
function jsonAsText(place) {
  return {
    name: 'json-as-text',
    /** @param {esbuild.PluginBuild} build */
    setup(build) {
      build.onLoad({ filter: /\.json$/ }, async ({ path: file }) => {
        // Packages require() their JSON and expect the value itself, not a module with a default.
        if (file.includes(`${path.sep}node_modules${path.sep}`)) return undefined;
        const value = JSON.parse(await fs.readFile(file, 'utf8'));
        const parsed = `JSON.parse(${place(path.parse(file).name, JSON.stringify(value))})`;
        if (Array.isArray(value))
          return { contents: `export default /* @__PURE__ */ ${parsed};`, loader: 'js' };
        const members = Object.keys(value).map((key) => {
          const name = JSON.stringify(key);
          return `get ${name}() { return read()[${name}]; }`;
        });
        return {
          contents: `let value; const read = () => (value ??= ${parsed}); export default { ${members.join(', ')} };`,
          loader: 'js',
        };
      });
    },
  };
}

/**
 * Rules, profiles and templates are compiled into one module when the bundle is made: reading some
 * hundred files and compiling templates at each start would cost more than a lint. What only the
 * pages of the rules show is a module of its own.
 * @param {(name: string) => Promise<string>} makeSource
 */
function builtinRules(makeSource) {
  return {
    name: 'builtin-rules',
    /** @param {esbuild.PluginBuild} build */
    setup(build) {
      build.onResolve({ filter: /^virtual:builtin-rule(s|-pages)$/ }, ({ path: name }) => ({
        path: name,
        namespace: 'builtin-rules',
      }));
      build.onLoad({ filter: /.*/, namespace: 'builtin-rules' }, async ({ path: name }) => ({
        contents: await makeSource(name),
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}

/**
 * The code that checks a `.pfharden.json` and a profile file, made when the bundle is made: to load ajv and
 * to compile a schema takes as long as a lint.
 */
const validators = {
  name: 'validators',
  /** @param {esbuild.PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^virtual:validators(-code)?$/ }, ({ path: name }) => ({
      path: name,
      namespace: 'validators',
    }));
    // Ajv makes CommonJS, of which dynamic imports get no names.
    build.onLoad({ filter: /^virtual:validators$/, namespace: 'validators' }, () => ({
      contents: "import code from 'virtual:validators-code'; export const { validators } = code;",
      loader: 'js',
    }));
    build.onLoad({ filter: /-code$/, namespace: 'validators' }, async () => {
      const files = ['schemas/config.schema.json', 'profiles/profile.schema.json'];
      const schemas = await Promise.all(
        files.map(async (file) => JSON.parse(await fs.readFile(path.join(root, file), 'utf8'))),
      );
      const ajv = new Ajv({ allErrors: true, strict: true, verbose: true, schemas, code: { source: true } });
      const ids = schemas.map(({ $id }) => $id);
      const code = standalone.default(ajv, Object.fromEntries(ids.map((id, index) => [`v${index}`, id])));
      const named = ids.map((id, index) => `${JSON.stringify(id)}: exports.v${index}`);
      return {
        contents: `${code}\nexports.validators = { ${named.join(', ')} };`,
        loader: 'js',
        resolveDir: root,
      };
    });
  },
};

/** Templates, styles and scripts of pages, compiled into one module when the bundle is made. */
const htmlPages = {
  name: 'html-pages',
  /** @param {esbuild.PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^virtual:html-pages$/ }, ({ path: name }) => ({
      path: name,
      namespace: 'html-pages',
    }));
    build.onLoad({ filter: /.*/, namespace: 'html-pages' }, async () => ({
      contents: await withBundle(path.join(root, 'src', 'build', 'html-module.ts'), noRules, async (file) => {
        const { htmlModule } = await import(pathToFileURL(file).href);
        return htmlModule(path.join(root, 'templates', 'html'), minified);
      }),
      loader: 'js',
      resolveDir: root,
    }));
  },
};

/**
 * For pages, which browsers of the last years read: nothing is rewritten for older ones.
 * @param {string} text
 * @param {'css' | 'js'} loader
 */
function minified(text, loader) {
  return esbuild.transformSync(text, { loader, minify: true, legalComments: 'none', target: 'es2022' }).code;
}

const noRules = async () =>
  'export const rules = () => []; export const profiles = []; export const messages = () => undefined; export const pages = [];';

/**
 * Makes the modules of the rules, each once.
 * @param {Place} place
 */
function compileRules(place) {
  /** @type {Map<string, Promise<string>>} */
  const compiled = new Map();
  /** @param {string} name */
  return (name) => {
    const made = compiled.get(name) ?? compileRulesAnew(name, place);
    compiled.set(name, made);
    return made;
  };
}

/**
 * @param {string} name
 * @param {Place} place
 */
async function compileRulesAnew(name, place) {
  const compiler = path.join(root, 'src', 'build', 'rules-module.ts');
  if (!(await exists(compiler))) return noRules();
  // The compiler of the rules may import code that imports the compiled rules: it gets none.
  return withBundle(compiler, noRules, async (file) => {
    const { rulesModule, rulePagesModule } = await import(pathToFileURL(file).href);
    const make = name === 'virtual:builtin-rule-pages' ? rulePagesModule : rulesModule;
    return make(path.join(root, 'rules'), path.join(root, 'profiles'), place);
  });
}

/** The schema of `.pfharden.json` with the ids of the rules. */
function schemaForEditors() {
  return withBundle(path.join(root, 'src', 'build', 'config-schema.ts'), noRules, async (file) => {
    const { editorSchema } = await import(pathToFileURL(file).href);
    const schema = path.join(root, 'schemas', 'config.schema.json');
    return editorSchema(schema, path.join(root, 'rules'), path.join(root, 'profiles'));
  });
}

/**
 * Bundles one file of this repository into a folder of its own, which goes away after use.
 * @template T
 * @param {string} entry
 * @param {(name: string) => Promise<string>} rulesSource
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
      plugins: [jsonAsText(inPlace), validators, htmlPages, builtinRules(rulesSource)],
    });
    return await use(path.join(folder, 'main.mjs'));
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

async function buildDist() {
  const { texts, files, metafiles } = await bundleProgram();
  /** @type {Map<string, string>} */
  const named = new Map();
  const withNames = (/** @type {string} */ text) =>
    [...named].reduce((made, [file, name]) => made.replaceAll(`"${file}"`, `"${name}"`), text);
  // The first alone names the others, and so comes last.
  for (const { file } of RUNS.toReversed()) {
    const text = withNames(texts.get(file) ?? '');
    const name = hashed(file, text);
    named.set(file, name);
    files.set(name, text);
  }
  files.set('config.schema.json', await schemaForEditors());
  const library = await bundleLibrary();
  files.set('library.mjs', library.text);
  files.set('library.d.mts', await fs.readFile(path.join(root, 'src', 'library', 'api.d.ts'), 'utf8'));
  // The package is one of ES modules, and what is built here is none.
  files.set('package.json', '{"type":"commonjs"}\n');
  const licences = await thirdPartyLicences([...metafiles, library.metafile]);
  if (licences !== '') files.set('THIRD-PARTY-LICENSES.txt', licences);

  await fs.mkdir(dist, { recursive: true });
  for (const [name, text] of files) await writeWhole(path.join(dist, name), text);
  const [start, thread] = await Promise.all(
    ['start.cjs', 'thread.cjs'].map((name) => fs.readFile(path.join(root, 'src', 'cli', name), 'utf8')),
  );
  await writeWhole(path.join(dist, 'thread.js'), thread ?? '');
  const program = path.join(dist, 'pfharden.js');
  await writeWhole(program, withNames((start ?? '').replaceAll("'main.js'", '"main.js"')), 0o755);
  const caches = [...named].map(async ([file, name]) => {
    const args = RUNS.find((run) => run.file === file)?.args ?? null;
    if (args !== null) await writeWhole(path.join(dist, `${name}.cache`), compiledCode(program, name, args));
    return `${name}.cache`;
  });
  const ours = new Set([...files.keys(), ...(await Promise.all(caches)), 'pfharden.js', 'thread.js']);
  for (const name of await fs.readdir(dist))
    if (!ours.has(name) && !name.endsWith('.new'))
      await fs.rm(path.join(dist, name), { recursive: true, force: true });
}

/**
 * The files that load() of src/cli/start.cjs loads. Each has the modules that its run uses and those before it
 * do not, and the last what none of the runs uses: most of a lint's time goes into loading, so a lint is to load
 * little else than it uses.
 * @type {readonly { file: string, args: readonly string[] | null }[]}
 */
const RUNS = [
  { file: 'main.js', args: ['lint', 'docs/example/etc/postfix'] },
  { file: 'dovecot.js', args: ['lint', 'docs/example/etc'] },
  { file: 'fix.js', args: ['fix', 'docs/example/etc'] },
  { file: 'rest.js', args: null },
];

/** What runs in a thread of its own, and so is to load no more than it needs. */
const ALONE = { entry: 'src/cli/log-thread.ts', file: 'log-thread.js' };

/**
 * Bundles the program: the files of RUNS, and what is imported dynamically as files beside them. No module is in
 * two of them: what one has, the others ask it for, and what several of those beside have is a file of its own.
 */
async function bundleProgram() {
  /** @type {Map<string, string>} */
  const files = new Map();
  /** @type {Place} */
  const place = (name, text) => {
    // To open a file costs as much as to carry a small table along.
    if (text.length < 10_000) return inPlace(name, text);
    const content = ascii(text);
    const file = hashed(`${name}.json`, content);
    files.set(file, content);
    return `require("node:fs").readFileSync(__dirname + "/${file}", "latin1")`;
  };
  const plugins = [jsonAsText(place), validators, htmlPages, builtinRules(compileRules(place))];

  const alone = await bundle({ entryPoints: [ALONE.entry], ...COMMON_JS, splitting: false, plugins });
  files.set(ALONE.file, withUrl(alone.outputs[0]?.text ?? ''));

  /** @type {Found} */
  const found = { files: new Map(), homes: await homesOfModules(plugins, files), asked: new Map() };
  for (;;) {
    const known = sizeOf(found);
    /** @type {Map<string, string>} */
    const texts = new Map();
    const metafiles = [alone.metafile];
    for (const [home, { file }] of RUNS.entries()) {
      const { outputs, metafile } = await bundle({
        stdin: { contents: entryOf(home, found), resolveDir: root, sourcefile: `${file}.mts` },
        splitting: false,
        plugins: [linking(found.homes, home), elsewhere(found.files), ...plugins],
      });
      const text = withUrl(await linked(outputs[0]?.text ?? '', found.asked));
      // It is read as Latin-1.
      texts.set(
        file,
        ascii(`(function (exports, require, module, __filename, __dirname, load) {${text}\n})`),
      );
      metafiles.push(metafile);
    }
    const parts = await bundleParts(found, plugins);
    // What is asked of a file may bring another names that it is asked for.
    if (sizeOf(found) > known) continue;
    for (const [file, text] of parts.texts) files.set(file, text);
    return { texts, files, metafiles: [...metafiles, parts.metafile] };
  }
}

/**
 * What is found while the files are made, until nothing new comes: what is imported dynamically, with its file
 * where that is known; the files of RUNS that have the modules, by number; and the names that other files ask
 * for, by module.
 * @typedef {{
 *   files: Map<string, string | null>, homes: ReadonlyMap<string, number>, asked: Map<string, Set<string>>,
 * }} Found
 */

/** @param {Found} found */
function sizeOf({ files, asked }) {
  const names = [...files.values()].filter((file) => file !== null);
  return [...asked.values()].reduce((sum, { size }) => sum + size, names.length + files.size);
}

/**
 * Says which of the files of RUNS each module belongs into, by number. To find out, the program is run as files
 * of one module each, which are loaded when something of them is first asked for.
 * @param {esbuild.Plugin[]} plugins
 * @param {ReadonlyMap<string, string>} files what the modules read
 */
async function homesOfModules(plugins, files) {
  const whole = await bundle({
    entryPoints: [PROGRAM],
    splitting: false,
    plugins: [elsewhere(new Map()), ...plugins],
  });
  const modules = modulesOf(whole.metafile).filter((module) => !module.includes(' with '));
  const homes = new Map(modules.map((module) => [module, RUNS.length - 1]));
  const { outputs, metafile } = await bundle({
    entryPoints: modules.map(specifierOf),
    entryNames: '[dir]/[name]-[hash]',
    splitting: false,
    plugins: [linking(homes, null), elsewhere(new Map()), ...plugins],
  });
  const texts = await Promise.all(
    outputs.map(async ({ path: file, text }) => {
      const module = metafile.outputs[path.relative(root, file)]?.entryPoint ?? '';
      return [module, withUrl(await linked(text, new Map()))];
    }),
  );
  await fs.mkdir(cache, { recursive: true });
  const folder = await fs.mkdtemp(path.join(cache, 'runs-'));
  try {
    for (const [name, text] of files) await fs.writeFile(path.join(folder, name), text);
    await fs.writeFile(path.join(folder, 'texts.json'), JSON.stringify(Object.fromEntries(texts)));
    await fs.writeFile(path.join(folder, 'pfharden.js'), LOADING);
    for (const [home, { args }] of [...RUNS.entries()].toReversed()) {
      if (args === null) continue;
      const used = outputOf(`require(process.argv[1]).run(process.argv.slice(2), write)`, [
        path.join(folder, 'pfharden.js'),
        PROGRAM,
        ...args,
      ]);
      for (const module of JSON.parse(String(used))) homes.set(module, home);
    }
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
  return homes;
}

const PROGRAM = 'src/cli/main.ts';

/** The start of a program of one module a file, which tells what a run has loaded. */
const LOADING = `
  const texts = require('./texts.json');
  const loaded = new Map();
  exports.shared = (name) => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(name, module);
    new Function('exports', 'require', 'module', '__filename', '__dirname', texts[name])(
      module.exports, require, module, __filename, __dirname,
    );
    return module.exports;
  };
  exports.run = async ([program, ...args], write) => {
    await exports.shared(program).main(args);
    write(JSON.stringify([...loaded.keys()]));
  };`;

const SMALL = /** @type {const} */ ({
  minifyWhitespace: true,
  minifySyntax: true,
  minifyIdentifiers: process.argv[2] !== 'names',
  legalComments: 'none',
});

const COMMON_JS = /** @type {const} */ ({
  format: 'cjs',
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'importMetaUrl' },
});

/**
 * @param {string} text
 */
function withUrl(text) {
  const url = 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;';
  return text.includes('importMetaUrl') ? url + text : text;
}

/**
 * Writes all but ASCII as escape sequences; esbuild leaves regular expressions as they are written.
 * @param {string} text
 */
function ascii(text) {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** @param {esbuild.BuildOptions} options */
async function bundle(options) {
  const { outputFiles, metafile } = await esbuild.build({
    ...common,
    ...SMALL,
    outdir: dist,
    ...options,
    metafile: true,
    write: false,
  });
  return { outputs: outputFiles, metafile };
}

/**
 * The modules of which something is in a bundle.
 * @param {esbuild.Metafile} metafile
 */
function modulesOf({ outputs }) {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([module, { bytesInOutput }]) => (bytesInOutput > 0 ? [module] : [])),
  );
}

/**
 * A module as metafiles name it: by its path, or by how it is made and its name.
 * @param {{ path: string, namespace: string }} resolved
 */
function moduleOf({ path: name, namespace }) {
  return namespace === 'file' ? path.relative(root, name).replaceAll(path.sep, '/') : `${namespace}:${name}`;
}

/**
 * How a module is imported from the root.
 * @param {string} module
 */
function specifierOf(module) {
  return /^[\w-]+:/.test(module) ? module.replace(/^[\w-]+:/, '') : `./${module}`;
}

/**
 * The module that a file of RUNS is made of: what gives others the names that they ask for, and in the first
 * the program, which also knows where to ask.
 * @param {number} home
 * @param {Found} found
 */
function entryOf(home, { homes, asked }) {
  const own = [...asked].filter(([module]) => homes.get(module) === home);
  const imports = own.map(([module, names], number) => {
    const members = [...names].map((name) => `${name} as ${name}_${number}`);
    return `import { ${members.join(', ')} } from ${JSON.stringify(specifierOf(module))};`;
  });
  const cases = own.map(([module, names], number) => {
    const members = [...names].map((name) => `${name}: ${name}_${number}`);
    return `case ${JSON.stringify(module)}: return { ${members.join(', ')} };`;
  });
  if (home === 0) {
    imports.unshift(`export * from './${PROGRAM}';`);
    for (const [at, { file }] of RUNS.entries()) {
      const there = [...asked.keys()].filter((module) => at > 0 && homes.get(module) === at);
      const labels = there.map((module) => `case ${JSON.stringify(module)}:`);
      if (at > 0 && labels.length > 0)
        cases.push(`${labels.join(' ')} return load("${file}").shared(module);`);
    }
  }
  return [...imports, `export function shared(module) { switch (module) { ${cases.join('\n')} } }`].join(
    '\n',
  );
}

/**
 * Bundles what is imported dynamically, and all that this imports dynamically in turn.
 * @param {Found} found
 * @param {esbuild.Plugin[]} plugins
 */
async function bundleParts(found, plugins) {
  const targets = [...found.files.keys()];
  const { outputs, metafile } = await bundle({
    entryPoints: targets.sort().map(specifierOf),
    entryNames: '[name]-[hash]',
    chunkNames: 'shared-[hash]',
    plugins: [linking(found.homes, null), elsewhere(found.files, targets), ...plugins],
  });
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs))
    if (entryPoint !== undefined && targets.includes(entryPoint))
      found.files.set(entryPoint, path.basename(output));
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const { path: file, text } of outputs)
    texts.set(path.basename(file), withUrl(await linked(text, found.asked)));
  return { texts, metafile };
}

/** How esbuild writes an import of another file of the program, or of a module of one of RUNS. */
const LINK = /\bimport(?: ([\w$]+),?)?(?:\{([^{}]*)\})? ?(?:from)?"(\.\/|main:|later:)([^"]*)";/g;

/** Gets a module of another file when something of it is first asked for. */
const LATER =
  'class Later{constructor(name){this.name=name;this.module=null}get all(){return this.module??=require("./pfharden.js").shared(this.name)}}';

/**
 * Makes CommonJS of a file, with what it imports of other files as constants, or as what is asked for where it
 * is used: what others export is never changed afterwards.
 * @param {string} text
 * @param {Found['asked']} asked takes what it asks others for
 */
async function linked(text, asked) {
  const exported = /\bexport\{([^{}]*)\};?\s*$/.exec(text)?.[1] ?? '';
  const again = new Set(exported.split(',').map((name) => name.split(' as ')[0]));
  /** @type {Map<string, string[]>} */
  const atOnce = new Map();
  /** @type {Map<string, number>} */
  const later = new Map();
  /** @type {Record<string, string>} */
  const define = {};
  const rest = text.replaceAll(LINK, (_, whole = '', some = '', kind, name) => {
    const members = some === '' ? [] : some.split(',').map((member) => member.split(' as '));
    if (whole !== '') members.push(['default', whole]);
    if (kind !== './') {
      const known = asked.get(name) ?? new Set();
      for (const [member] of members) known.add(member);
      asked.set(name, known);
    }
    for (const [member, as = member] of members) {
      // What is exported again has to be a name.
      if (kind === 'later:' && !again.has(as)) {
        const number = later.get(name) ?? later.size;
        later.set(name, number);
        define[as] = `later_${number}.all.${member}`;
      } else {
        const from = kind === './' ? `require("./${name}")` : `require("./pfharden.js").shared("${name}")`;
        atOnce.set(from, [...(atOnce.get(from) ?? []), `${member}:${as}`]);
      }
    }
    return '';
  });
  const links = [
    ...[...atOnce].map(([from, names]) => `const{${names.join(',')}}=${from};`),
    later.size > 0 ? LATER : '',
    ...[...later].map(([module, number]) => `const later_${number}=new Later("${module}");`),
  ];
  if (/\bimport\b[^;]*"(?:main|later):/.test(rest)) throw new Error('an import of a form that is not known');
  const { code } = await esbuild.transform(links.join('') + rest, {
    ...COMMON_JS,
    ...SMALL,
    target: common.target,
    define: { ...COMMON_JS.define, ...define },
  });
  return code;
}

/** Bundles the library as one module that needs nothing of Node. */
async function bundleLibrary() {
  const { outputs, metafile } = await bundle({
    entryPoints: [path.join(root, 'src', 'library', 'index.ts')],
    platform: 'browser',
    alias: { ...common.alias, 'node:path': 'path-browserify' },
    // Paths that do not begin with / are kept apart from those that do.
    define: { 'process.cwd': 'workingFolder' },
    inject: [path.join(root, 'src', 'library', 'working-folder.ts')],
    splitting: false,
    plugins: [textsForDisk, jsonAsText(inPlace), validators, builtinRules(compileRules(inPlace))],
  });
  return { text: outputs[0]?.text ?? '', metafile };
}

/** Texts in the place of files. */
const textsForDisk = {
  name: 'texts-for-disk',
  /** @param {esbuild.PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /\/disk\.ts$/ }, () => ({
      path: path.join(root, 'src', 'library', 'texts.ts'),
    }));
  },
};

/**
 * What is imported dynamically lies in a file of its own.
 * @param {Found['files']} files takes what is found
 * @param {readonly string[]} here what is bundled in the same run, and so is found by esbuild itself
 */
function elsewhere(files, here = []) {
  return {
    name: 'elsewhere',
    /** @param {esbuild.PluginBuild} build */
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path: name, kind, resolveDir, importer }) => {
        if (kind !== 'dynamic-import' || name.startsWith('node:')) return undefined;
        const resolved = await build.resolve(name, { kind: 'import-statement', resolveDir, importer });
        if (resolved.errors.length > 0) return { errors: resolved.errors };
        const module = moduleOf(resolved);
        const file = files.get(module) ?? null;
        files.set(module, file);
        return here.includes(module) ? undefined : { path: `./${file}`, external: true };
      });
    },
  };
}

/**
 * What another of the files of RUNS has is asked of it: of the first, which all others come after, at once,
 * of the rest when it is used.
 * @param {Found['homes']} homes
 * @param {number | null} here the number of the file that is made; null for another file
 */
function linking(homes, here) {
  const asking = {};
  return {
    name: 'linking',
    /** @param {esbuild.PluginBuild} build */
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path: name, kind, pluginData, ...where }) => {
        if (kind !== 'import-statement' || pluginData === asking) return undefined;
        const resolved = await build.resolve(name, { kind, pluginData: asking, ...where });
        if (resolved.errors.length > 0 || resolved.external) return undefined;
        const module = moduleOf(resolved);
        const home = homes.get(module);
        if (home === undefined || home === here) return undefined;
        return { path: `${home === 0 ? 'main' : 'later'}:${module}`, external: true, sideEffects: false };
      });
    },
  };
}

/**
 * The code that V8 makes of a file of the program, with all that a run of it runs through: half of the time of a
 * lint would go into compiling. A Node of another release takes no notice of it and compiles for itself.
 * @param {string} program
 * @param {string} name
 * @param {readonly string[]} args
 */
function compiledCode(program, name, args) {
  const code = `
    const vm = require('node:vm');
    const scripts = new Map();
    vm.Script = class extends vm.Script {
      constructor(text, { filename }) {
        super(text, { filename });
        scripts.set(require('node:path').basename(filename), this);
      }
    };
    const [program, name, ...args] = process.argv.slice(1);
    require(program).main(args).then(() => write(scripts.get(name).createCachedData()));`;
  return outputOf(code, [program, name, ...args]);
}

/**
 * Runs a program, which gives something to write(); what else it says goes nowhere.
 * @param {string} code
 * @param {readonly string[]} args
 */
function outputOf(code, args) {
  const writing = `
    const write = (data) => {
      if (process.exitCode > 1) return;
      process.exitCode = 0;
      const bytes = Buffer.from(data);
      for (let at = 0; at < bytes.length; ) at += require('node:fs').writeSync(3, bytes, at);
    };`;
  const { output, status, error } = spawnSync(process.execPath, ['-e', writing + code, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${args.join(' ')}: ended with status ${status}\n${String(output[2])}`);
  return output[3] ?? '';
}

/**
 * @param {string} name
 * @param {string} text
 */
function hashed(name, text) {
  const { name: base, ext } = path.parse(name);
  return `${base}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}${ext}`;
}

/**
 * Writes beside and renames: whoever reads the file finds the old one or the new one.
 * @param {string} file
 * @param {string | Uint8Array} content
 */
async function writeWhole(file, content, mode = 0o644) {
  const beside = `${file}.${process.pid}.new`;
  await fs.writeFile(beside, content, { mode });
  await fs.rename(beside, file);
}

/**
 * What is bundled is distributed, and its licences ask to be distributed with it.
 * @param {readonly esbuild.Metafile[]} metafiles
 */
async function thirdPartyLicences(metafiles) {
  /** @type {Set<string>} */
  const folders = new Set();
  for (const output of metafiles.flatMap(({ outputs }) => Object.values(outputs))) {
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
if (command === undefined || command === 'names') {
  await buildDist();
} else if (command === 'run' && file !== undefined) {
  process.exitCode = await withBundle(path.resolve(file), compileRules(inPlace), (made) => {
    const node = spawnSync(process.execPath, ['--enable-source-maps', made, ...args], { stdio: 'inherit' });
    if (node.error) throw node.error;
    return node.status ?? 128 + (node.signal ? constants.signals[node.signal] : 0);
  });
} else {
  console.error('usage: node esbuild.mjs [names | run FILE [ARG…]]');
  process.exitCode = 2;
}
