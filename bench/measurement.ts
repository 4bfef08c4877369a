import type { Contestant, Tunnel } from './contestant.ts';
import type { Lab, Place } from './lab/lab.ts';
import type { Programs } from './programs/programs.ts';

/** One figure of a measurement. */
export interface Metric {
  /** Unique over all measurements; the name in the JSON file. */
  readonly key: string;
  /** The heading of its column. */
  readonly title: string;
  readonly unit: string;
  readonly isHigherBetter: boolean;
}

/** The durations of a run. */
export interface Pace {
  /** The duration of a flow. A whole number, as iperf3 and ping require. */
  readonly seconds: number;
  /** The duration of each trial of a packet rate. */
  readonly trialSeconds: number;
  readonly isShort: boolean;
}

/** The environment of a measurement. */
export interface Bench extends Pace {
  readonly contestant: Contestant;
  readonly lab: Lab;
  readonly tunnel: Tunnel;
  readonly programs: Programs;
  /** The contestant's processes at each place, read after its start. */
  readonly processes: Readonly<Record<Place, readonly number[]>>;
}

/** Values by the key of their metric; a value that could not be measured is absent. */
export type Values = Readonly<Record<string, number>>;

/** A measurement of a contestant, and its table. */
export interface Measurement {
  /** The name for `--measure`. */
  readonly name: string;
  readonly title: string;
  readonly metrics: readonly Metric[];
  /** Whether it applies to this contestant. Default: to all but relays. */
  appliesTo?(contestant: Contestant): boolean;
  /** Whether it is taken before the warm-up. Default: after it. */
  readonly isCold?: boolean;
  /** Whether it must not be repeated, since it changes what it measures. */
  readonly isUnique?: boolean;
  /** How often it is taken in a repetition. Default 1. */
  readonly turns?: number;
  /** An estimate for one turn, for the progress line and for `--short`. */
  expectedSeconds(pace: Pace): number;
  /** @throws CommandError if a load program fails */
  run(bench: Bench): Promise<Values>;
}
