import { type HostInput, hostSources } from '../hosts/host.ts';
import { SURROUNDINGS, type Surrounding, surrounded } from '../hosts/surroundings.ts';
import type { Finding, Fix } from '../model/finding.ts';

/** Judges a part within one surrounding; `only` names the rules whose findings still count. */
export type Judge = (input: HostInput, only?: ReadonlySet<string>) => readonly Finding[];

/**
 * Judges a part of a configuration: what is found in its own lines, in the same words, with everything that the
 * rest may be. Nothing counts that rests on a setting which the part does not have.
 */
export function evaluatePart(input: HostInput, judge: Judge): readonly Finding[] {
  const texts = hostSources(input).map(({ text }) => text);
  let kept: ReadonlyMap<string, Finding> | null = null;
  for (let number = 0; number < SURROUNDINGS; number++) {
    const only: ReadonlySet<string> | undefined =
      kept === null ? undefined : new Set([...kept.values()].map(({ rule }) => rule));
    if (only?.size === 0) break;
    const found = inPart(surrounded(input, number), judge, only);
    kept = kept === null ? found : common(kept, found);
  }
  return [...(kept ?? new Map<string, Finding>()).values()].filter(
    ({ setting }) => setting === null || isSet(setting, texts),
  );
}

/** Whether a line of the part sets something; of Dovecot, names may have their sections before them. */
function isSet(setting: string, texts: readonly string[]): boolean {
  const name = setting.slice(setting.lastIndexOf('/') + 1).replace(/[^\w-]/g, '\\$&');
  const line = new RegExp(`^[^#\\n]*(?<![\\w-])${name}[ \\t]*[={]`, 'm');
  return texts.some((text) => line.test(text));
}

function inPart(
  part: Surrounding,
  judge: Judge,
  only: ReadonlySet<string> | undefined,
): Map<string, Finding> {
  const found = new Map<string, Finding>();
  for (const finding of judge(part.input, only)) {
    const at = part.back(finding.at);
    if (at === null || finding.ofDefault) continue;
    const key = [finding.rule, finding.messageId, at.source.path, at.span.start, finding.setting].join('\0');
    if (found.has(key)) continue;
    found.set(key, {
      ...finding,
      at,
      related: finding.related.flatMap((one) => {
        const place = part.back(one.at);
        return place === null ? [] : [{ ...one, at: place }];
      }),
      fix: fixOf(part, finding.fix),
    });
  }
  return found;
}

/** A fix that changes lines of the part alone. */
function fixOf(part: Surrounding, fix: Fix | null): Fix | null {
  if (fix === null) return null;
  const edits = fix.edits.map((edit) => part.backEdit(edit));
  return edits.every((edit) => edit !== null) ? { ...fix, edits } : null;
}

/** What two surroundings have in common: the same words, about the endpoints of both, and a fix that is the same. */
function common(
  one: ReadonlyMap<string, Finding>,
  other: ReadonlyMap<string, Finding>,
): Map<string, Finding> {
  const both = new Map<string, Finding>();
  for (const [key, finding] of one) {
    const match = other.get(key);
    if (match === undefined || match.message !== finding.message) continue;
    const fix = JSON.stringify(match.fix) === JSON.stringify(finding.fix) ? finding.fix : null;
    both.set(key, {
      ...finding,
      endpoints: finding.endpoints.filter((id) => match.endpoints.includes(id)),
      related: finding.related.filter(({ at, message }) =>
        match.related.some((two) => two.message === message && two.at.span.start === at.span.start),
      ),
      fix,
      ...(fix === null && finding.fix !== null
        ? {
            unfixable:
              'what mends it depends on the rest of the configuration, which is not here: mend it by hand',
          }
        : {}),
    });
  }
  return both;
}
