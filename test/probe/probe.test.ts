import { probe } from '../../src/probe/probe.ts';
import type { ProbeTarget } from '../../src/probe/session.ts';
import { type Behaviour, byTable, type FakeServer, fakeServer, number } from '../support/fake-tls-server.ts';

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
