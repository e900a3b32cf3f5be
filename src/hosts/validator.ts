import { Ajv, type ValidateFunction } from 'ajv';

/** Compiles a schema. A module of its own, so that ajv is loaded only where a user's file is to be checked. */
export function validator<T>(schema: object): ValidateFunction<T> {
  return new Ajv({ allErrors: true, strict: false, verbose: true }).compile<T>(schema);
}
