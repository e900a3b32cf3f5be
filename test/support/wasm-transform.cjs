// What the build makes of compiled WebAssembly that is imported: its bytes in base64.
const { readFileSync } = require('node:fs');

module.exports = {
  process: (_, file) => ({
    code: `exports.__esModule = true; exports.default = '${readFileSync(file, 'base64')}';`,
  }),
};
