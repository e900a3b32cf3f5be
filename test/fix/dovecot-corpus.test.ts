import { builtinProfile } from '../../src/rules/rule-set.ts';
import { dovecotCases, dovecotInput } from '../support/corpus.ts';
import { fixFaults } from '../support/fix-invariants.ts';

const profiles = ['legacy-compatible', 'modern', 'strict'];
// Undefined: what the files tell.
const releases = [undefined, '2.3.19.1', '2.4.4', '2.3.13', '2.4.1'];

// Every plain case once: profile and release go round, so that each meets each.
const cases = dovecotCases().map(({ id, folder }, index) => ({
  id,
  folder,
  profile: profiles[index % profiles.length] ?? 'modern',
  release: releases[index % releases.length],
}));

if (cases.length === 0) {
  it('has no corpus beside the checkout to run on', () => {
    expect(dovecotCases()).toEqual([]);
  });
} else {
  it.each(cases)(
    '$id, $profile, Dovecot $release: a fix keeps what it must',
    async ({ folder, profile, release }) => {
      const input = await dovecotInput(folder, release === undefined ? {} : { dovecot: release });
      for (const unsafe of [false, true])
        expect(fixFaults(input, builtinProfile(profile), { unsafe }).faults).toEqual([]);
    },
  );
}
