/**
 * Pseudo-random numbers: the same seed gives the same numbers on all machines. Not
 * for secrets. The algorithm is mulberry32, which has 32 bits of state and is fast
 * enough for fuzz runs of 100 000 cases.
 */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** A whole number in 0..2³²-1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number in 0..limit-1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** A whole number in least..most. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True with the probability 1/`times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let index = 0; index < length; index++) bytes[index] = this.next();
    return bytes;
  }

  /** Text of any characters, with control characters and lone surrogates. */
  text(maxLength: number): string {
    const plane = this.pick([0x80, 0x250, 0x1_0000]);
    return String.fromCharCode(...Array.from({ length: this.below(maxLength + 1) }, () => this.below(plane)));
  }
}

/** The seed of a fuzz run: FUZZ_SEED, else a constant. */
export function fuzzSeed(): number {
  const { FUZZ_SEED = '20260101' } = process.env;
  return Number.parseInt(FUZZ_SEED, 10);
}

/** The number of cases of a fuzz run: FUZZ_FACTOR times `cases`. */
export function fuzzCases(cases: number): number {
  const { FUZZ_FACTOR = '1' } = process.env;
  return Math.ceil(cases * Number.parseFloat(FUZZ_FACTOR));
}
