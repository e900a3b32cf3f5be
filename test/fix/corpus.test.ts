import { builtinProfile } from '../../src/rules/rule-set.ts';
import { hostInputFromFolder, postfixCases } from '../support/corpus.ts';
import { fixFaults } from '../support/fix-invariants.ts';

const profiles = ['legacy-compatible', 'modern', 'strict'];
const releases = [undefined, '2.9.6', '3.5.25', '3.7.11', '3.10.13', '3.11.7'];

// Every plain case once: profile and release go round, so that each meets each. All of them together
// are a matter of `npm run test:servers`.
const cases = postfixCases().map(({ id, folder }, index) => ({
  id,
  folder,
  profile: profiles[index % profiles.length] ?? 'modern',
  release: releases[Math.floor(index / profiles.length) % releases.length],
}));

if (cases.length === 0) {
  it('has no corpus beside the checkout to run on', () => {
    expect(postfixCases()).toEqual([]);
  });
} else {
  it.each(cases)(
    '$id, $profile, Postfix $release: a fix keeps what it must',
    ({ folder, profile, release }) => {
      const options = release === undefined ? {} : { postfix: release };
      expect(fixFaults(hostInputFromFolder(folder, options), builtinProfile(profile)).faults).toEqual([]);
    },
  );
}
