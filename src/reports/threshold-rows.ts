import { THRESHOLD_PARTS, type Thresholds } from '../model/thresholds.ts';
import type { Profile } from '../rules/profile.ts';

/** What the thresholds are called, by their names in profile files. */
export const THRESHOLD_LABELS: Readonly<Record<keyof Thresholds, string>> = {
  lowestProtocol: 'lowest protocol',
  outboundLevel: 'level of mail to the world',
  forbiddenCiphers: 'ciphers never',
  forwardSecrecy: 'forward secrecy where TLS is required',
  authenticatedEncryption: 'AEAD where TLS is required',
  implicitTls: 'implicit TLS beside STARTTLS',
  rsaBits: 'RSA key, bits at least',
  dhBits: 'Diffie-Hellman group, bits',
};

/** What parts are called that are no roles. */
const PART_LABELS: Readonly<Record<string, string>> = {
  tlsRequired: 'where TLS is required',
  server: 'on servers',
};

/** A threshold, or those parts of it that go together, in several profiles. */
export interface ThresholdRow {
  readonly name: keyof Thresholds;
  /** Empty for a threshold without parts. */
  readonly parts: readonly string[];
  /** What the parts are called, in one text. */
  readonly where: string;
  /** By profile. */
  readonly values: readonly (string | number | readonly string[])[];
  /** By profile: the standard that the value follows. */
  readonly sources: readonly string[];
}

/**
 * The thresholds of profiles; parts that are alike are one row.
 *
 * @param alike by what parts are told apart: their values, or their values and sources
 */
export function thresholdRows(profiles: readonly Profile[], alike: 'values' | 'sources'): ThresholdRow[] {
  const rows = new Map<string, Omit<ThresholdRow, 'where'> & { parts: string[] }>();
  for (const [key, parts] of Object.entries(THRESHOLD_PARTS)) {
    const name = key as keyof Thresholds;
    for (const part of parts.length === 0 ? [null] : parts) {
      const values = profiles.map(({ thresholds }) => {
        const value = thresholds[name];
        return (part === null ? value : value[part as keyof typeof value]) as ThresholdRow['values'][number];
      });
      const sources = profiles.map(
        (profile) => profile.sources[part === null ? name : `${name}.${part}`] ?? '',
      );
      const group = JSON.stringify([name, values, alike === 'sources' ? sources : []]);
      const row = rows.get(group) ?? { name, parts: [], values, sources };
      rows.set(group, row);
      if (part !== null) row.parts.push(part);
    }
  }
  return [...rows.values()].map((row) => ({
    ...row,
    where: row.parts.map((part) => PART_LABELS[part] ?? part).join(', '),
  }));
}

/** A value in words; `-` for an empty list. */
export function thresholdText(value: ThresholdRow['values'][number]): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  return value.join(', ') || '-';
}
