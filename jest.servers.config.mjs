import base from './jest.config.mjs';

// The comparison with real servers has to fit into 25 minutes, a full run takes what it takes.
const minutes = process.env.PFHARDEN_FULL ? 24 * 60 : 25;

/** @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['<rootDir>/test/servers/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: minutes * 60 * 1000,
  maxWorkers: 2,
};
