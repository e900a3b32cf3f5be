// Writes a repository of many hosts, to be looked at or measured by hand.
//
//   node esbuild.mjs run test/bench/make-repository.ts FOLDER [HOSTS] [SEED]
import { makeRepository } from './repository.ts';

const [folder, count = '10000', seed = '1'] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder to write to');
console.log(`${makeRepository(folder, Number(count), Number(seed)).length} hosts in ${folder}`);
