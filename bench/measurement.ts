import type { Contestant, Tunnel } from './contestant.ts';
import type { Lab, Place } from './lab/lab.ts';
import type { Programs } from './programs/programs.ts';

/** One figure of a measurement. */
export interface Metric {
  /** Unique over all measurements; the name in the JSON file. */
  readonly key: string;
  /** A column's heading. */
  readonly title: string;
  readonly unit: string;
  readonly isHigherBetter: boolean;
}

/** How thoroughly a run looks. */
export interface Pace {
  /** How long a flow lasts. A whole number: iperf3 and ping take no other. */
  readonly seconds: number;
  /** How long each rate of small packets is tried. */
  readonly trialSeconds: number;
  readonly isShort: boolean;
}

/** What one measurement may use. */
export interface Bench extends Pace {
  readonly contestant: Contestant;
  readonly lab: Lab;
  readonly tunnel: Tunnel;
  readonly programs: Programs;
  /** The contestant's processes at each place, as they were once it ran. */
  readonly processes: Readonly<Record<Place, readonly number[]>>;
}

/** Values by the metric's key; one that could not be had is left out. */
export type Values = Readonly<Record<string, number>>;

/** One thing that is measured of a contestant, and the table that shows it. */
export interface Measurement {
  /** What `--measure` calls it. */
  readonly name: string;
  readonly title: string;
  readonly metrics: readonly Metric[];
  /** Whether it makes sense for this contestant; by default for every one but relays. */
  appliesTo?(contestant: Contestant): boolean;
  /** Reads what only a fresh start can show, so it comes before the warm-up; by default after it. */
  readonly isCold?: boolean;
  /** Changes what it measures, so that a second time would show something else. */
  readonly isUnique?: boolean;
  /** How often it is taken in a repetition: what is quickly done and says much, more often; default once. */
  readonly turns?: number;
  /** Roughly and of one turn, for the progress line and for `--short`. */
  expectedSeconds(pace: Pace): number;
  /** @throws CommandError when a load program failed */
  run(bench: Bench): Promise<Values>;
}
