import net from 'node:net';
import { hasArrived } from '../../src/model/release.ts';
import { admission } from '../../src/postfix/admission.ts';
import { matchNetworks, networkList } from '../../src/postfix/networks.ts';
import { restrictionDefinition } from '../../src/postfix/restrictions.ts';
import { RELAY_CASES, type RelayCase, UNDECIDED_CASES } from '../support/relay-cases.ts';
import {
  NETWORK_CLIENTS,
  NETWORK_TABLES,
  numbers,
  SAYINGS,
  someNetworks,
  someService,
} from './relay-generate.ts';
import { ask, each, type RelayService, STRANGER, type Words, withRelays } from './relay-server.ts';
import { type Root, roots } from './roots.ts';
import { freePort } from './running.ts';

// A stranger speaks SMTP with services that are open relays, closed, or look like the one and are the
// other. What pfharden says of each from the files must be what the server answers.

const full = process.env.PFHARDEN_FULL !== undefined;
/** The oldest release and the newest; with --full all four. */
const chosen = (): readonly Root[] =>
  roots().filter((_, index, { length }) => full || index === 0 || index === length - 1);

const HERE = 'someone@stranger-host.net';
const THERE = 'victim@elsewhere-domain.com';
/** What a stranger may try who knows nothing. */
const ATTEMPTS: readonly Words[] = [
  { helo: 'mail.stranger-host.net', sender: HERE, recipient: THERE },
  { helo: null, sender: HERE, recipient: THERE },
  { helo: '192.0.2.1', sender: '', recipient: THERE },
];

/** smtpd that did not start leaves the client waiting for a greeting. */
const SOON = 3000;

function expected({ verdict, removed }: RelayCase, { postfix }: Root): RelayCase['verdict'] {
  const gone = removed === undefined ? null : (restrictionDefinition(removed)?.removed ?? null);
  return gone !== null && hasArrived(postfix, { since: gone, patches: [] }) ? 'dead' : verdict;
}

let compared = 0;
afterAll(() => {
  process.stdout.write(`relay verdicts held against running servers: ${compared}\n`);
});

