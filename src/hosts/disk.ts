// All that finding hosts and reading their folders asks of the file system, in one place: in the library, which
// has texts instead of files, src/library/texts.ts stands in for it.
import { realpathSync as realpath } from 'node:fs';

export { lstatSync, readdirSync, statSync } from 'node:fs';
export { readSource, readSourceOrNull } from './files.ts';

/** The system's own: that of Node looks at each folder on the way by itself. */
export const realpathSync = realpath.native;
