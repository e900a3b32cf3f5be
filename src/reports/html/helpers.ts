import { TEMPLATE_HELPERS } from '../../rules/messages.ts';

/** Handlebars helpers that templates of pages have beside those of messages. */
const PAGE_HELPERS = ['css', 'early', 'js', 'csp'] as const;

/** Helpers of pages by name: what `assets` of `virtual:html-pages` has for a kind of page. */
export type PageHelper = (typeof PAGE_HELPERS)[number];

/** Options for the templates of pages: all is escaped, a missing variable is an error. */
export const HTML_TEMPLATE_OPTIONS = {
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries(
    [...Object.keys(TEMPLATE_HELPERS), ...PAGE_HELPERS].map((name) => [name, true]),
  ),
} as const;
