import fc from 'fast-check';
import type { Place, PlacePair, Seen } from '../../../src/logs/impact/places.ts';
import { judge } from '../../../src/logs/impact/verdict.ts';
import type { EndpointAuth, OfferedCipher, TlsMode } from '../../../src/model/endpoint.ts';
import { PROTOCOLS, type Protocol } from '../../../src/model/protocol.ts';

const GCM = 'ECDHE-RSA-AES128-GCM-SHA256';
const CBC = 'ECDHE-RSA-AES128-SHA';
const RSA = 'AES128-SHA';
const DHE = 'DHE-RSA-AES128-GCM-SHA256';
const TLS13 = 'TLS_AES_128_GCM_SHA256';

/** A protocol and its suites: `TLSv1.2 A B`. */
const offered = (...lines: string[]): OfferedCipher[] =>
  lines.flatMap((line) => {
    const [protocol, ...names] = line.split(' ');
    return names.map((name) => ({ protocol: protocol as Protocol, name }));
  });

function place(
  ciphers: readonly OfferedCipher[],
  over: Partial<Place> & { mode?: TlsMode; order?: 'server' } = {},
): Place {
  const { mode = 'opportunistic', order, ...rest } = over;
  const side = rest.side ?? 'server';
  return {
    id: 'smtp/inet',
    side,
    role: 'mx',
    tls: {
      mode,
      protocols: PROTOCOLS.filter((protocol) => ciphers.some((one) => one.protocol === protocol)),
      ciphers,
      ...(side === 'server' ? { preference: order ?? 'client', keyTypes: ['RSA'] } : {}),
    },
    auth: { beforeTls: null, afterTls: null },
    public: true,
    sasl: true,
    keyExchange: { dh: '2048', groups: '' },
    remote: null,
    trusts: false,
    ...rest,
  };
}

const seen = (used: string, over: Partial<Seen> = {}): Seen => {
  const [protocol, cipher] = used.split(' ');
  const state = used === 'clear' ? 'plaintext' : used === 'untold' ? 'untold' : 'tls';
  const told = state === 'tls' && used !== 'TLS';
  return {
    address: '192.0.2.1',
    state,
    protocol: told ? (protocol ?? '') : null,
    cipher: told ? (cipher ?? '') : null,
    login: null,
    secured: false,
    ...over,
  };
};

const verdict = (before: Place | null, after: Place | null, session: Seen, proofs: string[] = []): string => {
  const { verdict: name, why } = judge(
    { pairs: [{ before, after }], fits: true },
    session,
    offered(...proofs),
  );
  return `${name}: ${why}`;
};

const OLD = offered(
  `TLSv1 ${CBC} ${RSA}`,
  `TLSv1.1 ${CBC} ${RSA}`,
  `TLSv1.2 ${GCM} ${CBC} ${RSA}`,
  `TLSv1.3 ${TLS13}`,
);
const FROM12 = offered(`TLSv1.2 ${GCM} ${CBC} ${RSA}`, `TLSv1.3 ${TLS13}`);
const FROM13 = offered(`TLSv1.3 ${TLS13}`);
const AEAD = offered(`TLSv1.2 ${GCM}`, `TLSv1.3 ${TLS13}`);
const TO12 = offered(`TLSv1 ${CBC} ${RSA}`, `TLSv1.2 ${GCM} ${CBC} ${RSA}`);

