// The JSON that scripts rely on, as the design fixes it: nothing less, and nothing more.

const PROTOCOLS = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const LEVELS = ['off', 'info', 'warning', 'error'];

const text = { type: 'string' };
const number = { type: 'integer', minimum: 0 };
const position = { type: 'integer', minimum: 1 };
const orNull = (schema: { readonly type: string; readonly pattern?: string }) => ({
  ...schema,
  type: [schema.type, 'null'],
});
const list = (items: object) => ({ type: 'array', items });

/** All the keys given and no other. */
function exactly(properties: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(properties), additionalProperties: false, properties };
}

/** Keys that are there only where they say something. */
function withMore<T extends { readonly properties: object }>(
  schema: T,
  more: Readonly<Record<string, object>>,
) {
  return { ...schema, properties: { ...schema.properties, ...more } };
}

const version = {
  version: text,
  versionFrom: { enum: ['flag', 'config', 'installed', 'implied', 'assumed'] },
};

const host = {
  root: text,
  postfix: orNull(exactly({ directory: text, ...version })),
  dovecot: orNull(exactly({ file: text, ...version })),
  openssl: exactly(version),
};

const related = exactly({ file: text, line: position, column: position, message: text });

const findingKeys = {
  rule: text,
  severity: { enum: ['error', 'warning', 'info'] },
  message: text,
  file: text,
  line: position,
  column: position,
  endLine: position,
  endColumn: position,
  endpoint: orNull(text),
  setting: orNull(text),
  actual: orNull(text),
  expected: orNull(text),
  related: list(related),
  fix: orNull(exactly({ title: text, safe: { type: 'boolean' } })),
  references: list(text),
  fingerprint: { type: 'string', minLength: 8 },
};
const finding = withMore(exactly(findingKeys), { changed: { type: 'boolean' } });

