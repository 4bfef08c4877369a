import { median } from './statistics.ts';

/** One measured value. */
export interface Sample {
  readonly repetition: number;
  /** The number of the turn in its repetition, from 1. */
  readonly turn: number;
  readonly contestant: string;
  readonly metric: string;
  readonly value: number;
}

/** A start or a measurement that failed. */
export interface Failure {
  readonly repetition: number;
  readonly contestant: string;
  /** `start`, or the measurement's name. */
  readonly stage: string;
  readonly message: string;
}

/** A measurement that is not used, since the machine's host took this share of processor time (0 to 1). */
export interface Disturbance {
  readonly repetition: number;
  readonly contestant: string;
  readonly stage: string;
  readonly stolen: number;
}

/** A contestant that took part. */
export interface Participant {
  readonly title: string;
  readonly version: string;
  /** For a contestant of another build: the name of the same contestant of this build. */
  readonly otherOf?: string | undefined;
}

/** All results of one run of the benchmark. */
export interface Results {
  readonly startedAt: string;
  readonly command: string;
  readonly repetitions: number;
  readonly seconds: number;
  /** Facts about the machine, in the order of the report. */
  readonly machine: Readonly<Record<string, string>>;
  /** The contestants that took part, by name. */
  readonly contestants: Readonly<Record<string, Participant>>;
  /** The contestants that did not take part: title → reason. */
  readonly absent: Readonly<Record<string, string>>;
  readonly samples: Sample[];
  /** The measurements that are not used, since the machine's host disturbed them too much. */
  readonly disturbed: Disturbance[];
  /** For each measurement: the share of processor time that the machine's host took, 0 to 1. */
  readonly stolen: number[];
  readonly failures: Failure[];
}

/** The median over all repetitions and turns; undefined without a value. */
export function medianOf(results: Results, contestant: string, metric: string): number | undefined {
  const values = valuesOf(results, contestant, metric).map((sample) => sample.value);
  return values.length === 0 ? undefined : median(values);
}

/**
 * The ratio of two contestants' values: the median of the ratios within each
 * turn, since the machine's speed drifts between turns.
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
