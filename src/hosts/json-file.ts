import type { ErrorObject } from 'ajv';
import { type JsonPlaces, jsonPlaces } from '../text/json-places.ts';
import { nearest } from '../text/nearest.ts';
import type { SourceFile } from '../text/source.ts';
import { InputError, readSource } from './files.ts';

/** A JSON file that follows its schema, with the places of its parts. */
export class JsonFile<T> {
  readonly source: SourceFile;
  readonly value: T;
  readonly #places: JsonPlaces;

  constructor(source: SourceFile, value: T, places: JsonPlaces) {
    this.source = source;
    this.value = value;
    this.#places = places;
  }

  /** An error at a part of the file, to be thrown: `ours.json:3: unknown rule "…"`. */
  error(pointer: string, problem: string): InputError {
    return errorAt(this.source, this.#places, pointer, problem);
  }
}

/**
 * Reads a JSON file and holds it against its schema. The validator is loaded only here: most runs read
 * no JSON file of the user's.
 *
 * @throws InputError with path, line and what is wrong
 */
export async function readJsonFile<T>(path: string, schema: object): Promise<JsonFile<T>> {
  const source = readSource(path);
  const text = source.text.startsWith('\uFEFF') ? ` ${source.text.slice(1)}` : source.text;
  const places = jsonPlaces(text);
  if (places.errorAt !== null) {
    const { line, column } = source.position(places.errorAt);
    const met =
      places.errorAt >= text.length
        ? 'the file ends too early'
        : `"${text[places.errorAt]}" cannot stand there`;
    throw new InputError(`${path}:${line}:${column}: not valid JSON: ${met}`);
  }
  const { validator } = await import('./validator.ts');
  const validate = validator<T>(schema);
  const value: unknown = JSON.parse(text);
  if (validate(value)) return new JsonFile(source, value, places);
  throw problemOf(source, places, validate.errors ?? []);
}

/** Errors by how much they say; what names a key or a list of words says most. */
function rankOf({ keyword }: ErrorObject): number {
  const order = ['additionalProperties', 'required', 'enum', 'type'].indexOf(keyword);
  return order < 0 ? 9 : order;
}

/** The errors in words, the one that says most first: one that names a key or a list of words. */
function problemOf(source: SourceFile, places: JsonPlaces, errors: readonly ErrorObject[]): InputError {
  const [first] = [...errors].sort((a, b) => rankOf(a) - rankOf(b));
  if (first === undefined) return new InputError(`${source.path}: not as it should be`);
  if (first.keyword === 'additionalProperties') {
    const key = String(first.params['additionalProperty']);
    const known = Object.keys((first.parentSchema?.['properties'] as object | undefined) ?? {});
    const meant = nearest(key, known);
    const hint =
      meant === null
        ? `known here: ${known.filter((name) => name !== '$schema').join(', ')}`
        : `did you mean "${meant}"?`;
    const escaped = key.replaceAll('~', '~0').replaceAll('/', '~1');
    return errorAt(source, places, `${first.instancePath}/${escaped}`, `unknown key "${key}"; ${hint}`);
  }
  const where = first.instancePath.slice(1).replaceAll('/', '.') || 'the whole file';
  if (first.keyword === 'enum') {
    const words = (first.params['allowedValues'] as readonly unknown[]).map(String);
    return errorAt(source, places, first.instancePath, `${where} must be one of ${words.join(', ')}`);
  }
  return errorAt(source, places, first.instancePath, `${where} ${first.message ?? 'is not as it should be'}`);
}

function errorAt(source: SourceFile, places: JsonPlaces, pointer: string, problem: string): InputError {
  const span = places.keys.get(pointer) ?? places.values.get(pointer);
  const { line } = source.position(span?.start ?? 0);
  return new InputError(`${source.path}:${line}: ${problem}`);
}
