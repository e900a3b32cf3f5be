// Which of all that is said of a host counts, for whatever is said.
import fc from 'fast-check';
import { RunProfiles } from '../../src/cli/profile-option.ts';
import { Configs } from '../../src/hosts/config.ts';
import type { Level } from '../../src/model/finding.ts';
import { severityOf, usualLevel } from '../../src/rules/profile.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { BUILTIN_RULES, builtinProfile } from '../../src/rules/rule-set.ts';
import { useFolder, writeFiles } from '../support/folder.ts';

useFolder();

const RULE = BUILTIN_RULES.find('postfix/server-protocols') as Rule;

const name = fc.constantFrom('legacy-compatible', 'modern', 'strict');
const level = fc.constantFrom<Level>('off', 'info', 'warning', 'error');
const protocol = fc.constantFrom('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3');

/** What may be said in one place: of the profile, of a rule, of two roles. */
const said = fc.record(
  {
    profile: name,
    severity: level.map((one) => ({ [RULE.id]: one })),
    thresholds: fc.record({
      lowestProtocol: fc.record({ mx: protocol, imap: protocol }, { requiredKeys: [] }),
    }),
  },
  { requiredKeys: [] },
);

type Said = typeof said extends fc.Arbitrary<infer T> ? T : never;

const entries = fc.array(fc.tuple(fc.constantFrom('a', 'b', '{a,b}', '**', '!a'), said), { maxLength: 4 });

/** The weakest first: what is said of host `a` in this file, told by hand. */
function saidOfA(all: Said, hosts: readonly (readonly [string, Said])[]): readonly Said[] {
  return [all, ...hosts.filter(([path]) => ['a', '{a,b}', '**'].includes(path)).map(([, one]) => one)];
}

test.each([undefined, 'modern', 'strict'])(
  'property: with --profile %s, what is said last of a host counts, part by part',
  async (flag) => {
    await fc.assert(
      fc.asyncProperty(said, said, entries, entries, async (below, own, belowHosts, ownHosts) => {
        const file = (all: Said, hosts: typeof ownHosts): object => ({
          ...all,
          hosts: hosts.map(([path, one]) => ({ paths: [path], ...one })),
        });
        writeFiles({
          'base.json': file(below, belowHosts),
          '.pfharden.json': { ...file(own, ownHosts), extends: 'base.json' },
        });
        const config = await new Configs().of('a');
        const host = { config: config?.forHost(['a/main.cf']) ?? null };
        const profiles = await RunProfiles.of(flag, { hosts: [host], config });
        const profile = profiles.of(host);

        const order = [...saidOfA(below, belowHosts), ...saidOfA(own, ownHosts)];
        const last = <T>(pick: (one: Said) => T | undefined): T | undefined =>
          order.map(pick).findLast((value) => value !== undefined);
        const base = builtinProfile(flag ?? last((one) => one.profile) ?? 'modern');
        expect(profile.name).toBe(base.name);
        const { mx, imap, ...others } = profile.thresholds.lowestProtocol;
        const { mx: baseMx, imap: baseImap, ...baseOthers } = base.thresholds.lowestProtocol;
        expect(mx).toBe(last((one) => one.thresholds?.lowestProtocol.mx) ?? baseMx);
        expect(imap).toBe(last((one) => one.thresholds?.lowestProtocol.imap) ?? baseImap);
        expect(others).toEqual(baseOthers);
        expect(severityOf(profile, RULE, 'old')).toBe(
          last((one) => one.severity?.[RULE.id]) ?? severityOf(base, RULE, 'old'),
        );
        const untouched = BUILTIN_RULES.rules.filter((rule) => rule !== RULE);
        expect(untouched.map((rule) => usualLevel(profile, rule))).toEqual(
          untouched.map((rule) => usualLevel(base, rule)),
        );
      }),
      { numRuns: 60 },
    );
  },
);
