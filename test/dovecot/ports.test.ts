import fs from 'node:fs';
import path from 'node:path';
import { SourceFile } from '../../src/text/source.ts';
import { CASES, PORT_NAMES, type PortName } from '../support/dovecot-cases.ts';
import { predict, predictedPort, type SeenServer } from '../support/dovecot-ports.ts';
import { readRecorded } from '../support/dovecot-recorded.ts';
import { textOf } from '../support/dovecot-text.ts';

// What running servers did (test/servers/dovecot-endpoints.test.ts records it), and what is said of the
// same configurations from the files alone.

const recorded = path.join(import.meta.dirname, '..', 'recorded', 'dovecot-ports');
const data = path.join(import.meta.dirname, '..', 'servers', 'data');

/** Certificates, parameters and keys below /files; keys are secrets, and none is kept here. */
function open(name: string): SourceFile | null {
  const file = path.basename(name);
  if (!name.startsWith('/files/') || file.endsWith('.key')) return null;
  if (file === 'empty.pem') return new SourceFile(name, '');
  const folder = file.endsWith('.crt') ? recorded : data;
  return new SourceFile(name, fs.readFileSync(path.join(folder, file), 'utf8'));
}

/** Cases whose outcome hangs on what stands in a key. */
const NEEDS_KEY: ReadonlySet<string> = new Set(['the key of another certificate']);

const ports = Object.fromEntries(PORT_NAMES.map((name, at) => [name, 10_001 + at])) as Record<
  PortName,
  number
>;

describe.each([
  ['2.3.13', '1.1.1w'],
  ['2.3.19.1', '3.0.20'],
  ['2.4.1', '3.5.9'],
  ['2.4.5', '3.6.5'],
])('Dovecot %s with OpenSSL %s', (release, openssl) => {
  const answers = readRecorded(fs.readFileSync(path.join(recorded, `${release}.json`), 'utf8'));

  test('all cases are recorded', () => {
    expect(Object.keys(answers)).toEqual(CASES.map(({ name }) => name));
  });

  test.each(CASES.filter(({ name }) => !NEEDS_KEY.has(name)).map((one) => [one.name, one] as const))(
    '%s',
    (name, one) => {
      const text = textOf(release, '/folder', one, { files: '/files', ports });
      const { refused, servers } = predict(
        new SourceFile('/folder/dovecot.conf', text),
        open,
        release,
        openssl,
      );
      const predicted: SeenServer = refused
        ? { refused, open: [], ports: {} }
        : {
            refused,
            open: PORT_NAMES.filter((port) => servers.some((endpoint) => endpoint.port === ports[port])),
            ports: Object.fromEntries(servers.map((endpoint) => [endpoint.id, predictedPort(endpoint, one)])),
          };
      expect(predicted).toEqual(answers[name]);
    },
  );
});
