import type { Contestant } from './contestant.ts';
import { Lab } from './lab/lab.ts';
import { measureFlow } from './load/flow.ts';
import type { Bench, Measurement, Pace, Values } from './measurement.ts';
import type { Programs } from './programs/programs.ts';
import type { Attempt, Patience } from './quietly.ts';
import type { Results } from './report/results.ts';

/** How a stand measures, and where it stores its values. */
export interface StandOptions extends Pace {
  readonly congestion: string | undefined;
  readonly repetition: number;
  readonly patience: Patience;
  /** A value is not used if the host took more than this share of processor time, 0 to 1. */
  readonly mostStolen: number;
  readonly results: Results;
  /** Shows the present stage. */
  readonly progress: (stage: string) => void;
}

/** The duration of each of the two flows of the warm-up, up and then down. */
const WARM_UP_SECONDS = 2;
const START_SECONDS = 4;
/** An estimate for a start and a warm-up. */
export const OPENING_SECONDS: number = START_SECONDS + 2 * WARM_UP_SECONDS;

/** A running contestant in its own lab. Failures are noted in the results. */
export class Stand {
  readonly contestant: Contestant;
  readonly #options: StandOptions;
  readonly #bench: Bench;

  private constructor(bench: Bench, options: StandOptions) {
    this.contestant = bench.contestant;
    this.#bench = bench;
    this.#options = options;
  }

  /** @returns undefined if it did not start */
  static async open(contestant: Contestant, programs: Programs, options: StandOptions): Promise<Stand | undefined> {
    options.progress('start');
    const lab = await Lab.open(contestant.name, options.congestion, contestant.isRelay);
    try {
      const tunnel = await contestant.start(lab, programs);
      await lab.reach('client', tunnel.addresses.server);
      const processes = {
        client: lab.processes('client'),
        server: lab.processes('server'),
        relay: contestant.isRelay === true ? lab.processes('relay') : [],
      };
      return new Stand({ ...options, contestant, lab, tunnel, programs, processes }, options);
    } catch (error) {
      noteFailure(options, contestant, 'start', error);
      await lab.close();
      return undefined;
    }
  }

  /**
   * A flow in each direction that is not measured, so that just-in-time compilers, TCP and the
   * caches of the kernel are warm, equally for all contestants.
   */
  warmUp(): Promise<void> {
    return this.#attempt('warm-up', async () => {
      await measureFlow(this.#bench, { seconds: WARM_UP_SECONDS, direction: 'up' });
      await measureFlow(this.#bench, { seconds: WARM_UP_SECONDS, direction: 'down' });
    });
  }

  /** @param turn the number of the turn in this repetition, from 1 */
  take(measurement: Measurement, turn: number): Promise<void> {
    const { name, isCold = false, isUnique = false } = measurement;
    const { patience, progress } = this.#options;
    return this.#attempt(name, async () => {
      const run = (): Promise<Values> => measurement.run(this.#bench);
      const tell = (stolen: number): void => progress(`${name}, again: the host took ${(stolen * 100).toFixed(0)} %`);
      this.#note(name, turn, await (isCold || isUnique ? patience.measureOnce(run) : patience.measure(run, tell)));
    });
  }

  close(): Promise<void> {
    return this.#bench.lab.close();
  }

  async #attempt(stage: string, run: () => Promise<void>): Promise<void> {
    this.#options.progress(stage);
    try {
      await run();
    } catch (error) {
      noteFailure(this.#options, this.contestant, stage, error);
      // Load programs that still run would disturb the next measurement.
      const { lab, processes } = this.#bench;
      await lab.endPrograms(Object.values(processes).flat());
    }
  }

  #note(stage: string, turn: number, { value: values, stolen }: Attempt<Values>): void {
    const { repetition, mostStolen, results } = this.#options;
    const contestant = this.contestant.name;
    results.stolen.push(stolen);
    if (stolen > mostStolen) {
      results.disturbed.push({ repetition, contestant, stage, stolen });
      return;
    }
    for (const [metric, value] of Object.entries(values)) {
      if (Number.isFinite(value)) results.samples.push({ repetition, turn, contestant, metric, value });
    }
  }
}

function noteFailure({ repetition, results }: StandOptions, { name }: Contestant, stage: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  results.failures.push({ repetition, contestant: name, stage, message });
}
