import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readRuleFiles } from '../../src/build/rules-module.ts';
import { ROLES } from '../../src/model/endpoint.ts';
import { THRESHOLD_PARTS } from '../../src/model/thresholds.ts';
import type { ProfileFile } from '../../src/rules/profile.ts';
import { builtinProfile } from '../../src/rules/rule-set.ts';

const ROOT = path.join(__dirname, '..', '..');
const RULES = path.join(ROOT, 'rules');
const PROFILES = path.join(ROOT, 'profiles');

interface Schema {
  readonly definitions: {
    readonly role: { readonly enum: readonly string[] };
    readonly thresholds: {
      readonly properties: { readonly lowestProtocol: { readonly properties: object } };
    };
  };
}

function schema(file: string): Schema {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Schema;
}

describe('the schemas', () => {
  it('know the roles of the model', () => {
    expect([...schema(path.join(RULES, 'rule.schema.json')).definitions.role.enum].sort()).toEqual(
      [...ROLES].sort(),
    );
    const { lowestProtocol } = schema(path.join(PROFILES, 'profile.schema.json')).definitions.thresholds
      .properties;
    expect(Object.keys(lowestProtocol.properties).sort()).toEqual([...ROLES, 'policy'].sort());
  });
});

describe('a rule file', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(tmpdir(), 'pfharden-rules-'));
    fs.copyFileSync(path.join(RULES, 'rule.schema.json'), path.join(folder, 'rule.schema.json'));
    fs.mkdirSync(path.join(folder, 'postfix'));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const put = (name: string, change: (rule: Record<string, unknown>) => void): void => {
    const text = fs.readFileSync(path.join(RULES, 'postfix/broken-sasl-clients.json'), 'utf8');
    const rule = JSON.parse(text) as Record<string, unknown>;
    change(rule);
    fs.writeFileSync(path.join(folder, 'postfix', name), JSON.stringify(rule));
  };

  it('is read when it follows the schema', async () => {
    put('broken-sasl-clients.json', () => undefined);
    const { rules } = await readRuleFiles(folder, PROFILES);
    expect(rules.map(({ id }) => id)).toEqual(['postfix/broken-sasl-clients']);
  });

  it.each([
    [
      'without examples',
      (rule: Record<string, unknown>) => delete rule.examples,
      /must have required property 'examples'/,
    ],
    [
      'with a key that does not exist',
      (rule: Record<string, unknown>) => (rule.sevrity = {}),
      /must NOT have additional properties/,
    ],
    [
      'with check and condition',
      (rule: Record<string, unknown>) => Object.assign(rule, { check: 'x', when: { release: '*' } }),
      /must match exactly one schema/,
    ],
  ])('is refused %s, and named', async (_what, change, message) => {
    put('broken-sasl-clients.json', change);
    await expect(readRuleFiles(folder, PROFILES)).rejects.toThrow(message);
    await expect(readRuleFiles(folder, PROFILES)).rejects.toThrow('broken-sasl-clients.json');
  });

  it('is refused under another name than its id', async () => {
    put('other.json', () => undefined);
    await expect(readRuleFiles(folder, PROFILES)).rejects.toThrow(
      /other\.json: its id is "postfix\/broken-sasl-clients"/,
    );
  });
});

describe('a built-in profile', () => {
  const NAMES = ['legacy-compatible', 'modern', 'strict'];

  it.each(NAMES)('%s says of each threshold that it sets which standard it follows', (name) => {
    const { thresholds, sources = {} } = JSON.parse(
      fs.readFileSync(path.join(PROFILES, `${name}.json`), 'utf8'),
    ) as ProfileFile;
    const set = Object.entries(thresholds ?? {}).flatMap(([key, value]) =>
      typeof value === 'object' ? Object.keys(value).map((part) => [key, `${key}.${part}`]) : [[key, key]],
    );
    expect(set.filter(([whole = '', part = '']) => !(sources[part] ?? sources[whole]))).toEqual([]);
  });

  it.each(NAMES)('%s has a source for every threshold and every role', (name) => {
    const { sources } = builtinProfile(name);
    const all = Object.entries(THRESHOLD_PARTS).flatMap(([key, parts]) =>
      parts.length === 0 ? [key] : parts.map((part) => `${key}.${part}`),
    );
    expect(Object.keys(sources).sort()).toEqual(all.sort());
    expect(Object.values(sources).filter((source) => source.startsWith('profile '))).toEqual([]);
  });
});
