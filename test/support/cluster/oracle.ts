import assert from 'node:assert/strict';
import { eventually } from '../etherws.ts';
import type { Station, StationReport } from './station.ts';

const KINDS = ['broadcast', 'multicast', 'unicast'] as const;
export type Kind = (typeof KINDS)[number];

/** How many numbers each station has sent, by its id and incarnation. */
export type Mark = ReadonlyMap<string, number>;

/** Frames of one sender that one receiver has not got. */
export interface Loss {
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
  readonly frames: number;
  /** The longest time without a frame, by the times at which they were sent. */
  readonly longestMs: number;
  /** When the first frame behind the last gap was sent, by `nowMs`; infinite if none came. */
  readonly backMs: number;
}

/** The clock of sent times. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Judges that each frame comes once: duplicates are always a fault, losses only beyond the bound of what a test did. */
export class Oracle {
  /** Changed by a test when a station moves, comes or goes. */
  readonly stations: Station[];

  constructor(stations: readonly Station[]) {
    this.stations = [...stations];
  }

  /** The numbers that were sent until now. */
  async mark(): Promise<Mark> {
    const reports = await this.#reports();
    return new Map([...reports].map(([station, { sent }]) => [nameOf(station), sent]));
  }

  /**
   * Waits until each station hears each other one, by frames of each kind that were sent after the call.
   * @returns the numbers until which all was heard
   */
  async settled(what: string, timeoutMs?: number): Promise<Mark> {
    const asked = await this.mark();
    const missing = async (): Promise<string[]> => {
      const reports = await this.#reports();
      return [...this.#pairs()].flatMap(([from, to, kind]) => {
        const last = rangesOf(reports.get(to), from, kind).at(-1)?.[1] ?? 0;
        return last > (asked.get(nameOf(from)) ?? 0) ? [] : [`${what}: ${kind} ${from.id} → ${to.id}`];
      });
    };
    await eventually(missing, (none) => none.length === 0, timeoutMs);
    await this.noneTwice(what);
    return asked;
  }

  /** Waits as `settled`. @returns the numbers that were sent until then: what comes behind them is not lost without a fault */
  async steady(what: string, timeoutMs?: number): Promise<Mark> {
    await this.settled(what, timeoutMs);
    return this.mark();
  }

  /** What was lost of the numbers behind one mark, which was `steady`, up to another one, which was `settled`. */
  async losses(since: Mark, until: Mark): Promise<Loss[]> {
    const reports = await this.#reports();
    const losses: Loss[] = [];
    for (const [from, to, kind] of this.#pairs()) {
      const [first, last] = [(since.get(nameOf(from)) ?? 0) + 1, until.get(nameOf(from)) ?? 0];
      const ranges = rangesOf(reports.get(to), from, kind);
      let heard = 0;
      for (const [begin, end] of ranges) heard += Math.max(0, Math.min(end, last) - Math.max(begin, first) + 1);
      const frames = Math.max(0, last - first + 1) - heard;
      if (frames > 0) losses.push({ from: from.id, to: to.id, kind, frames, ...gapsOf(ranges, first, last) });
    }
    return losses;
  }

  /** No station has heard a number twice since its start. */
  async noneTwice(what: string): Promise<void> {
    for (const [{ id }, { twice }] of await this.#reports()) assert.deepEqual(twice, [], `${what}: twice at ${id}`);
  }

  /** How many frames came to stations that they were not for, since the stations started. */
  async strays(): Promise<number> {
    let sum = 0;
    for (const { strays } of (await this.#reports()).values()) {
      for (const frames of Object.values(strays)) sum += frames;
    }
    return sum;
  }

  async #reports(): Promise<Map<Station, StationReport>> {
    const reports = await Promise.all(this.stations.map(async (station) => [station, await station.report()] as const));
    return new Map(reports);
  }

  *#pairs(): Iterable<readonly [from: Station, to: Station, kind: Kind]> {
    for (const from of this.stations) {
      for (const to of this.stations) if (from !== to) for (const kind of KINDS) yield [from, to, kind];
    }
  }
}

/** Losses in words, for messages. */
export function describeLosses(losses: readonly Loss[]): string {
  return losses
    .map(({ from, to, kind, frames, longestMs }) => `${kind} ${from} → ${to}: ${frames} in ${Math.round(longestMs)} ms`)
    .join('; ');
}

/** The worst of all losses, in ms: 0 without any. */
export function longestOf(losses: readonly Loss[]): number {
  return Math.max(0, ...losses.map(({ longestMs }) => longestMs));
}

function nameOf({ id, incarnation }: Station): string {
  return `${id}/${incarnation}`;
}

function rangesOf(report: StationReport | undefined, from: Station, kind: Kind): StationReport['heard'][string] {
  return report?.heard[`${from.id}/${kind}/${from.incarnation}`] ?? [];
}

/** The longest gap, and the end of the last one, among the numbers from `first` to `last`. */
function gapsOf(
  ranges: StationReport['heard'][string],
  first: number,
  last: number,
): { longestMs: number; backMs: number } {
  // What was lost before any frame came has no beginning to measure from.
  const isHeardBefore = (ranges[0]?.[0] ?? Number.POSITIVE_INFINITY) <= first;
  let [longestMs, backMs] = isHeardBefore
    ? [0, 0]
    : [Number.POSITIVE_INFINITY, ranges[0]?.[2] ?? Number.POSITIVE_INFINITY];
  for (const [at, range] of ranges.entries()) {
    const next = ranges[at + 1];
    if (next === undefined || next[0] <= first || range[1] >= last) continue;
    longestMs = Math.max(longestMs, next[2] - range[3]);
    backMs = next[2];
  }
  return { longestMs, backMs };
}
