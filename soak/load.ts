import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Exchanged } from '../test/support/exchange.ts';
import type { Outcome, Process } from '../test/support/process.ts';
import type { Site } from './site.ts';
import type { Verdict } from './verdict.ts';

const EXCHANGE = fileURLToPath(new URL('../test/support/exchange.js', import.meta.url));
const EXCHANGE_MIB = '8';
const ROUND_S = 5;
/** Time limit of a round that a fault has interrupted, after which the next one begins. */
const PATIENCE_MS = 25_000;
const PAUSE_MS = 500;

/** The part of iperf3's report that is read. */
interface Received {
  readonly sum_received?: { readonly bytes: number };
  readonly sum_received_bidir_reverse?: { readonly bytes: number };
}

/**
 * Full TCP load between two hosts in both directions, in rounds, and at the same time
 * transfers whose octets are verified. Rounds and transfers may be interrupted by
 * faults, but a transfer that ends must have delivered the octets that were sent.
 */
export class Load {
  readonly #from: Site;
  readonly #to: Site;
  readonly #verdict: Verdict;
  readonly #ended = new AbortController();
  readonly #loops: Promise<void>[] = [];
  /** Octets in finished rounds of iperf3. */
  bytes = 0;
  verified = 0;
  interrupted = 0;

  constructor(from: Site, to: Site, verdict: Verdict) {
    this.#from = from;
    this.#to = to;
    this.#verdict = verdict;
  }

  start(): void {
    for (const round of [() => this.#flood(), (ordinal: number) => this.#transfer(ordinal)]) {
      this.#loops.push(this.#loop(round));
    }
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#loops);
  }

  async #loop(round: (ordinal: number) => Promise<void>): Promise<void> {
    for (let ordinal = 0; !this.#ended.signal.aborted; ordinal++) {
      await round(ordinal);
      await delay(PAUSE_MS, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }

  async #flood(): Promise<void> {
    const { address } = this.#to;
    const server = this.#to.host.spawn(['iperf3', '--server', '--one-off', '--forceflush', '--bind', address], {
      timeoutMs: PATIENCE_MS,
    });
    await server.output(/listening/).catch(() => undefined);
    const args = ['--time', String(ROUND_S), '--bidir', '--json', '--connect-timeout', '5000'];
    const client = this.#from.host.spawn(['iperf3', '--client', address, ...args], { timeoutMs: PATIENCE_MS });
    const { status, stdout } = await this.#ending(client, server);
    if (status !== 0) return;
    const { end } = JSON.parse(stdout) as { end?: Received };
    this.bytes += (end?.sum_received?.bytes ?? 0) + (end?.sum_received_bidir_reverse?.bytes ?? 0);
  }

  async #transfer(ordinal: number): Promise<void> {
    const start = (site: Site, peer: Site, role: string): Process => {
      const seeds = [site, peer].map(({ name }) => `${name} ${ordinal}`);
      const args = [role, this.#to.address, '5301', EXCHANGE_MIB, ...seeds];
      return site.host.spawn([process.execPath, EXCHANGE, ...args], { timeoutMs: PATIENCE_MS });
    };
    const listener = start(this.#to, this.#from, 'listen');
    await listener.output(/listening/).catch(() => undefined);
    const dialler = start(this.#from, this.#to, 'dial');
    const near = await this.#ending(dialler, listener);
    const far = await listener.exited;
    if (near.status !== 0 || far.status !== 0) {
      this.interrupted++;
      return;
    }
    const ends = [near.stdout, far.stdout.replace('listening\n', '')].map((json) => JSON.parse(json) as Exchanged);
    const isWhole = ends.every(({ sentBytes, receivedBytes, wrongAt }) => receivedBytes === sentBytes && wrongAt < 0);
    if (isWhole) this.verified++;
    else this.#verdict.complain(`transfer ${ordinal} arrived as something else: ${near.stdout}${far.stdout}`);
  }

  /** Waits for the end of a client. Ends its server after a failure, and both of them when the load is stopped. */
  async #ending(client: Process, server: Process): Promise<Outcome> {
    const end = (): void => void Promise.all([client.end(), server.end()]);
    this.#ended.signal.addEventListener('abort', end, { once: true });
    const outcome = await client.exited;
    this.#ended.signal.removeEventListener('abort', end);
    if (outcome.status !== 0) await server.end();
    await server.exited;
    return outcome;
  }
}
