import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FileFacts, NOTHING_KNOWN, type Readers } from '../model/file-facts.ts';
import { errorCode } from './files.ts';

/** Looks at a file of this machine. Links count as what they lead to. */
export function machineFileFacts(path: string): FileFacts {
  try {
    const stat = statSync(path);
    return { exists: true, readers: stat.isFile() ? readersOf(realpathSync(path), stat.mode) : null };
  } catch (error) {
    const code = errorCode(error);
    return { exists: code === 'ENOENT' || code === 'ENOTDIR' ? false : null, readers: NOTHING_KNOWN.readers };
  }
}

/**
 * Who can read a file by its mode and by the modes of the folders that lead to it: nobody reads what he
 * cannot get at.
 *
 * @param path without links
 */
function readersOf(path: string, mode: number): Readers {
  let [group, others] = [(mode & 0o040) !== 0, (mode & 0o004) !== 0];
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const { mode: folderMode } = statSync(folder);
    group &&= (folderMode & 0o011) !== 0;
    others &&= (folderMode & 0o001) !== 0;
  }
  return others ? 'others' : group ? 'group' : 'owner';
}
