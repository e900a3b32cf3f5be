import { ROLES, type Role } from './endpoint.ts';
import type { Protocol } from './protocol.ts';

/** Figures that the rules ask a profile for, see profiles/profile.schema.json. */
export interface Thresholds {
  readonly lowestProtocol: Readonly<Record<Role | 'policy', Protocol>>;
  readonly outboundLevel: 'may' | 'dane';
  readonly forbiddenCiphers: {
    readonly anywhere: readonly string[];
    readonly tlsRequired: readonly string[];
    readonly server: readonly string[];
  };
  readonly forwardSecrecy: 'any' | 'preferred' | 'only';
  readonly authenticatedEncryption: 'any' | 'only';
  readonly implicitTls: 'any' | 'offered';
  readonly rsaBits: number;
  readonly dhBits: { readonly least: number; readonly asked: number };
}

/** Thresholds of which some, or some of their parts, are left open. */
export type SomeThresholds = {
  readonly [Name in keyof Thresholds]?: Thresholds[Name] extends string | number
    ? Thresholds[Name]
    : Partial<Thresholds[Name]>;
};

/** The thresholds, and the parts of those that have some. */
export const THRESHOLD_PARTS: Readonly<Record<keyof Thresholds, readonly string[]>> = {
  lowestProtocol: [...ROLES, 'policy'],
  outboundLevel: [],
  forbiddenCiphers: ['anywhere', 'tlsRequired', 'server'],
  forwardSecrecy: [],
  authenticatedEncryption: [],
  implicitTls: [],
  rsaBits: [],
  dhBits: ['least', 'asked'],
};

/**
 * Lays thresholds over others, part by part: what `over` leaves open stays as `base` has it. A list of
 * cipher classes is one part.
 */
export function laidOver(base: SomeThresholds, over: SomeThresholds): SomeThresholds {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = result[name];
    result[name] = isParts(value) ? { ...(isParts(below) ? below : {}), ...value } : value;
  }
  return result;
}

function isParts(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The thresholds and parts that are left open, as `rsaBits` and `lowestProtocol.mx`. */
export function openThresholds(thresholds: SomeThresholds): string[] {
  return Object.entries(THRESHOLD_PARTS).flatMap(([name, parts]) => {
    const value: unknown = thresholds[name as keyof Thresholds];
    if (value === undefined) return [name];
    return parts
      .filter((part) => isParts(value) && value[part] === undefined)
      .map((part) => `${name}.${part}`);
  });
}
