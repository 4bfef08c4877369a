import type { Contestant } from './contestant.ts';
import type { Measurement, Pace } from './measurement.ts';
import type { Programs } from './programs/programs.ts';
import type { Patience } from './quietly.ts';
import type { Results } from './report/results.ts';
import { OPENING_SECONDS, Stand } from './stand.ts';

export interface RunOptions extends Pace {
  /** TCP's congestion control in all labs; undefined: that of this machine. */
  readonly congestion: string | undefined;
  readonly repetitions: number;
  readonly measurements: readonly Measurement[];
  /** The measurements of references (`Contestant.isAside`). */
  readonly asideMeasurements: readonly Measurement[];
  readonly patience: Patience;
  /** A value is not used if the host took more than this share of processor time, 0 to 1. */
  readonly mostStolen: number;
  /** By `performance.now()`. Contestants that a repetition has no time for are left out, and nothing begins later. */
  readonly deadlineMs: number;
}

/** Shows the progress in one line, which is overwritten. */
export type Progress = (text: string) => void;

const MS_PER_SECOND = 1000;

/**
 * In each repetition all contestants are started, each in its own lab. Then each
 * measurement is taken of all contestants in turn: compared values are measured within
 * seconds of each other, since the speed of a shared machine changes within minutes.
 * The order is reversed from repetition to repetition and from turn to turn. Failures
 * are noted in the results, and the run continues.
 */
export async function runAll(
  contestants: readonly Contestant[],
  programs: Programs,
  options: RunOptions,
  results: Results,
  progress: Progress,
): Promise<void> {
  for (let repetition = 1; repetition <= options.repetitions; repetition++) {
    const inTime = thoseInTime(contestants, options);
    if (repetition % 2 === 0) inTime.reverse();
    const tell = (text: string): void => progress(`${repetition}/${options.repetitions}  ${text}`);
    await runRound(inTime, programs, { ...options, repetition, results }, tell);
  }
}

/** An estimate for one contestant in one repetition. */
export function expectedSeconds(contestant: Contestant, options: RunOptions): number {
  return measurementsOf(contestant, options).reduce(
    (sum, one) => sum + turnsOf(one, options) * one.expectedSeconds(options),
    OPENING_SECONDS,
  );
}

function turnsOf({ turns = 1 }: Measurement, { isShort }: Pace): number {
  return isShort ? 1 : turns;
}

/** The measurements of a contestant. */
export function measurementsOf(contestant: Contestant, options: RunOptions): Measurement[] {
  const measurements = contestant.isAside === true ? options.asideMeasurements : options.measurements;
  return measurements.filter(({ appliesTo = isNoRelay }) => appliesTo(contestant));
}

function isNoRelay({ isRelay }: Contestant): boolean {
  return isRelay !== true;
}

function thoseInTime(contestants: readonly Contestant[], options: RunOptions): Contestant[] {
  let doneAtMs = performance.now();
  return contestants.filter((contestant) => {
    const withItMs = doneAtMs + expectedSeconds(contestant, options) * MS_PER_SECOND;
    if (withItMs > options.deadlineMs) return false;
    doneAtMs = withItMs;
    return true;
  });
}

async function runRound(
  contestants: readonly Contestant[],
  programs: Programs,
  options: RunOptions & { readonly repetition: number; readonly results: Results },
  progress: Progress,
): Promise<void> {
  const stands: Stand[] = [];
  try {
    for (const contestant of contestants) {
      const tell = (stage: string): void => progress(`${contestant.title}: ${stage}`);
      const stand = await Stand.open(contestant, programs, { ...options, progress: tell });
      if (stand === undefined) continue;
      stands.push(stand);
      for (const one of measurementsOf(contestant, options)) if (one.isCold === true) await stand.take(one, 1);
      await stand.warmUp();
    }
    for (const measurement of options.measurements) {
      if (measurement.isCold === true) continue;
      const measured = stands.filter(({ contestant }) => measurementsOf(contestant, options).includes(measurement));
      for (let turn = 1; turn <= turnsOf(measurement, options); turn++) {
        for (const stand of measured) {
          if (performance.now() < options.deadlineMs) await stand.take(measurement, turn);
        }
        measured.reverse();
      }
    }
  } finally {
    for (const stand of stands) await stand.close();
  }
}