describe.each(chosen().map((root) => ({ name: `${root.release}, Postfix ${root.postfix}`, root })))(
  '$name',
  ({ root }) => {
    it('answers a stranger as the files say', async () => {
      await withRelays(root, 'relay', RELAY_CASES, async (judged) => {
        const differences: unknown[] = [];
        await each([...judged.entries()], async ([index, { port, verdict }]) => {
          const one = RELAY_CASES[index];
          if (one === undefined) return;
          const wanted = expected(one, root);
          const note = (what: string, detail: unknown): void => {
            differences.push({ set: one.set, what, detail });
          };
          compared++;
          if (verdict.kind !== wanted) note(`${wanted} expected`, verdict.kind);
          if (verdict.kind === 'open') {
            const code = await ask(port, verdict.opening.person);
            if (code !== '250') note('open, but', code);
            return;
          }
          for (const words of ATTEMPTS) {
            const code = await ask(port, words, { patience: wanted === 'dead' ? SOON : undefined });
            if ((code === '250') !== (one.diverted === true)) note(`${verdict.kind}, but`, code);
            if (verdict.kind === 'closed' && one.diverted !== true && !/^[45]/.test(code))
              note('closed, but', code);
            if (verdict.kind === 'dead' && code !== (verdict.why === 'server-error' ? '451' : ''))
              note('dead, but', code);
            if (code === '') break;
          }
        });
        expect(differences).toEqual([]);
      });
    });

    it('answers both ways where the files leave it open', async () => {
      const policies = await Promise.all(['ok', 'dunno', 'reject'].map(policyService));
      const services = UNDECIDED_CASES.flatMap(({ set, rewrite, open, closed }) =>
        [open, closed].map((content): RelayService => {
          const policy = policies.find(({ answer }) => answer === content);
          return {
            set: set.map((line) => line.replaceAll('{POLICY}', `inet:127.0.0.1:${policy?.port}`)),
            rewrite,
            tables: { hidden: content },
            hidden: ['hidden'],
          };
        }),
      );
      try {
        await withRelays(root, 'undecided', services, async (judged) => {
          const [words] = ATTEMPTS;
          if (words === undefined) return;
          const met = new Map<number, string>();
          await each([...judged.entries()], async ([index, { port }]) => {
            met.set(index, await ask(port, words));
          });
          const answers = UNDECIDED_CASES.map(({ set }, index) => ({
            set,
            verdicts: [judged[2 * index]?.verdict.kind, judged[2 * index + 1]?.verdict.kind],
            taken: [met.get(2 * index) === '250', met.get(2 * index + 1) === '250'],
          }));
          compared += answers.length;
          expect(answers).toEqual(
            UNDECIDED_CASES.map(({ set }) => ({
              set,
              verdicts: ['undecided', 'undecided'],
              taken: [true, false],
            })),
          );
        });
      } finally {
        for (const { close } of policies) close();
      }
    });

    it('answers each client of lists at random as the walk through them says', async () => {
      const next = numbers(20_261_126);
      for (let batch = 0; batch < (full ? 8 : 1); batch++) {
        const services = Array.from({ length: full ? 200 : 120 }, () => someService(next));
        await withRelays(root, `random${batch}`, services, async (judged) => {
          const differences: unknown[] = [];
          await each([...judged.entries()], async ([index, { port, verdict, configuration, service }]) => {
            const one = services[index];
            if (verdict.kind === 'dead' && verdict.why !== 'server-error') {
              compared++;
              const [words] = SAYINGS;
              const code = words === undefined ? '' : await ask(port, words, { patience: SOON });
              if (code !== '') differences.push({ one, verdict: verdict.why, code });
              return;
            }
            for (const words of SAYINGS) {
              const person = { ...words, address: STRANGER, name: 'unknown', tls: false };
              const visitor = { login: false, certificate: false, recipient: 'foreign', person } as const;
              // Nobody is asked for HELO here, but a service may demand it.
              const silent = words.helo === null && configuration.isYes('smtpd_helo_required', service);
              const accepted = !silent && admission(configuration, service, visitor).accepted;
              const code = await ask(port, words);
              compared++;
              if ((code === '250') !== accepted) differences.push({ one, words, accepted, code });
              if (code === '250' && verdict.kind !== 'open')
                differences.push({ one, words, verdict: verdict.kind });
            }
            if (verdict.kind === 'open') {
              const code = await ask(port, verdict.opening.person);
              if (code !== '250') differences.push({ one, person: verdict.opening.person, code });
            }
          });
          expect(differences).toEqual([]);
        });
      }
    });

    it('finds a client in lists of networks where smtpd finds him', async () => {
      const next = numbers(1_126);
      const lists = Array.from({ length: full ? 400 : 40 }, () => someNetworks(next));
      const services = lists.map(
        (list): RelayService => ({
          set: [
            `mynetworks = ${list}`,
            'smtpd_relay_restrictions = permit_mynetworks, reject',
            'smtpd_authorized_xclient_hosts = 127.0.0.0/8',
            'smtpd_client_event_limit_exceptions =',
            'inet_protocols = all',
          ],
          tables: NETWORK_TABLES,
        }),
      );
      await withRelays(root, 'networks', services, async (judged) => {
        const differences: unknown[] = [];
        await each([...judged.entries()], async ([index, { port, configuration, service }]) => {
          const list = networkList(configuration, 'mynetworks', service);
          for (const client of NETWORK_CLIENTS) {
            const { verdict } = matchNetworks(list, client);
            const address = client.address.includes(':') ? `IPV6:${client.address}` : client.address;
            const name = client.name === 'unknown' ? '[UNAVAILABLE]' : client.name;
            const first = ['EHLO proxy.example', `XCLIENT ADDR=${address} NAME=${name}`];
            const [words] = ATTEMPTS;
            const code = words === undefined ? '' : await ask(port, words, { patience: SOON, first });
            const met = code === '250' ? 'in' : code === '554' ? 'out' : code === '451' ? 'error' : code;
            compared++;
            const known = verdict === 'unknown' ? 'error' : verdict;
            if (met !== known) differences.push({ list: lists[index], client, verdict, code });
          }
        });
        expect(differences).toEqual([]);
      });
    });

    it('takes mail from its own networks, and mail routed through a partner where it is told to', async () => {
      const routed = { helo: null, sender: HERE, recipient: 'victim%elsewhere-domain.com@partner.example' };
      const partner = ['relay_domains = partner.example'];
      const services: readonly RelayService[] = [
        { set: [] },
        { set: ['allow_untrusted_routing = yes'], rewrite: partner },
        { set: ['allow_untrusted_routing = no'], rewrite: partner },
      ];
      await withRelays(root, 'own', services, async ([own, trusting, other]) => {
        const [words] = ATTEMPTS;
        if (own === undefined || trusting === undefined || other === undefined || words === undefined) return;
        expect(await ask(own.port, words, { from: '127.0.0.3' })).toBe('250');
        expect(await ask(own.port, words, { from: '127.0.0.9' })).toBe('454');
        expect(await ask(trusting.port, routed)).toBe('250');
        expect(await ask(other.port, routed)).toBe('454');
        compared += 4;
      });
    });
  },
);

/** A policy service that always gives the same answer (SMTPD_POLICY_README). */
async function policyService(answer: string): Promise<{ answer: string; port: number; close: () => void }> {
  const port = await freePort();
  const server = net.createServer((socket) => {
    let request = '';
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      request += data.toString('latin1');
      if (!request.endsWith('\n\n')) return;
      request = '';
      socket.write(`action=${answer}\n\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { answer, port, close: () => server.close() };
}
