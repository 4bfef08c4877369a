import type { Contestant } from './contestant.ts';
import { Lab, SIDES } from './lab/lab.ts';
import { measureFlow } from './load/flow.ts';
import type { Bench, Measurement, Pace, Values } from './measurement.ts';
import type { Programs } from './programs/programs.ts';
import type { Attempt, Patience } from './quietly.ts';
import type { Results } from './report/results.ts';

export interface RunOptions extends Pace {
  readonly repetitions: number;
  readonly measurements: readonly Measurement[];
  /** What is measured of peers. */
  readonly peerMeasurements: readonly Measurement[];
  /** With what the machine's host disturbs. */
  readonly patience: Patience;
  /** Of what more than this share of the processors was taken, 0 to 1, is left out. */
  readonly mostStolen: number;
  /** A contestant is not begun when it would not be done by then (`performance.now()`). */
  readonly deadlineMs: number;
}

/** Tells how far the run is: one line that is written over and over. */
export type Progress = (text: string) => void;

const START_SECONDS = 4;
/** How long the warm-up's flow lasts, up and then down. */
const WARM_UP_SECONDS = 2;
const MS_PER_SECOND = 1000;

/**
 * Runs everybody once a repetition, each in a lab of its own, in an order that
 * turns round from repetition to repetition, so that drift of the machine falls on all alike.
 * What fails is noted in the results, and the rest goes on.
 */
export async function runAll(
  contestants: readonly Contestant[],
  programs: Programs,
  options: RunOptions,
  results: Results,
  progress: Progress,
): Promise<void> {
  for (let repetition = 1; repetition <= options.repetitions; repetition++) {
    const order = repetition % 2 === 1 ? contestants : [...contestants].reverse();
    for (const [index, contestant] of order.entries()) {
      if (performance.now() + expectedSeconds(contestant, options) * MS_PER_SECOND > options.deadlineMs) continue;
      const prefix = `${repetition}/${options.repetitions}  ${index + 1}/${order.length}  ${contestant.title}`;
      await runOne(contestant, programs, options, repetition, results, (stage) => progress(`${prefix}: ${stage}`));
    }
  }
}

/** How long one contestant takes in one repetition, roughly. */
export function expectedSeconds(contestant: Contestant, options: RunOptions): number {
  return measurementsOf(contestant, options).reduce(
    (sum, one) => sum + one.expectedSeconds(options),
    START_SECONDS + 2 * WARM_UP_SECONDS,
  );
}

function measurementsOf(contestant: Contestant, options: RunOptions): Measurement[] {
  const measurements = contestant.isPeer === true ? options.peerMeasurements : options.measurements;
  return measurements.filter((one) => one.appliesTo?.(contestant) !== false);
}

/**
 * A flow each way that nobody looks at: just-in-time compilers, TCP and the
 * caches of the kernel are at their pace before anything counts, for all alike.
 */
async function warmUp(bench: Bench): Promise<void> {
  await measureFlow(bench, { seconds: WARM_UP_SECONDS, direction: 'up' });
  await measureFlow(bench, { seconds: WARM_UP_SECONDS, direction: 'down' });
}

async function runOne(
  contestant: Contestant,
  programs: Programs,
  options: RunOptions,
  repetition: number,
  results: Results,
  progress: Progress,
): Promise<void> {
  const fail = (stage: string, error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    results.failures.push({ repetition, contestant: contestant.name, stage, message });
  };
  const lab = await Lab.open();
  try {
    progress('start');
    const tunnel = await contestant.start(lab, programs);
    await lab.reach('client', tunnel.addresses.server);
    const [client, server] = SIDES.map((side) => lab.processes(side));
    const processes = { client: client ?? [], server: server ?? [] };
    const bench = { ...options, contestant, lab, tunnel, programs, processes };
    const applying = measurementsOf(contestant, options);
    const note = (stage: string, { value: values, stolen }: Attempt<Values>): void => {
      results.stolen.push(stolen);
      if (stolen > options.mostStolen) {
        results.disturbed.push({ repetition, contestant: contestant.name, stage, stolen });
        return;
      }
      for (const [metric, value] of Object.entries(values)) {
        if (Number.isFinite(value)) results.samples.push({ repetition, contestant: contestant.name, metric, value });
      }
    };
    const attempt = async (name: string, run: () => Promise<void>): Promise<void> => {
      progress(name);
      try {
        await run();
      } catch (error) {
        fail(name, error);
        // What its load programs left running would spoil the next measurement.
        await lab.endPrograms([...processes.client, ...processes.server]);
      }
    };
    const take = (measurement: Measurement): Promise<void> =>
      attempt(measurement.name, async () => {
        const run = (): Promise<Values> => measurement.run(bench);
        const tell = (stolen: number): void =>
          progress(`${measurement.name}, again: the host took ${(stolen * 100).toFixed(0)} %`);
        const isUnique = measurement.isCold === true || measurement.isUnique === true;
        note(
          measurement.name,
          await (isUnique ? options.patience.measureOnce(run) : options.patience.measure(run, tell)),
        );
      });
    for (const measurement of applying) if (measurement.isCold === true) await take(measurement);
    await attempt('warm-up', () => warmUp(bench));
    for (const measurement of applying) if (measurement.isCold !== true) await take(measurement);
  } catch (error) {
    fail('start', error);
  } finally {
    await lab.close();
  }
}
