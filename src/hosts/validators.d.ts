/** What checks files against the schemas of the package, made from them when the program is built. */
declare module 'virtual:validators' {
  /** By the `$id` of the schema. */
  export const validators: Readonly<Record<string, import('ajv').ValidateFunction>>;
}
