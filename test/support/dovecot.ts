import { DovecotConfiguration } from '../../src/dovecot/configuration.ts';
import type { DovecotFiles } from '../../src/dovecot/load.ts';
import type { Release } from '../../src/model/release.ts';
import { SourceFile } from '../../src/text/source.ts';

/** Texts by path. */
export type Texts = Readonly<Record<string, string>>;

/** Files in memory, as a configuration reads them; paths are relative to nothing, or absolute. */
export function inMemory(texts: Texts): DovecotFiles {
  const names = Object.keys(texts);
  return {
    open(path) {
      const text = Object.hasOwn(texts, path) ? texts[path] : undefined;
      return text === undefined ? null : new SourceFile(path, text);
    },
    entries(folder) {
      const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
      const inside = names.filter((name) => name.startsWith(prefix));
      if (inside.length === 0 && folder !== '') return null;
      return [...new Set(inside.map((name) => name.slice(prefix.length).split('/')[0] ?? ''))];
    },
  };
}

/** The configuration of some files, the first of them dovecot.conf where none is called so. */
export function dovecot(texts: Texts | string, release: Release): DovecotConfiguration {
  const all = typeof texts === 'string' ? { 'dovecot.conf': texts } : texts;
  const path = Object.hasOwn(all, 'dovecot.conf') ? 'dovecot.conf' : (Object.keys(all)[0] ?? 'dovecot.conf');
  return new DovecotConfiguration({
    main: new SourceFile(path, all[path] ?? ''),
    files: inMemory(all),
    release: { version: release, versionFrom: 'flag', provenAtLeast: null },
  });
}
