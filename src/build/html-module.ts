import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { HTML_TEMPLATE_OPTIONS } from '../reports/html/helpers.ts';

/** The style and the scripts of one kind of page, with the policy that lets these run and nothing else. */
interface PageAssets {
  readonly css: string;
  /** Runs before the first thing is drawn. */
  readonly early: string;
  /** Runs when all is there. */
  readonly js: string;
  readonly csp: string;
}

/** Makes a text smaller without changing what it does. */
export type Minify = (text: string, loader: 'css' | 'js') => string;

/** What pages share; each kind of page has its own style and script behind it. */
const SHARED = 'page';

/** The templates of a folder by name, as code of functions for Handlebars' runtime. */
export function htmlTemplates(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names(folder, '.hbs').map((name) => {
      const code: unknown = Handlebars.precompile(read(folder, `${name}.hbs`), HTML_TEMPLATE_OPTIONS);
      if (typeof code !== 'string') throw new TypeError('Handlebars precompiles to text');
      return [name, code];
    }),
  );
}

/** The assets of each kind of page: `lint` has lint.css and lint.js behind page.css and page.js. */
export function htmlAssets(folder: string, minify: Minify): Readonly<Record<string, PageAssets>> {
  const kinds = names(folder, '.css').filter((name) => name !== SHARED);
  return Object.fromEntries(
    kinds.map((kind) => {
      const joined = (suffix: '.css' | '.js'): string =>
        [SHARED, kind]
          .filter((name) => existsSync(join(folder, `${name}${suffix}`)))
          .map((name) => read(folder, `${name}${suffix}`))
          .join('\n');
      const css = minify(joined('.css'), 'css').trim();
      const early = minify(read(folder, 'early.js'), 'js').trim();
      const js = minify(joined('.js'), 'js').trim();
      const policy = [
        "default-src 'none'",
        `style-src ${hash(css)}`,
        `script-src ${hash(early)} ${hash(js)}`,
        'img-src data:',
        "base-uri 'none'",
        "form-action 'none'",
      ];
      return [kind, { css, early, js, csp: policy.join('; ') }];
    }),
  );
}

/** The text of the module `virtual:html-pages`, for a bundle. */
export function htmlModule(folder: string, minify: Minify): string {
  const templates = Object.entries(htmlTemplates(folder)).map(
    ([name, code]) => `${JSON.stringify(name)}:${code}`,
  );
  return [
    `export const templates = {${templates.join(',')}};`,
    `export const assets = JSON.parse(${JSON.stringify(JSON.stringify(htmlAssets(folder, minify)))});`,
  ].join('\n');
}

function names(folder: string, suffix: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .sort();
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** As a source of a Content-Security-Policy (CSP Level 3, section 2.3.1). */
function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