describe('protocols and suites of a server', () => {
  test.each([
    ['what stays stays', OLD, FROM12, `TLSv1.2 ${GCM}`, 'unaffected: stays'],
    ['the newest protocol stays', OLD, FROM13, `TLSv1.3 ${TLS13}`, 'unaffected: stays'],
    ['whoever did not take TLSv1.2 and later cannot', OLD, FROM12, `TLSv1 ${CBC}`, 'lost: on-offer'],
    ['whoever did not take TLSv1.3 cannot', OLD, FROM13, `TLSv1.2 ${GCM}`, 'lost: on-offer'],
    ['TLSv1.3 was not on offer before', TO12, FROM13, `TLSv1.2 ${GCM}`, 'risk: goes'],
    ['TLSv1.3 is new, and may be taken', TO12, FROM12, `TLSv1.2 ${GCM}`, 'another: may-change'],
    ['by the order of the client another suite may do', OLD, AEAD, `TLSv1.2 ${CBC}`, 'risk: goes'],
    ['an older protocol may do', OLD, TO12, `TLSv1.3 ${TLS13}`, 'risk: goes'],
    ['nothing is left', OLD, [], `TLSv1.2 ${GCM}`, 'lost: no-tls'],
    [
      'a suite that is new may be taken',
      offered(`TLSv1.2 ${CBC}`),
      offered(`TLSv1.2 ${GCM} ${CBC}`),
      `TLSv1.2 ${CBC}`,
      'another: may-change',
    ],
    ['not told which', OLD, FROM12, 'TLS', 'untold: not-told'],
    ['not told which, and nothing changes', OLD, OLD, 'TLS', 'unaffected: stays'],
    ['not told which, and all goes', OLD, [], 'TLS', 'lost: no-tls'],
  ])('%s', (_, before, after, used, expected) => {
    expect(verdict(place(before), place(after), seen(used))).toBe(expected);
  });

  test.each([
    ['what comes first and was not taken cannot be', OLD, AEAD, `TLSv1.2 ${CBC}`, 'lost: on-offer'],
    ['what comes later may do', OLD, offered(`TLSv1.2 ${CBC}`), `TLSv1.2 ${GCM}`, 'risk: goes'],
    ['what comes first was not taken', OLD, FROM12, `TLSv1.2 ${RSA}`, 'unaffected: stays'],
    [
      'another order, and what comes first now came later',
      OLD,
      offered(`TLSv1.2 ${RSA} ${CBC} ${GCM}`),
      `TLSv1.2 ${GCM}`,
      'another: may-change',
    ],
  ])('by the order of the server: %s', (_, before, after, used, expected) => {
    const order = 'server' as const;
    expect(verdict(place(before, { order }), place(after, { order }), seen(used))).toBe(expected);
  });

  test('what the peer was seen with elsewhere proves that it can', () => {
    const before = place(OLD);
    const after = place(AEAD);
    expect(verdict(before, after, seen(`TLSv1.2 ${CBC}`), [`TLSv1.2 ${GCM}`])).toBe('another: seen');
    expect(verdict(before, after, seen(`TLSv1.2 ${CBC}`), [`TLSv1.2 ${RSA}`])).toBe('risk: goes');
    // Another program behind the same address: this one was offered TLSv1.3 and did not take it.
    expect(verdict(before, place(FROM13), seen(`TLSv1.2 ${CBC}`), [`TLSv1.3 ${TLS13}`])).toBe(
      'lost: on-offer',
    );
  });

  test('of an endpoint that nobody knows as it was nothing follows from what it offered', () => {
    expect(verdict(null, place(FROM12), seen(`TLSv1 ${CBC}`))).toBe('risk: goes');
    expect(verdict(null, place(FROM12), seen(`TLSv1.2 ${CBC}`))).toBe('unaffected: stays');
    const foreign = judge(
      { pairs: [{ before: place(FROM12), after: place(FROM12) }], fits: false },
      seen(`TLSv1.2 ${CBC}`),
      [],
    );
    expect(foreign).toMatchObject({ verdict: 'another', why: 'may-change' });
  });

  test('keys are agreed on in another way', () => {
    const before = place(offered(`TLSv1.2 ${GCM} ${DHE} ${RSA}`));
    const dh = place(offered(`TLSv1.2 ${GCM} ${DHE}`), { keyExchange: { dh: '3072', groups: '' } });
    expect(verdict(before, dh, seen(`TLSv1.2 ${DHE}`))).toBe('risk: key-exchange');
    expect(verdict(before, dh, seen(`TLSv1.2 ${GCM}`))).toBe('unaffected: stays');
    const groups = place(offered(`TLSv1.2 ${GCM} ${DHE} ${RSA}`), {
      keyExchange: { dh: '2048', groups: 'P-521' },
    });
    expect(verdict(before, groups, seen(`TLSv1.2 ${GCM}`))).toBe('risk: key-exchange');
    expect(verdict(before, groups, seen(`TLSv1.2 ${RSA}`))).toBe('unaffected: stays');
  });
});

test('a newer protocol without a suite that everybody has', () => {
  const before = place(offered(`TLSv1 ${CBC}`));
  const after = place(offered(`TLSv1 ${CBC}`, `TLSv1.2 ${GCM}`));
  expect(verdict(before, after, seen(`TLSv1 ${CBC}`))).toBe('risk: new-protocol');
});