const suppressed = exactly({
  ...findingKeys,
  suppression: exactly({
    by: { enum: ['comment', 'baseline'] },
    reason: orNull(text),
    until: orNull({ type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' }),
    file: orNull(text),
    line: orNull(position),
  }),
});

/** `lint --format json` */
export const lintSchema = withMore(
  exactly({
    version: { const: 1 },
    profile: text,
    hosts: list(
      withMore(exactly({ ...host, findings: list(finding), suppressed: list(suppressed) }), {
        parts: list(text),
        profile: text,
      }),
    ),
    summary: exactly({ error: number, warning: number, info: number, suppressed: number, fixable: number }),
  }),
  {
    ignored: list(text),
    leftOut: list(text),
    unchanged: number,
    shard: exactly({
      pfharden: text,
      number: position,
      of: position,
      hosts: number,
      positions: list(number),
      problems: list(text),
    }),
  },
);

const plainSetting = {
  server: { enum: ['postfix', 'dovecot'] },
  service: orNull(text),
  name: text,
  value: text,
  effective: text,
  origin: exactly({
    kind: { enum: ['default', 'file', 'override'] },
    file: orNull(text),
    line: orNull(position),
  }),
};

/** A template engine fills the value, or decides on what it is worth. */
const templatedSetting = {
  ...plainSetting,
  value: orNull(text),
  effective: orNull(text),
  templated: { const: true },
};

const setting = { anyOf: [exactly(plainSetting), exactly(templatedSetting)] };

const mechanisms = { type: ['array', 'null'], items: text };

const endpoint = exactly({
  id: text,
  server: { enum: ['postfix', 'dovecot'] },
  side: { enum: ['server', 'client'] },
  role: text,
  address: text,
  port: orNull(position),
  tls: exactly({
    mode: { enum: ['none', 'opportunistic', 'required', 'implicit'] },
    protocols: list({ enum: PROTOCOLS }),
    ciphers: orNull(list(exactly({ protocol: { enum: PROTOCOLS }, name: text }))),
    preference: { enum: ['server', 'client', null] },
    keyTypes: orNull(list(text)),
  }),
  auth: exactly({ beforeTls: mechanisms, afterTls: mechanisms }),
  notes: list(text),
});

/** `show --format json` */
export const showSchema = exactly({
  version: { const: 1 },
  hosts: list(
    withMore(exactly({ ...host, settings: list(setting), endpoints: list(endpoint) }), { parts: list(text) }),
  ),
});

const byProfile = (value: object) =>
  exactly(Object.fromEntries(['legacy-compatible', 'modern', 'strict'].map((name) => [name, value])));

const severity = byProfile({ enum: LEVELS });

/** `rules --format json` */
export const rulesSchema = exactly({
  version: { const: 1 },
  rules: list(
    exactly({ id: text, title: text, category: text, severity, fix: { enum: ['safe', 'ask', 'none'] } }),
  ),
});

const file = exactly({ path: text, text });

/** `explain --format json` */
export const explainSchema = exactly({
  version: { const: 1 },
  rule: exactly({
    id: text,
    title: text,
    category: text,
    severity,
    rationale: byProfile(text),
    why: text,
    wire: list(text),
    background: list(text),
    references: list(text),
    fix: { enum: ['safe', 'ask', 'none'] },
    manual: list(
      exactly({
        server: { enum: ['postfix', 'dovecot', null] },
        releases: text,
        do: text,
        lines: { type: 'object', additionalProperties: list(text) },
        run: list(text),
      }),
    ),
    silence: exactly({ comment: orNull(file), config: { type: 'object' } }),
    examples: exactly({
      bad: list({
        type: 'object',
        required: ['files', 'findings', 'reported', 'diffs'],
        properties: {
          reported: {
            ...list(
              exactly({
                file: text,
                line: position,
                column: position,
                severity: { enum: ['error', 'warning', 'info'] },
                message: text,
                advice: text,
                fix: orNull(exactly({ title: text, safe: { type: 'boolean' } })),
              }),
            ),
            minItems: 1,
          },
          diffs: list(text),
        },
      }),
      good: list({ type: 'object', required: ['files'] }),
    }),
  }),
});

/** `ciphers --format json` */
export const ciphersSchema = exactly({
  version: { const: 1 },
  openssl: text,
  suites: list(
    exactly({
      name: text,
      protocol: { enum: PROTOCOLS },
      iana: text,
      id: { type: 'string', pattern: '^0x[0-9A-F]{4,6}$' },
      keyExchange: text,
      authentication: text,
      encryption: text,
      bits: number,
      mac: text,
      aead: { type: 'boolean' },
      strength: number,
      default: { type: 'boolean' },
      classes: list(text),
      forbidden: list(exactly({ class: text, where: { enum: ['anywhere', 'tlsRequired', 'server'] } })),
    }),
  ),
  ignored: list(text),
  error: orNull(text),
});

const direction = { enum: ['in', 'out'] };
const counted = { direction, service: text, sessions: position, peers: position };
const day = orNull({ type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' });
const inTheClear = exactly({
  sessions: number,
  services: list(exactly({ service: text, sessions: position, peers: position })),
});

/** `logs --format json` */
export const logsSchema = exactly({
  version: { const: 1 },
  first: day,
  last: day,
  lines: exactly({ lines: number, unread: number, long: number }),
  sessions: list(exactly({ ...counted, protocol: { enum: [...PROTOCOLS, null] }, cipher: orNull(text) })),
  plaintext: exactly({ in: inTheClear, out: inTheClear }),
  refused: list(exactly({ ...counted, reason: text })),
  untold: list(exactly(counted)),
});

const tally = exactly({ parties: number, sessions: number });
const verdict = { enum: ['lost', 'risk', 'untold', 'another', 'unaffected'] };

/** `logs --config --format json` */
export const impactSchema = exactly({
  version: { const: 1 },
  impact: exactly({
    sentence: text,
    basis: text,
    kinds: list(
      exactly({
        kind: { enum: ['senders', 'users', 'servers', 'visitors'] },
        parties: number,
        sessions: number,
        secure: tally,
        verdicts: exactly({ lost: tally, risk: tally, untold: tally, another: tally, unaffected: tally }),
        concerned: list(
          exactly({
            verdict,
            mayClear: { type: 'boolean' },
            name: orNull(text),
            addresses: list(text),
            domains: list(text),
            moreDomains: { type: 'boolean' },
            sessions: number,
            affected: number,
            shares: list(
              exactly({
                verdict,
                why: text,
                service: text,
                state: { enum: ['tls', 'plaintext', 'untold'] },
                protocol: { enum: [...PROTOCOLS, null] },
                cipher: orNull(text),
                login: orNull(text),
                sessions: number,
              }),
            ),
          }),
        ),
      }),
    ),
    foreign: number,
    unknownServices: list(text),
    refused: number,
  }),
});
