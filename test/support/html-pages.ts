import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { htmlAssets, htmlTemplates } from '../../src/build/html-module.ts';

// Stands in for the module that the build makes: the same files, read when the tests run, and not minified.
const folder = join(__dirname, '..', '..', 'templates', 'html');

export const templates = Object.fromEntries(
  Object.entries(htmlTemplates(folder)).map(([name, code]) => [
    name,
    runInThisContext(`(${code})`) as unknown,
  ]),
);

export const assets = htmlAssets(folder, (text) => text);
