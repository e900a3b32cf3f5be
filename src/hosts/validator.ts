import { Ajv, type ValidateFunction } from 'ajv';

const compiled = new WeakMap<object, ValidateFunction>();

/** Compiles a schema, once. A module of its own, so that ajv is loaded only where a user's file is to be checked. */
export function validator<T>(schema: object): ValidateFunction<T> {
  // Whether a text is a regular expression is for those to say who know what it is for.
  const formats = { regex: true } as const;
  const known =
    compiled.get(schema) ??
    new Ajv({ allErrors: true, strict: false, verbose: true, formats }).compile(schema);
  compiled.set(schema, known);
  return known as ValidateFunction<T>;
}
