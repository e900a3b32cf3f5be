import { pages } from 'virtual:builtin-rule-pages';
import { exampleChecks } from '../../src/fix/check-example.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';

describe.each(pages.map((rule) => ({ id: rule.id, rule })))('$id', ({ rule }) => {
  const checks = exampleChecks(rule, BUILTIN_RULES, (name = 'modern') => builtinProfile(name));

  it.each(checks)('$does: $title', ({ run }) => {
    const { expected, found } = run();
    expect(found).toEqual(expected);
  });

  it('has a bad example for each fix that it offers', () => {
    expect(rule.fix.kind === 'none' || checks.some(({ does }) => does === 'mends')).toBe(true);
  });
});
