/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/servers/'],
  // Configurations under test and their fixed copies are data, whatever their names look like.
  modulePathIgnorePatterns: ['<rootDir>/test/hosts/', '<rootDir>/dist/'],
  moduleFileExtensions: ['ts', 'mjs', 'cjs', 'js', 'json', 'node'],
  transform: {
    '\\.ts$': '<rootDir>/test/support/esbuild-transform.cjs',
    '\\.wasm$': '<rootDir>/test/support/wasm-transform.cjs',
  },
  moduleNameMapper: {
    '^virtual:builtin-rules$': '<rootDir>/test/support/builtin-rules.ts',
    '^virtual:validators$': '<rootDir>/test/support/validators.ts',
    '^virtual:html-pages$': '<rootDir>/test/support/html-pages.ts',
    '^virtual:builtin-rule-pages$': '<rootDir>/test/support/builtin-rules.ts',
  },
  // Nothing here is a test of speed: on a machine that has other things to do a test may take long.
  testTimeout: 120_000,
  globalSetup: '<rootDir>/test/support/build.mjs',
};
