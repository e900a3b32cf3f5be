import type { ErrorObject, ValidateFunction } from 'ajv';
import { type JsonPlaces, jsonPlaces, pointerPart } from '../text/json-places.ts';
import { nearest } from '../text/nearest.ts';
import type { SourceFile, Span } from '../text/source.ts';
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

  /** The line of a value of the file. */
  line(pointer: string): number {
    return this.source.position(this.#places.values.get(pointer)?.start ?? 0).line;
  }

  /** An error at a value of the file, to be thrown: `ours.json:3:16: there is no profile "…"`. */
  error(pointer: string, problem: string): InputError {
    return errorIn(this.source, this.#places.values.get(pointer), problem);
  }

  /** An error at a key of the file: `ours.json:3:5: there is no rule "…"`. */
  keyError(pointer: string, problem: string): InputError {
    return errorIn(this.source, this.#places.keys.get(pointer), problem);
  }
}

/**
 * Reads a JSON file, which may have comments, and holds it against its schema. The validator is loaded only here: most runs read
 * no JSON file of the user's.
 *
 * @throws InputError with path, line, column and what is wrong
 */
export async function readJsonFile<T>(path: string, schema: { readonly $id?: string }): Promise<JsonFile<T>> {
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
  const [again] = places.repeated;
  if (again !== undefined)
    throw errorIn(source, again, `the key ${source.slice(again)} stands here a second time`);
  const validate = await validatorOf<T>(schema);
  const value: unknown = JSON.parse(withoutComments(text, places.comments));
  if (validate(value)) return new JsonFile(source, value, places);
  throw problemOf(source, places, validate.errors ?? []);
}

/** What the build made of a schema of the package; any other schema is compiled here. */
async function validatorOf<T>(schema: { readonly $id?: string }): Promise<ValidateFunction<T>> {
  const { validators } = await import('virtual:validators');
  const made = schema.$id === undefined ? undefined : validators[schema.$id];
  if (made !== undefined) return made as ValidateFunction<T>;
  const { validator } = await import('./validator.ts');
  return validator<T>(schema);
}

/** The text with comments blanked. */
function withoutComments(text: string, comments: readonly Span[]): string {
  let result = '';
  let from = 0;
  for (const { start, end } of comments) {
    result += `${text.slice(from, start)} `;
    from = end;
  }
  return result + text.slice(from);
}

/** Errors by how much they say; what names a key or a list of words says most. */
function rankOf({ keyword }: ErrorObject): number {
  const order = ['additionalProperties', 'required', 'enum', 'type'].indexOf(keyword);
  // That no branch of a choice fits says nothing that the errors of the branches do not say.
  return order < 0 ? (keyword === 'if' ? 99 : 9) : order;
}

/** The errors in words, the one that says most first: one that names a key or a list of words. */
function problemOf(source: SourceFile, places: JsonPlaces, errors: readonly ErrorObject[]): InputError {
  const [first] = [...errors].sort((a, b) => rankOf(a) - rankOf(b));
  if (first === undefined) return new InputError(`${source.path}: not as it should be`);
  const { instancePath: pointer } = first;
  if (first.keyword === 'additionalProperties') {
    const key = String(first.params['additionalProperty']);
    const known = Object.keys((first.parentSchema?.['properties'] as object | undefined) ?? {});
    const span = places.keys.get(`${pointer}/${pointerPart(key)}`);
    return errorIn(source, span, `unknown key "${key}"; ${hintOf(key, known)}`);
  }
  const span = places.values.get(pointer);
  const where = pointer.slice(1).split('/').map(keyOf).join('.') || 'the whole file';
  if (first.keyword === 'enum') {
    const words = (first.params['allowedValues'] as readonly unknown[]).map(String);
    const meant = typeof first.data === 'string' ? nearest(first.data, words) : null;
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    return errorIn(source, span, `${where} must be one of ${words.join(', ')}${hint}`);
  }
  return errorIn(source, span, `${where} ${first.message ?? 'is not as it should be'}`);
}

/** The key that a part of a JSON pointer stands for. */
function keyOf(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** What was probably meant by a key, else what could be. */
function hintOf(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant === null
    ? `known here: ${known.filter((name) => name !== '$schema').join(', ')}`
    : `did you mean "${meant}"?`;
}

function errorIn(source: SourceFile, span: Span | undefined, problem: string): InputError {
  const { line, column } = source.position(span?.start ?? 0);
  return new InputError(`${source.path}:${line}:${column}: ${problem}`);
}
