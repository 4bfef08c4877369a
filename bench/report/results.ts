import { median } from './statistics.ts';

/** One value that was measured. */
export interface Sample {
  readonly repetition: number;
  /** Which one in the repetition, from 1. */
  readonly turn: number;
  readonly contestant: string;
  readonly metric: string;
  readonly value: number;
}

/** A contestant or a measurement that did not run to its end. */
export interface Failure {
  readonly repetition: number;
  readonly contestant: string;
  /** `start`, or the measurement's name. */
  readonly stage: string;
  readonly message: string;
}

/** A measurement that is left out, since the machine's host took this share of the processors (0 to 1) from it. */
export interface Disturbance {
  readonly repetition: number;
  readonly contestant: string;
  readonly stage: string;
  readonly stolen: number;
}

/** What took part. */
export interface Participant {
  readonly title: string;
  readonly version: string;
  /** Of a contestant of another build: the name of the same one of this build. */
  readonly otherOf?: string | undefined;
}

/** Everything that one run of the benchmark found out. */
export interface Results {
  readonly startedAt: string;
  readonly command: string;
  readonly repetitions: number;
  readonly seconds: number;
  /** Facts about the machine, in the order in which they are shown. */
  readonly machine: Readonly<Record<string, string>>;
  /** What took part, by name. */
  readonly contestants: Readonly<Record<string, Participant>>;
  /** What did not take part: title → why. */
  readonly absent: Readonly<Record<string, string>>;
  readonly samples: Sample[];
  /** What the machine's host disturbed too much to count. */
  readonly disturbed: Disturbance[];
  /** Of each measurement: which share of the processors the machine's host took meanwhile, 0 to 1. */
  readonly stolen: number[];
  readonly failures: Failure[];
}

/** The median over the repetitions and their turns, or undefined where nothing was measured. */
export function medianOf(results: Results, contestant: string, metric: string): number | undefined {
  const values = valuesOf(results, contestant, metric).map((sample) => sample.value);
  return values.length === 0 ? undefined : median(values);
}

/**
 * How one contestant's value stands to another's: the median of the ratios
 * within each turn, because the machine drifts from one to the next.
 */
export function ratioOf(
  results: Results,
  contestant: string,
  metric: string,
  against: string,
  againstMetric: string = metric,
): number | undefined {
  const others = new Map(valuesOf(results, against, againstMetric).map((sample) => [turnOf(sample), sample.value]));
  const ratios = valuesOf(results, contestant, metric).flatMap((sample) => {
    const other = others.get(turnOf(sample));
    return other === undefined || other === 0 ? [] : [sample.value / other];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

function turnOf({ repetition, turn }: Sample): string {
  return `${repetition}/${turn}`;
}

function valuesOf(results: Results, contestant: string, metric: string): Sample[] {
  return results.samples.filter((sample) => sample.contestant === contestant && sample.metric === metric);
}
