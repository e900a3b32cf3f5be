import type { Edit } from '../text/edits.ts';
import { removeStatement, renameKey, replaceValue, writtenValue } from './edits.ts';
import { lowestProtocol } from './legacy.ts';
import type { Replacement } from './settings.ts';
import type { Dialect } from './syntax/dialect.ts';
import type { DovecotFile, SettingStatement } from './syntax/tree.ts';

/** Another way to write a setting: a new key and the text behind its `=`, or nothing in its place. */
export type Rewriting = { readonly key: string; readonly written: string } | 'drop';

/**
 * What an old setting is in the release that has a replacement for it, where that is exact; null where
 * somebody has to decide. What stands inside a section stays there: the key is that of the section.
 */
export function rewriting(
  setting: SettingStatement,
  replacement: Replacement,
  dialect: Dialect,
): Rewriting | null {
  const { kind, to, words, note } = replacement;
  const { form, value } = setting;
  const raw = form === 'file' ? `<${value}` : form === 'variables' ? value : writtenValue(value, dialect);
  // old-set-parser.c: the file becomes the content that the new name wants.
  if (kind === 'rename' && note !== null && to !== null && setting.key === `${to}_file`)
    return { key: to, written: `<${value}` };
  if (note !== null || form === 'heredoc') return null;
  if (kind === 'drop') return 'drop';
  if (form === 'variables' || to === null) return null;
  if (kind === 'rename') return { key: to, written: form === 'file' ? raw : (words[value] ?? raw) };
  if (kind === 'invert') return { key: to, written: /^(y|yes|1)$/i.test(value) ? 'no' : 'yes' };
  if (kind === 'words') {
    const word = words[value.toLowerCase()];
    return word === null ? 'drop' : word === undefined ? null : { key: to, written: word };
  }
  // Without the sign it was the content itself.
  if (kind === 'file') return form === 'file' ? { key: to, written: value } : null;
  if (kind !== 'protocols') return null;
  const lowest = lowestProtocol(value);
  return 'protocol' in lowest ? { key: to, written: lowest.protocol } : null;
}

/** The edits that write a setting in another way. */
export function rewritingEdits(file: DovecotFile, setting: SettingStatement, to: Rewriting): Edit[] {
  if (to === 'drop') return removeStatement(file, setting);
  return [...renameKey(file, setting, to.key), ...replaceValue(file, setting, to.written)];
}
