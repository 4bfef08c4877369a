/** So many samples are kept: 15 minutes at one a second. */
export const MOST_SAMPLES = 900;

/** What is drawn over time, of one moment. */
export interface Sample {
  readonly timeS: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly loopMaxMs: number;
  readonly loopMeanMs: number;
}

/** The last samples, at most one a second. */
export class Samples {
  readonly #most: number;
  #samples: Sample[] = [];

  constructor(most: number = MOST_SAMPLES) {
    this.#most = most;
  }

  add(sample: Sample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.timeS - last.timeS < 1) return;
    this.#samples = [...this.#samples, sample].slice(-this.#most);
  }

  /** One column of the plot. */
  column(member: keyof Sample): number[] {
    return this.#samples.map((sample) => sample[member]);
  }
}
