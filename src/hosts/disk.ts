// All that finding hosts and reading their folders asks of the file system, in one place: in the library, which
// has texts instead of files, src/library/texts.ts stands in for it.
export { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
export { readSource, readSourceOrNull } from './files.ts';
