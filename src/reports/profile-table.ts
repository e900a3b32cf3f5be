import type { Profile } from '../rules/profile.ts';
import type { Palette } from './palette.ts';
import { wrap } from './words.ts';

/** What the thresholds are called, by their names in profile files. */
const LABELS: Readonly<Record<string, string>> = {
  lowestProtocol: 'lowest protocol',
  outboundLevel: 'level of mail to the world',
  forbiddenCiphers: 'ciphers never',
  forwardSecrecy: 'forward secrecy where TLS is required',
  authenticatedEncryption: 'AEAD where TLS is required',
  implicitTls: 'implicit TLS beside STARTTLS',
  rsaBits: 'RSA key, bits at least',
  dhBits: 'Diffie-Hellman group, bits',
};

const PLACES: Readonly<Record<string, string>> = {
  anywhere: 'anywhere',
  tlsRequired: 'where TLS is required',
  server: 'on servers',
  least: 'least',
  asked: 'asked',
};

interface Row {
  readonly label: string;
  readonly values: readonly string[];
}

/** The thresholds of profiles side by side, and the standard that each follows. */
export function profileTable(profiles: readonly Profile[], palette: Palette, width: number): string {
  const rows = Object.keys(LABELS).flatMap((name) => thresholdRows(name, profiles));
  const labelWidth = Math.min(34, Math.max(...rows.map(({ label }) => label.length)));
  const column = Math.max(
    12,
    Math.floor((width - labelWidth - 2 * profiles.length) / Math.max(1, profiles.length)),
  );
  const lines: string[] = [];
  const write = (label: string, values: readonly string[], style: (text: string) => string): void => {
    const labels = wrap(label, labelWidth);
    const cells = values.map((value) => wrap(value, column));
    const height = Math.max(labels.length, ...cells.map((cell) => cell.length));
    for (let line = 0; line < height; line++) {
      const texts = cells.map((cell) => (cell[line] ?? '').padEnd(column));
      lines.push(style(`${(labels[line] ?? '').padEnd(labelWidth)}  ${texts.join('  ')}`.trimEnd()));
    }
  };
  write(
    '',
    profiles.map(({ name }) => name),
    palette.strong,
  );
  write(
    'for',
    profiles.map((profile) => profile.for),
    palette.dim,
  );
  for (const { label, values } of rows) write(label, values, unstyled);
  lines.push('', palette.strong('Sources'));
  for (const profile of profiles) {
    lines.push(`  ${profile.name}`);
    for (const [name, source] of Object.entries(profile.sources))
      lines.push(`    ${LABELS[name] ?? name}: ${source}`);
  }
  return `${lines.join('\n')}\n`;
}

/** One row for a plain threshold, one for each part of the others; roles with the same values share a row. */
function thresholdRows(name: string, profiles: readonly Profile[]): Row[] {
  const label = LABELS[name] ?? name;
  const values = profiles.map(
    ({ thresholds }) => (thresholds as unknown as Readonly<Record<string, unknown>>)[name],
  );
  const parts = [...new Set(values.flatMap((value) => (isRecord(value) ? Object.keys(value) : [])))];
  if (parts.length === 0) return [{ label, values: values.map(text) }];
  const rows = new Map<string, { parts: string[]; values: readonly string[] }>();
  for (const part of parts) {
    const texts = values.map((value) => text(isRecord(value) ? value[part] : value));
    const key = texts.join('\0');
    const row = rows.get(key) ?? { parts: [], values: texts };
    row.parts.push(PLACES[part] ?? part);
    rows.set(key, row);
  }
  return [...rows.values()].map((row) => ({
    label: `${label}: ${row.parts.join(', ')}`,
    values: row.values,
  }));
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(', ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '-';
}

function unstyled(line: string): string {
  return line;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