describe('a client of the host', () => {
  const client = (ciphers: readonly OfferedCipher[], mode: TlsMode = 'opportunistic'): Place =>
    place(ciphers, { side: 'client', mode });
  test.each([
    ['the server took an old protocol of all', OLD, FROM12, `TLSv1 ${CBC}`, 'lost: on-offer'],
    ['its suite goes', OLD, AEAD, `TLSv1.2 ${CBC}`, 'risk: goes'],
    ['what it took stays', OLD, FROM12, `TLSv1.2 ${CBC}`, 'unaffected: stays'],
    [
      'the order changes',
      offered(`TLSv1.2 ${GCM} ${CBC}`),
      offered(`TLSv1.2 ${CBC} ${GCM}`),
      `TLSv1.2 ${GCM}`,
      'another: may-change',
    ],
    [
      'a suite is new',
      offered(`TLSv1.2 ${CBC}`),
      offered(`TLSv1.2 ${GCM} ${CBC}`),
      `TLSv1.2 ${CBC}`,
      'another: may-change',
    ],
  ])('%s', (_, before, after, used, expected) => {
    expect(verdict(client(before), client(after), seen(used))).toBe(expected);
  });

  test('mail in the clear', () => {
    expect(verdict(client(OLD), client(FROM12), seen('clear'))).toBe('unaffected: stays');
    expect(verdict(client(OLD), client(OLD, 'required'), seen('clear'))).toBe('lost: clear-on-offer');
    expect(verdict(client([], 'none'), client(OLD, 'required'), seen('clear'))).toBe('risk: clear');
    expect(verdict(client(OLD), client(FROM12), seen('untold'))).toBe('untold: not-told');
  });
});

describe('sessions in the clear, and logins', () => {
  const demanded = place(OLD, { mode: 'required' });
  const auth = (beforeTls: string[] | null, afterTls: string[] | null): { auth: EndpointAuth } => ({
    auth: { beforeTls, afterTls },
  });
  const plain = { login: 'PLAIN' };
  test.each([
    ['stays where TLS is not demanded', place(OLD), place(FROM12), seen('clear'), 'unaffected: stays'],
    ['TLS is demanded that was not taken', place(OLD), demanded, seen('clear'), 'lost: clear-on-offer'],
    [
      'TLS is demanded that was not offered',
      place([], { mode: 'none' }),
      demanded,
      seen('clear'),
      'risk: clear',
    ],
    [
      'Dovecot takes it for safe',
      place(OLD),
      demanded,
      seen('clear', { secured: true, ...plain }),
      'unaffected: stays',
    ],
    [
      'a login in the clear',
      place(OLD),
      place(OLD, auth([], null)),
      seen('clear', plain),
      'lost: clear-login',
    ],
    [
      'the same where TLS was not offered',
      place([], { mode: 'none' }),
      place(OLD, auth([], null)),
      seen('clear', plain),
      'risk: clear-login',
    ],
    [
      'the same from networks that may be trusted',
      place(OLD),
      place(OLD, { ...auth([], null), trusts: true }),
      seen('clear', plain),
      'risk: clear-login',
    ],
    [
      'nobody can log in any more',
      place(OLD),
      place(OLD, auth([], [])),
      seen(`TLSv1.2 ${GCM}`, plain),
      'lost: no-login',
    ],
    [
      'who does not log in does not mind',
      place(OLD),
      place(OLD, auth([], [])),
      seen(`TLSv1.2 ${GCM}`),
      'unaffected: stays',
    ],
    [
      'its mechanism goes',
      place(OLD),
      place(OLD, auth([], ['SCRAM-SHA-256'])),
      seen(`TLSv1.2 ${GCM}`, plain),
      'risk: mechanism',
    ],
    [
      'TLS goes, which is worse',
      place(OLD),
      place(FROM13, auth([], ['SCRAM-SHA-256'])),
      seen(`TLSv1.2 ${GCM}`, plain),
      'lost: on-offer',
    ],
    [
      'STARTTLS becomes implicit',
      place(OLD),
      place(OLD, { mode: 'implicit' }),
      seen(`TLSv1.3 ${TLS13}`),
      'lost: mode',
    ],
    ['STARTTLS is demanded', place(OLD), demanded, seen(`TLSv1.3 ${TLS13}`), 'unaffected: stays'],
    ['the endpoint goes', place(OLD), null, seen(`TLSv1.3 ${TLS13}`), 'lost: no-tls'],
  ])('%s', (_, before, after, session, expected) => {
    expect(verdict(before, after, session)).toBe(expected);
  });

  test('mail goes in the clear where TLS is optional', () => {
    const of = (after: Place): boolean =>
      judge({ pairs: [{ before: place(OLD), after }], fits: true }, seen(`TLSv1 ${CBC}`), []).mayClear;
    expect(of(place(FROM12))).toBe(true);
    expect(of(place(FROM12, { mode: 'required' }))).toBe(false);
    const login = judge(
      { pairs: [{ before: place(OLD), after: place(OLD, auth([], [])) }], fits: true },
      seen(`TLSv1 ${CBC}`, plain),
      [],
    );
    expect(login).toEqual({ verdict: 'lost', why: 'no-login', mayClear: false });
  });
});

