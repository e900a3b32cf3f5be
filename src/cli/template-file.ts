// Loaded by few commands: the whole of Handlebars is for them, the templates of rules are compiled before.
import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';

/**
 * A template of the package, filled; nothing in it is escaped but by the helpers.
 *
 * @param name below templates/, without `.hbs`
 * @throws Error for a value that the template names and the data has not
 */
export function filledTemplate(
  name: string,
  data: object,
  helpers: Readonly<Record<string, Handlebars.HelperDelegate>>,
): string {
  // The templates lie beside the folder of the built program.
  const text = readFileSync(new URL(`../templates/${name}.hbs`, import.meta.url), 'utf8');
  const handlebars = Handlebars.create();
  for (const [helper, made] of Object.entries(helpers)) handlebars.registerHelper(helper, made);
  return handlebars.compile(text, { noEscape: true, strict: true })(data);
}
