import type { MailProtocol } from '../../src/probe/dialogue.ts';
import { FlightReader } from '../../src/probe/flight.ts';
import { probe } from '../../src/probe/probe.ts';
import type { ProbeTarget } from '../../src/probe/session.ts';
import recorded from '../recorded/flights.json' with { type: 'json' };
import {
  alert,
  type Behaviour,
  byTable,
  type FakeServer,
  fakeServer,
  number,
  record,
  type SeenHello,
  serverHello,
} from '../support/fake-tls-server.ts';

const servers: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function started(behaviour: Behaviour): Promise<FakeServer> {
  const server = await fakeServer(behaviour);
  servers.push(server);
  return server;
}

async function probed(behaviour: Behaviour, target: Partial<ProbeTarget> = {}) {
  const { port } = await started(behaviour);
  return probe({
    host: '127.0.0.1',
    port,
    starttls: null,
    spoken: null,
    timeoutMs: 1000,
    totalMs: 10_000,
    ...target,
  });
}

const V = { ssl3: 0x0300, tls1: 0x0301, tls11: 0x0302, tls12: 0x0303, tls13: 0x0304 };

describe('suites by protocol', () => {
  // Numbers from RFC 2246, 5289, 8446 and the SSL 3.0 specification, by hand.
  const table = {
    [V.ssl3]: [0x0005, 0x0003, 0x000a],
    [V.tls1]: [0x0035, 0x0019],
    [V.tls12]: [0xc02f, 0xc030, 0x0066, 0x001e, 0x00b4],
    [V.tls13]: [0x1303, 0x1301],
  };

  test('in the order of a server that decides, whatever set they were asked in', async () => {
    const { tls, preference, complete, faults } = await probed({ hello: byTable(table) });
    expect(faults).toEqual([]);
    expect(complete).toBe(true);
    expect(tls).toEqual({
      mode: 'implicit',
      protocols: ['SSLv3', 'TLSv1', 'TLSv1.2', 'TLSv1.3'],
      ciphers: [
        { protocol: 'SSLv3', name: 'RC4-SHA' },
        { protocol: 'SSLv3', name: 'EXP-RC4-MD5' },
        { protocol: 'SSLv3', name: 'DES-CBC3-SHA' },
        { protocol: 'TLSv1', name: 'AES256-SHA' },
        { protocol: 'TLSv1', name: 'EXP-ADH-DES-CBC-SHA' },
        { protocol: 'TLSv1.2', name: 'ECDHE-RSA-AES128-GCM-SHA256' },
        { protocol: 'TLSv1.2', name: 'ECDHE-RSA-AES256-GCM-SHA384' },
        { protocol: 'TLSv1.2', name: 'DHE-DSS-RC4-SHA' },
        { protocol: 'TLSv1.2', name: 'KRB5-DES-CBC-SHA' },
        { protocol: 'TLSv1.2', name: 'DHE-PSK-NULL-SHA256' },
        { protocol: 'TLSv1.3', name: 'TLS_CHACHA20_POLY1305_SHA256' },
        { protocol: 'TLSv1.3', name: 'TLS_AES_128_GCM_SHA256' },
      ],
    });
    expect(preference).toEqual({
      SSLv3: 'server',
      TLSv1: 'server',
      'TLSv1.2': 'server',
      'TLSv1.3': 'server',
    });
  });

  test('where the client decides', async () => {
    const { preference } = await probed({ hello: byTable(table, 'client') });
    expect(preference).toEqual({
      SSLv3: 'client',
      TLSv1: 'client',
      'TLSv1.2': 'client',
      'TLSv1.3': 'client',
    });
  });

  test('of SSLv2, which are answered at once', async () => {
    const helloV2 = (kinds: readonly number[]): Buffer => {
      const chosen = [0x010080, 0x0700c0].filter((kind) => kinds.includes(kind));
      const body = Buffer.concat([
        Buffer.from([4, 0, 1]),
        number(2, 2),
        number(0, 2),
        number(chosen.length * 3, 2),
        number(0, 2),
        ...chosen.map((kind) => number(kind, 3)),
      ]);
      return Buffer.concat([number(0x8000 | body.length, 2), body]);
    };
    const { tls } = await probed({ hello: byTable({}), helloV2 });
    expect(tls.protocols).toEqual(['SSLv2']);
    expect(tls.ciphers.map(({ name }) => name)).toEqual(['RC4-MD5', 'DES-CBC3-MD5']);
  });
});

/** The bytes of a certificate that some reference system sent, by the key that it has. */
const CERTIFICATES = new Map(
  recorded.flatMap(({ what, bytes }) => {
    const reader = new FlightReader();
    reader.push(Buffer.from(bytes, 'base64'));
    const [own] = reader.flight.certificates;
    return own === undefined ? [] : [[what.includes('ECDSA') ? 'ECDSA' : 'RSA', own] as const];
  }),
);

const curve = (group: number): Buffer =>
  Buffer.concat([Buffer.from([3]), number(group, 2), Buffer.from([1, 4])]);

