/** How far a message may be behind the highest one by default: they overtake each other. */
const REPLAY_WINDOW = 64;
const WORD_BITS = 32;
/** The most starts of nodes that are remembered. Only nodes with the cluster's key take a place. */
const MOST_STARTS = 20_000;

interface Start {
  highest: number;
  /** a bit for each number of the window, and one word more, as RFC 6479, 2 has it */
  readonly used: Uint32Array;
}

/**
 * Accepts each number of a start once, as the anti-replay window of IPsec (RFC 4303, 3.4.3): a number below the window
 * counts as used.
 */
export class ReplayWindow {
  readonly #size: number;
  readonly #starts = new Map<string, Start>();

  /** @param size how far a number may be behind the highest one, a multiple of 32; each start takes an octet for 8 numbers */
  constructor(size: number = REPLAY_WINDOW) {
    this.#size = size;
  }

  /** @returns whether the number was not used before; it is now */
  take(start: string, number: number): boolean {
    const words = this.#size / WORD_BITS + 1;
    const window = this.#starts.get(start) ?? { highest: 0, used: new Uint32Array(words) };
    const { used, highest } = window;
    if (number < 0 || number <= highest - this.#size) return false;
    const word = Math.floor(number / WORD_BITS);
    const last = Math.floor(highest / WORD_BITS);
    // The words between are of numbers below the window until now.
    for (let next = last + 1; next <= Math.min(word, last + words); next++) used[next % words] = 0;
    const bits = used[word % words] ?? 0;
    const bit = 1 << (number % WORD_BITS);
    if ((bits & bit) !== 0) return false;
    used[word % words] = bits | bit;
    window.highest = Math.max(highest, number);
    this.#starts.delete(start);
    this.#starts.set(start, window);
    // What a start that is forgotten has sent could be replayed: it is the one that was silent for longest, which has most likely
    // ended. Proofs name the start of this node, so they could be replayed only until it ends, too.
    if (this.#starts.size > MOST_STARTS) {
      const [oldest] = this.#starts.keys();
      if (oldest !== undefined) this.#starts.delete(oldest);
    }
    return true;
  }
}
