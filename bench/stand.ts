import type { Contestant } from './contestant.ts';
import { Lab } from './lab/lab.ts';
import { measureFlow } from './load/flow.ts';
import type { Bench, Measurement, Pace, Values } from './measurement.ts';
import type { Programs } from './programs/programs.ts';
import type { Attempt, Patience } from './quietly.ts';
import type { Results } from './report/results.ts';

/** How a stand measures, and where it notes what came out. */
export interface StandOptions extends Pace {
  readonly congestion: string | undefined;
  readonly repetition: number;
  /** With what the machine's host disturbs. */
  readonly patience: Patience;
  /** Of what more than this share of the processors was taken, 0 to 1, is left out. */
  readonly mostStolen: number;
  readonly results: Results;
  /** Tells what it is doing. */
  readonly progress: (stage: string) => void;
}

/** How long the warm-up's flow lasts, up and then down. */
const WARM_UP_SECONDS = 2;
const START_SECONDS = 4;
/** How long a start and a warm-up take, roughly. */
export const OPENING_SECONDS: number = START_SECONDS + 2 * WARM_UP_SECONDS;

/** A contestant that runs in a lab of its own. What fails is noted in the results. */
export class Stand {
  readonly contestant: Contestant;
  readonly #options: StandOptions;
  readonly #bench: Bench;

  private constructor(bench: Bench, options: StandOptions) {
    this.contestant = bench.contestant;
    this.#bench = bench;
    this.#options = options;
  }

  /** @returns undefined when it did not start */
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
   * A flow each way that does not count: just-in-time compilers, TCP and the
   * caches of the kernel are at their pace before anything counts, for all alike.
   */
  warmUp(): Promise<void> {
    return this.#attempt('warm-up', async () => {
      await measureFlow(this.#bench, { seconds: WARM_UP_SECONDS, direction: 'up' });
      await measureFlow(this.#bench, { seconds: WARM_UP_SECONDS, direction: 'down' });
    });
  }

  /** @param turn which one in this repetition, from 1 */
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
      // What its load programs left running would spoil the next measurement.
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