describe('what goes with a suite', () => {
  const ephemeral = [0xc030, 0xc02f];

  /** Takes the first group that it knows. */
  const exchange =
    (known: readonly number[]) =>
    (suite: number, { extensions }: SeenHello): Buffer | null => {
      if (suite === 0x009e) return Buffer.concat([number(256, 2), FIELD, number(1, 2), Buffer.from([2])]);
      if (!ephemeral.includes(suite)) return null;
      const list = extensions.get(10) ?? Buffer.alloc(2);
      const offered = Array.from({ length: list.readUInt16BE(0) / 2 }, (_, index) =>
        list.readUInt16BE(2 + index * 2),
      );
      const group = known.find((id) => offered.includes(id));
      return group === undefined ? null : curve(group);
    };
  // A prime of 2048 bits whose first byte has its highest bit set, and one of 2047 bits.
  const FIELD = Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(255, 3)]);

  test('groups, fields and certificates', async () => {
    const known = [24, 29];
    const behaviour: Behaviour = {
      certificates: [
        CERTIFICATES.get('RSA') ?? Buffer.alloc(0),
        CERTIFICATES.get('ECDSA') ?? Buffer.alloc(0),
      ],
      keyExchange: exchange(known),
      hello: (hello) => {
        const chosen = byTable({ 0x0303: [...ephemeral, 0x009e, 0x003c] })(hello);
        if (typeof chosen === 'object' && 'suite' in chosen && ephemeral.includes(chosen.suite))
          return exchange(known)(chosen.suite, hello) === null ? { bytes: alert(40) } : chosen;
        return chosen;
      },
    };
    const seen = await probed(behaviour);
    expect(seen.groups).toEqual([
      { protocol: 'TLSv1.2', name: 'secp384r1' },
      { protocol: 'TLSv1.2', name: 'x25519' },
    ]);
    expect(seen.fields).toEqual([{ bits: 2047, name: null }]);
    expect(seen.certificates).toEqual([
      {
        keyType: 'RSA',
        keyBits: 2048,
        chain: [expect.stringMatching(/^-----BEGIN CERT/), expect.any(String)],
      },
    ]);
    expect(seen.faults).toEqual([]);
  });

  test('a certificate that cannot be read is shown all the same', async () => {
    const seen = await probed({
      hello: byTable({ 0x0303: [0x003c] }),
      certificates: [Buffer.from('no DER')],
    });
    expect(seen.certificates).toEqual([{ keyType: null, keyBits: null, chain: [expect.any(String)] }]);
  });

  test('groups of TLSv1.3, asked for by a retry as well', async () => {
    const taken = [0x11ec, 29, 25];
    const seen = await probed({
      hello: ({ version, extensions }) => {
        if (version !== 0x0304) return { bytes: alert(70) };
        const list = extensions.get(10) ?? Buffer.alloc(2);
        const group = taken.find((id) => list.subarray(2).includes(number(id, 2)));
        if (group === undefined) return { bytes: alert(40) };
        return { bytes: record(version, serverHello(version, 0x1301, group === 29 ? null : group)) };
      },
    });
    expect(seen.groups.map(({ name }) => name)).toEqual(['X25519MLKEM768', 'x25519', 'secp521r1']);
    expect(seen.tls.ciphers).toEqual([{ protocol: 'TLSv1.3', name: 'TLS_AES_128_GCM_SHA256' }]);
  });
});

describe('suites that break', () => {
  const works = { 0x0303: [0xc030, 0x009d] };
  const dhe = [0x009f, 0x006b, 0x0039];
  const tempts = (suites: readonly number[]): boolean => suites.some((id) => dhe.includes(id));

  // Dovecot 2.3 without Diffie-Hellman parameters, whoever decides.
  test.each([
    ['by hanging up when one is offered at all', (suites: readonly number[]) => tempts(suites)],
    [
      'by hanging up when one comes first',
      (suites: readonly number[]) =>
        dhe.includes(suites.find((id) => [...dhe, ...works[0x0303]].includes(id)) ?? 0),
    ],
  ])('%s do not hide the others', async (_, breaks) => {
    const seen = await probed({
      hello: (hello) =>
        hello.version === 0x0303 && breaks(hello.suites) ? 'hang-up' : byTable(works, 'client')(hello),
    });
    expect(seen.tls.ciphers.map(({ name }) => name)).toEqual([
      'ECDHE-RSA-AES256-GCM-SHA384',
      'AES256-GCM-SHA384',
    ]);
    expect(seen).toMatchObject({ complete: true, faults: [], broken: [] });
  });

  test('with an alert of their own are named', async () => {
    const seen = await probed({
      hello: (hello) =>
        hello.version === 0x0303 && tempts(hello.suites) ? { bytes: alert(80) } : byTable(works)(hello),
    });
    expect(seen.tls.ciphers.map(({ name }) => name)).toEqual([
      'ECDHE-RSA-AES256-GCM-SHA384',
      'AES256-GCM-SHA384',
    ]);
    expect(seen.broken.map(({ name }) => name).sort()).toEqual([
      'DHE-RSA-AES256-GCM-SHA384',
      'DHE-RSA-AES256-SHA',
      'DHE-RSA-AES256-SHA256',
    ]);
  });

  test('after the hello are named and not counted', async () => {
    const seen = await probed({
      hello: (hello) => {
        const answer = byTable({ 0x0303: [0x009f, 0xc030] })(hello);
        if (typeof answer !== 'object' || !('suite' in answer) || answer.suite !== 0x009f) return answer;
        return { bytes: Buffer.concat([record(0x0303, serverHello(0x0303, 0x009f)), alert(80)]) };
      },
    });
    expect(seen.tls.ciphers.map(({ name }) => name)).toEqual(['ECDHE-RSA-AES256-GCM-SHA384']);
    expect(seen.broken).toEqual([{ protocol: 'TLSv1.2', name: 'DHE-RSA-AES256-GCM-SHA384' }]);
  });
});

