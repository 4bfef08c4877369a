import type { Host } from './namespaces.ts';
import { LONGEST_MS, type Process } from './process.ts';
import { within } from './waits.ts';

/** The interval of echo requests; the shortest that ping permits to ordinary users. */
const INTERVAL_S = 0.2;

/**
 * Echo requests from one host to an address, five a second, during the whole test:
 * they show whether traffic flows, and since when.
 */
export class PingStream {
  readonly #process: Process;
  /** The number of the latest known request. */
  #asked = 0;
  #answers = 0;
  #waiting: { readonly asked: number; readonly resolve: () => void }[] = [];

  constructor(from: Host, address: string) {
    const ping = ['ping', '-n', '-O', '-W', '1', '-i', String(INTERVAL_S), address];
    this.#process = from.spawn(ping, { timeoutMs: LONGEST_MS, env: { LC_ALL: 'C' } });
    this.#process.onLine((line) => this.#read(line));
  }

  /** The number of answered requests. */
  get answers(): number {
    return this.#answers;
  }

  /**
   * Resolves when a request that was sent after the call is answered.
   * @returns how long that took, in milliseconds
   */
  async answered(timeoutMs?: number): Promise<number> {
    const beginMs = performance.now();
    // The next request may have been sent already, since ping prints a line only for its answer.
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
