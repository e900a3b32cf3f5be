// A probe with the files of several hosts marks each port by the profile of the host that has it.
import { type JudgedHost, planOf, probePorts } from '../../src/cli/probe-ports.ts';
import { builtinProfile } from '../../src/rules/rule-set.ts';
import { byTable, type FakeServer, fakeServer } from '../support/fake-tls-server.ts';
import { hostFromTexts } from '../support/host.ts';

const PLAIN = (text: string): string => text;
const PALETTE = {
  strong: PLAIN,
  dim: PLAIN,
  severity: { error: PLAIN, warning: PLAIN, info: PLAIN },
};

const servers: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A host whose only listener is a running server with implicit TLS. */
async function runningHost(profile: string): Promise<JudgedHost & { readonly port: number }> {
  const server = await fakeServer({ hello: byTable({ 0x0303: [0x002f] }) });
  servers.push(server);
  const service = `127.0.0.1:${server.port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes`;
  const host = hostFromTexts({
    'main.cf': 'smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /c.pem\n',
    'master.cf': `${service} -o smtpd_sasl_auth_enable=yes\n`,
  });
  return { host, profile: builtinProfile(profile), port: server.port };
}

test('each port has the profile of its host, a port of none that of the run', async () => {
  const hosts = [await runningHost('strict'), await runningHost('legacy-compatible')];
  const other = await runningHost('modern');
  const ports = [...hosts, other].map(({ port }) => `127.0.0.1:${port}`);
  const plan = planOf(ports, 'none');
  if (typeof plan === 'string') throw new Error(plan);
  const { output } = await probePorts({
    plan,
    hosts,
    serverName: null,
    timeoutMs: 2000,
    json: false,
    format: { profile: builtinProfile('modern'), palette: PALETTE, width: 100, verbose: false },
  });
  // AES128-SHA: RSA key transport and CBC, which strict alone is against.
  const table = output.split('\n').filter((line) => /^ {2}..\s*(?:protocol|TLSv1\.2) {2}/.test(line));
  expect(table.map((line) => line.trim().split(/ {2,}/).at(-1))).toEqual([
    'below strict',
    '1 no-forward-secrecy, 1 no-AEAD',
    'below legacy-compatible',
    '-',
    'below modern',
    '-',
  ]);
});
