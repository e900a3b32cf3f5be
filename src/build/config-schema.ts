import { readFile } from 'node:fs/promises';
import type { RulePage } from '../rules/rule.ts';
import { readRuleFiles } from './rules-module.ts';

interface Schema {
  readonly properties: {
    readonly severity: object;
    readonly hosts: { readonly items: { readonly properties: { readonly severity: object } } };
  };
  readonly definitions: object;
}

/**
 * The schema of `.pfharden.json` as editors want it: with the ids of all rules and their messages, to be
 * completed. Rules of one's own may have others, so that an unknown id is no error there.
 *
 * @throws Error that names a file and what is wrong with it
 */
export async function editorSchema(
  schemaPath: string,
  rulesFolder: string,
  profilesFolder: string,
): Promise<string> {
  const schema = JSON.parse(await readFile(schemaPath, 'utf8')) as Schema;
  const { rules } = await readRuleFiles(rulesFolder, profilesFolder);
  const { hosts } = schema.properties;
  const severity = { $ref: '#/definitions/severity' };
  const ofHosts = { ...hosts.items, properties: { ...hosts.items.properties, severity } };
  return JSON.stringify({
    ...schema,
    properties: { ...schema.properties, severity, hosts: { ...hosts, items: ofHosts } },
    definitions: {
      ...schema.definitions,
      severity: {
        ...schema.properties.severity,
        properties: Object.fromEntries(rules.map((rule) => [rule.id, levelsOf(rule)])),
      },
    },
  });
}

function levelsOf({ title, messages }: RulePage): object {
  const level = { $ref: '#/definitions/level' };
  const byMessage = [
    ...Object.entries(messages),
    ['*', { text: 'The messages that are not named.' }] as const,
  ];
  return {
    description: title,
    anyOf: [
      level,
      {
        type: 'object',
        minProperties: 1,
        additionalProperties: false,
        properties: Object.fromEntries(
          byMessage.map(([id, { text }]) => [id, { ...level, description: text }]),
        ),
      },
    ],
  };
}
