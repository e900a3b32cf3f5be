import { proposeFixes } from '../../src/fix/fix.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { hostInputFromTexts } from '../support/host.ts';

const BRANCHES = [
  '{% if old %}',
  'disable_vrfy_command = no',
  '{% else %}',
  'disable_vrfy_command = yes',
  '{% endif %}',
  '',
];

it('leaves a file with the branches of a template alone, and says so', () => {
  const input = hostInputFromTexts({ 'main.cf': BRANCHES.join('\n') });
  const { files, left } = proposeFixes(input, BUILTIN_RULES, builtinProfile('strict'), { unsafe: true });
  expect(files).toEqual([]);
  expect(left.map(({ reason }) => reason).join('\n')).toContain('is a template');
});

it('mends the same lines where there is no template', () => {
  const input = hostInputFromTexts({
    'main.cf': BRANCHES.filter((line) => !line.startsWith('{')).join('\n'),
  });
  expect(proposeFixes(input, BUILTIN_RULES, builtinProfile('strict'), { unsafe: true }).files).toHaveLength(
    1,
  );
});
