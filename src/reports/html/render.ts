import { assets, templates } from 'virtual:html-pages';
import Handlebars from 'handlebars/runtime';
import { TEMPLATE_HELPERS } from '../../rules/messages.ts';
import { harmless } from '../words.ts';
import type { PageHelper } from './helpers.ts';

const engine = Handlebars.create();

for (const [name, helper] of Object.entries(TEMPLATE_HELPERS)) engine.registerHelper(name, helper);

/** The style, a script or the policy of a kind of page: text of the program's own, which is not escaped. */
const ASSET_HELPERS: Readonly<Record<PageHelper, (kind: string) => string>> = {
  css: (kind) => assetsOf(kind).css,
  early: (kind) => assetsOf(kind).early,
  js: (kind) => assetsOf(kind).js,
  csp: (kind) => assetsOf(kind).csp,
};

for (const [name, helper] of Object.entries(ASSET_HELPERS)) engine.registerHelper(name, helper);
for (const [name, compiled] of Object.entries(templates))
  engine.registerPartial(name, engine.template(compiled as TemplateSpecification));

function assetsOf(kind: string): (typeof assets)[string] {
  const found = assets[kind];
  if (found === undefined) throw new Error(`no style for pages of the kind ${kind}`);
  return found;
}

/**
 * A piece of HTML. All texts of the data are shown as they are and do nothing: what HTML would act on is
 * escaped, control characters and marks of direction are shown as such; a tab stays one.
 *
 * @param name of a file in templates/html, without its suffix
 */
export function renderHtml(name: string, data: Readonly<Record<string, unknown>>): string {
  const template = engine.partials[name] as ((context: unknown) => string) | undefined;
  if (template === undefined) throw new Error(`no template ${name}`);
  return template(shown(data));
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\t') ? withTabs(value) : harmless(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item)]));
}

function withTabs(text: string): string {
  return text.split('\t').map(harmless).join('\t');
}
