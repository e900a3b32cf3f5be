import net from 'node:net';
import { hasArrived } from '../../src/model/release.ts';
import { restrictionDefinition } from '../../src/postfix/restrictions.ts';
import { RELAY_CASES, type RelayCase, UNDECIDED_CASES } from '../support/relay-cases.ts';
import { ask, each, type RelayService, type Words, withRelays } from './relay-server.ts';
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
            const code = await ask(port, words, wanted === 'dead' ? SOON : undefined);
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