describe('what is said before TLS', () => {
  type Script = readonly (readonly [command: RegExp, reply: string, tls?: boolean])[];
  const lines =
    (script: Script): NonNullable<Behaviour['lines']> =>
    (line) => {
      const found = script.find(([command]) => command.test(line));
      return found === undefined ? null : { reply: found[1], tls: found[2] ?? false };
    };

  interface Row {
    readonly starttls: MailProtocol;
    readonly greeting: string;
    readonly script: Script;
    readonly auth: readonly string[];
    readonly login: boolean | null;
    readonly mode: string;
  }

  const rows: readonly Row[] = [
    {
      starttls: 'smtp',
      greeting: '220-welcome\r\n220 mail.example.org ESMTP Postfix\r\n',
      script: [
        [
          /^EHLO \[127\.0\.0\.1\]$/,
          '250-mail.example.org\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN LOGIN\r\n250-STARTTLS\r\n250 DSN\r\n',
        ],
        [/^MAIL/, '530 5.7.0 Must issue a STARTTLS command first\r\n'],
        [/^STARTTLS$/, '220 2.0.0 Ready\r\n', true],
      ],
      auth: ['PLAIN', 'LOGIN'],
      login: null,
      mode: 'required',
    },
    {
      starttls: 'lmtp',
      greeting: '220 mail.example.org Dovecot ready.\r\n',
      script: [
        [/^LHLO /, '250-mail.example.org\r\n250 STARTTLS\r\n'],
        [/^MAIL/, '250 OK\r\n'],
        [/^STARTTLS$/, '220 Begin\r\n', true],
      ],
      auth: [],
      login: null,
      mode: 'opportunistic',
    },
    {
      starttls: 'imap',
      greeting: '* OK [CAPABILITY IMAP4rev1] ready\r\n',
      script: [
        [/^a CAPABILITY$/, '* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED AUTH=CRAM-MD5\r\na OK done\r\n'],
        [/^b STARTTLS$/, '* something\r\nb OK begin\r\n', true],
      ],
      auth: ['CRAM-MD5'],
      login: false,
      mode: 'opportunistic',
    },
    {
      starttls: 'pop3',
      greeting: '+OK ready\r\n',
      script: [
        [/^CAPA$/, '+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n'],
        [/^STLS$/, '+OK begin\r\n', true],
      ],
      auth: ['PLAIN', 'LOGIN'],
      login: true,
      mode: 'opportunistic',
    },
    {
      starttls: 'sieve',
      greeting: '"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK "ready"\r\n',
      script: [[/^STARTTLS$/, 'OK "begin"\r\n', true]],
      auth: ['PLAIN'],
      login: null,
      mode: 'opportunistic',
    },
  ];

  test.each(rows)('$starttls', async ({ starttls, greeting, script, auth, login, mode }) => {
    const seen = await probed(
      { greeting, lines: lines(script), hello: byTable({ 0x0303: [0xc030, 0x003c] }) },
      { starttls },
    );
    expect(seen.faults).toEqual([]);
    expect(seen.tls.mode).toBe(mode);
    expect(seen.tls.ciphers.map(({ name }) => name)).toEqual([
      'ECDHE-RSA-AES256-GCM-SHA384',
      'AES128-SHA256',
    ]);
    expect(seen.auth.beforeTls).toEqual(auth);
    expect(seen.login.beforeTls).toBe(login);
    expect(seen.greeting).toBe(greeting.trimEnd());
  });

  test('the name that is asked for stands in every hello', async () => {
    const server = await started({ hello: byTable({ 0x0303: [0xc030] }) });
    await probe({
      host: '127.0.0.1',
      port: server.port,
      starttls: null,
      spoken: null,
      serverName: 'mail.example.org',
    });
    const names = server.hellos
      .filter(({ version }) => version > 0x0300)
      .map(({ extensions }) => extensions.get(0)?.subarray(5).toString());
    expect(new Set(names)).toEqual(new Set(['mail.example.org']));
  });
});
