import type { FoundHost } from '../hosts/find.ts';
import { settingsText } from '../reports/settings.ts';
import { type Request, textOf } from './options.ts';

/** Tells what the files say that settle how hosts are judged, each once in a run. */
export class Settings {
  readonly #told = new Set<FoundHost['config']>();
  readonly #flag: boolean;
  readonly #width: number;

  constructor({ given }: Request, width: number) {
    this.#flag = textOf(given, 'profile') !== undefined;
    this.#width = width;
  }

  /** The sentence on the settings of a host; nothing where there are none or it has been told. */
  once({ config }: FoundHost): string {
    if (config === null || this.#told.has(config)) return '';
    this.#told.add(config);
    return settingsText(config, this.#flag, this.#width);
  }
}
