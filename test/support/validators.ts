// What the build makes of the schemas, for tests that import the sources.
import { Ajv, type ValidateFunction } from 'ajv';
import profileSchema from '../../profiles/profile.schema.json' with { type: 'json' };
import configSchema from '../../schemas/config.schema.json' with { type: 'json' };

const ajv = new Ajv({ allErrors: true, strict: true, verbose: true });

/** As in src/hosts/validators.d.ts. */
export const validators: Readonly<Record<string, ValidateFunction>> = Object.fromEntries(
  [configSchema, profileSchema].map((schema) => [schema.$id, ajv.compile(schema)]),
);