describe('several endpoints under one name', () => {
  const pair = (before: readonly OfferedCipher[], after: readonly OfferedCipher[]): PlacePair => ({
    before: place(before),
    after: place(after),
  });
  test.each([
    ['all say the same', [pair(OLD, FROM12), pair(OLD, FROM13)], `TLSv1 ${CBC}`, 'lost: on-offer'],
    ['one keeps it', [pair(OLD, OLD), pair(OLD, FROM12)], `TLSv1 ${CBC}`, 'risk: several'],
    ['TLS stays in any case', [pair(OLD, OLD), pair(TO12, FROM12)], `TLSv1.2 ${CBC}`, 'another: several'],
    ['none', [], `TLSv1 ${CBC}`, 'untold: no-service'],
  ])('%s', (_, pairs, used, expected) => {
    const { verdict: name, why } = judge({ pairs, fits: true }, seen(used), []);
    expect(`${name}: ${why}`).toBe(expected);
  });
});

describe('what is foretold comes true', () => {
  // Handshakes between a server and a client, each with protocols and ordered suites, played through by the
  // rules of RFC 5246 and 8446: the newest protocol of both, and the first suite of both by one's order.
  const NAMES: readonly (readonly [Protocol, readonly string[]])[] = [
    ['TLSv1', ['a', 'b']],
    ['TLSv1.2', ['a', 'b', 'c', 'd']],
    ['TLSv1.3', ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']],
  ];
  const offer = fc
    .tuple(...NAMES.map(([, names]) => fc.shuffledSubarray([...names])))
    .map((lists) =>
      NAMES.flatMap(([protocol], at) => (lists[at] ?? []).map((name): OfferedCipher => ({ protocol, name }))),
    );
  /** Programs of others: whoever speaks TLSv1.3 has the suite that everybody has to have. */
  const peer = offer.filter(
    (list) =>
      list.every(({ protocol }) => protocol !== 'TLSv1.3') ||
      list.some(({ name }) => name === 'TLS_AES_128_GCM_SHA256'),
  );
  const order = fc.constantFrom('server' as const, 'client' as const);
  const text = (one: OfferedCipher | null): string => (one === null ? 'none' : `${one.protocol} ${one.name}`);

  function handshake(
    server: readonly OfferedCipher[],
    client: readonly OfferedCipher[],
    by: 'server' | 'client',
  ): OfferedCipher | null {
    const both = (one: OfferedCipher, list: readonly OfferedCipher[]): boolean =>
      list.some((other) => other.protocol === one.protocol && other.name === one.name);
    const spoken = PROTOCOLS.filter((protocol) =>
      [server, client].every((list) => list.some((one) => one.protocol === protocol)),
    ).at(-1);
    const [chooser, other] = by === 'server' ? [server, client] : [client, server];
    return chooser.find((one) => one.protocol === spoken && both(one, other)) ?? null;
  }

  /** Whether a verdict has come true. */
  function isTrue(name: string, then: OfferedCipher | null, now: OfferedCipher | null): boolean {
    if (name === 'lost') return now === null;
    if (name === 'another') return now !== null;
    return name !== 'unaffected' || text(now) === text(then);
  }

  test('of a server', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(offer, offer, offer, peer, order, order, (before, after, elsewhere, client, by, later) => {
        const then = handshake(before, client, by);
        fc.pre(then !== null);
        const proof = handshake(elsewhere, client, 'client');
        const { verdict: name, why } = judge(
          {
            pairs: [
              {
                before: place(before, by === 'server' ? { order: by } : {}),
                after: place(after, later === 'server' ? { order: later } : {}),
              },
            ],
            fits: true,
          },
          seen(text(then)),
          proof === null ? [] : [proof],
        );
        met.add(`${name}: ${why}`);
        expect(isTrue(name, then, handshake(after, client, later))).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect([...met].sort()).toEqual([
      'another: may-change',
      'another: seen',
      'lost: no-tls',
      'lost: on-offer',
      'risk: goes',
      'risk: new-protocol',
      'unaffected: stays',
    ]);
  });

  test('of a client of the host', () => {
    fc.assert(
      fc.property(offer, offer, peer, order, (before, after, server, by) => {
        const then = handshake(server, before, by);
        fc.pre(then !== null);
        const side = 'client' as const;
        const { verdict: name } = judge(
          { pairs: [{ before: place(before, { side }), after: place(after, { side }) }], fits: true },
          seen(text(then)),
          [],
        );
        expect(isTrue(name, then, handshake(server, after, by))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
