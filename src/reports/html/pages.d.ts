/** Templates, styles and scripts of pages, made from templates/html when the program is built. */
declare module 'virtual:html-pages' {
  /** By the name of the file: precompiled Handlebars templates. */
  export const templates: Readonly<Record<string, unknown>>;
  /** By the kind of page. */
  export const assets: Readonly<
    Record<
      string,
      { readonly css: string; readonly early: string; readonly js: string; readonly csp: string }
    >
  >;
}
