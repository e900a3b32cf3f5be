import { setTimeout as sleep } from 'node:timers/promises';
import type { MailProtocol } from './dialogue.ts';
import { Faults, ProbeFault } from './faults.ts';
import { Gate } from './gate.ts';
import type { Place } from './question.ts';

/** Which port to look at, and how. */
export interface ProbeTarget {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** The protocol whose STARTTLS is used; null where TLS begins with the first byte. */
  readonly starttls: MailProtocol | null;
  /** The protocol behind implicit TLS; null: none is to be expected; by default the greeting tells. */
  readonly spoken?: MailProtocol | null;
  /** The name to ask for in the hello (SNI); none by default. */
  readonly serverName?: string | null;
  /** For one connection; 10 seconds by default, because postscreen lets a client wait for six. */
  readonly timeoutMs?: number;
  /** For the port as a whole; two minutes by default. */
  readonly totalMs?: number;
  /** Connections at the same time; 8 by default (Postfix takes 50 from one client). */
  readonly parallel?: number;
}

const TIMEOUT = 10_000;
const TOTAL = 120_000;
const PARALLEL = 8;

/** How often a question is asked that did not get through, and the pause before each, in milliseconds. */
const PAUSES: readonly number[] = [0, 200, 600, 1500];

/** All connections to one port: how many at a time, for how long, and again where one did not get through. */
export class Session {
  readonly place: Place;
  readonly faults = new Faults();
  readonly #timeout: number;
  readonly #start = performance.now();
  readonly #end: number;
  readonly #gate: Gate;
  #connections = 0;
  #stopped = false;

  constructor({ host, port, starttls, timeoutMs, totalMs, parallel }: ProbeTarget) {
    this.place = { host, port, startTls: starttls };
    this.#timeout = timeoutMs ?? TIMEOUT;
    this.#end = this.#start + (totalMs ?? TOTAL);
    this.#gate = new Gate(parallel ?? PARALLEL);
  }

  /** How many connections were made. */
  get connections(): number {
    return this.#connections;
  }

  /** Milliseconds since the first moment. */
  get elapsed(): number {
    return Math.round(performance.now() - this.#start);
  }

  /** The work was ended by a fault. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Milliseconds that one more connection may take; 0 when the time of the port is over. */
  #time(): number {
    return Math.max(0, Math.min(this.#timeout, this.#end - performance.now()));
  }

  /**
   * Does something on a connection, again and with fewer at a time where the server did not let it in.
   *
   * @param task gets the milliseconds that it may take
   * @throws ProbeFault when the server goes on so, or the time is over
   */
  async through<T>(task: (milliseconds: number) => Promise<T>): Promise<T> {
    for (const [attempt, pause] of PAUSES.entries()) {
      if (pause > 0) await sleep(Math.min(pause, this.#time()));
      try {
        return await this.#gate.run(async () => {
          if (this.#stopped) throw new ProbeFault('incomplete', 'questions were left unasked');
          const time = this.#time();
          if (time === 0) throw new ProbeFault('incomplete', 'the time for this port was over');
          this.#connections++;
          return task(time);
        });
      } catch (error) {
        if (!(error instanceof ProbeFault)) throw error;
        // What a server says for good it says again.
        const passing = ['busy', 'closed', 'unreachable'].includes(error.kind);
        const first = this.#connections === 1 && error.kind === 'unreachable';
        if (!passing || first || attempt === PAUSES.length - 1) throw error;
        this.faults.add(error.kind, error.message);
        this.#gate.narrow();
      }
    }
    throw new ProbeFault('incomplete', 'questions were left unasked');
  }

  /** Ends the work on this port for a fault; any other error is thrown on. */
  stop(error: unknown): void {
    if (!(error instanceof ProbeFault)) throw error;
    if (!this.#stopped) this.faults.add(error.kind, error.message);
    this.#stopped = true;
  }
}
