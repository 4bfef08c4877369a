import type { Host } from './namespaces.ts';
import { LONGEST_MS, type Process } from './process.ts';
import { within } from './waits.ts';

/** Between two echo requests; the shortest that ping grants an ordinary user. */
const INTERVAL_S = 0.2;

/**
 * Echo requests from one host to an address, five a second, for as long as the
 * test runs: whether traffic flows, and since when, without being asked.
 */
export class PingStream {
  readonly #process: Process;
  /** The latest request of which anything is known. */
  #asked = 0;
  #answers = 0;
  #waiting: { readonly asked: number; readonly resolve: () => void }[] = [];

  constructor(from: Host, address: string) {
    const ping = ['ping', '-n', '-O', '-W', '1', '-i', String(INTERVAL_S), address];
    this.#process = from.spawn(ping, { timeoutMs: LONGEST_MS, env: { LC_ALL: 'C' } });
    this.#process.onLine((line) => this.#read(line));
  }

  /** How many requests were answered so far. */
  get answers(): number {
    return this.#answers;
  }

  /**
   * Resolves when a request that went out from now on is answered.
   * @returns how long that took, in milliseconds
   */
  async answered(timeoutMs: number): Promise<number> {
    const beginMs = performance.now();
    // The next request may be out already: ping prints nothing about it before its answer comes.
    const asked = this.#asked + 1;
    const answered = new Promise<void>((resolve) => this.#waiting.push({ asked, resolve }));
    await within(answered, () => `answer to a ping (${this.#tail()})`, timeoutMs);
    return performance.now() - beginMs;
  }

  end(): Promise<void> {
    return this.#process.end();
  }

  #read(line: string): void {
    const asked = /icmp_seq=(\d+)/.exec(line)?.[1];
    if (asked === undefined) return;
    this.#asked = Math.max(this.#asked, Number(asked));
    if (!line.includes('bytes from')) return;
    this.#answers++;
    this.#waiting = this.#waiting.filter((each) => {
      if (Number(asked) <= each.asked) return true;
      each.resolve();
      return false;
    });
  }

  #tail(): string {
    return `${this.#process.stdout.slice(-300)}${this.#process.stderr.slice(-300)}`;
  }
}
