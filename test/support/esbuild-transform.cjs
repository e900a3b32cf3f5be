// Jest runs CommonJS without flags, so each TypeScript file becomes that, with import.meta written out.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const esbuild = require('esbuild');

const options = {
  loader: 'ts',
  format: 'cjs',
  target: 'node20',
  // Jest lets CommonJS import nothing dynamically; as require() it works.
  supported: { 'dynamic-import': false },
  sourcemap: 'inline',
  banner: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;',
  define: {
    'import.meta.url': 'importMetaUrl',
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
  },
};
const self = readFileSync(__filename);

module.exports = {
  process: (text, file) => esbuild.transformSync(text, { ...options, sourcefile: file }),
  getCacheKey: (text, file) =>
    createHash('sha1')
      .update(self)
      .update(esbuild.version)
      .update(file)
      .update('\0')
      .update(text)
      .digest('hex'),
};
