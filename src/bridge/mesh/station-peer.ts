import type { MeshStation } from './mesh-station.ts';
import { StationSums } from './station-sums.ts';

/** What was asked for is asked for again after this time without an answer. */
const ASK_AGAIN_MS = 1000;
/** The same while an answer arrives. */
const ANSWER_MS = 10_000;
/** A repair that has not helped is tried again after this time, then after twice as much, up to a minute. */
const FIRST_REPAIR_MS = 1000;
const LAST_REPAIR_MS = 60_000;

/** Another node, as the exchange of stations knows it while the tunnel to it is up. */
export class StationPeer {
  readonly node: string;
  /** The stations that it has told and that are known here. */
  readonly sums: StationSums = new StationSums();
  /** While all of its stations arrive: those that have not come yet. */
  stale: Set<MeshStation> | undefined;
  /** Some of its stations were displaced here, so its digest differs. */
  isCut = false;
  /** A station of an isolated port of its is known elsewhere; its frames may be on their way until a digest agrees. */
  isInDoubt = false;
  /** Own stations that it has asked for and that it is still to get, and how many it has got. */
  wanted: { readonly stations: readonly MeshStation[]; at: number } | undefined;
  /** A message to it was lost, so it is to get all again at this time; Infinity: none was. */
  resendMs: number = Number.POSITIVE_INFINITY;
  /** When it is to be asked for all of its stations; Infinity: not. */
  askMs: number;
  /** When all of its stations had come last. */
  wholeMs: number = Number.NEGATIVE_INFINITY;
  /** Own stations whose announcement to it was lost, until it gets all again. */
  untold: WeakSet<MeshStation> = new WeakSet();
  #repairMs = FIRST_REPAIR_MS;
  #answeredMs = 0;

  constructor(node: string, nowMs: number) {
    this.node = node;
    this.askMs = nowMs;
  }

  /** Whether it is to be asked, or is to get something again. */
  get isOpen(): boolean {
    const { wanted, askMs, resendMs } = this;
    return wanted !== undefined || askMs !== Number.POSITIVE_INFINITY || resendMs !== Number.POSITIVE_INFINITY;
  }

  asked(nowMs: number): void {
    this.askMs = nowMs + ASK_AGAIN_MS;
  }

  /** Whether all stations that it has announced are known here. */
  get isKnown(): boolean {
    return this.askMs === Number.POSITIVE_INFINITY && !this.isCut && !this.isInDoubt;
  }

  answers(nowMs: number): void {
    this.#answeredMs = nowMs;
    if (this.askMs !== Number.POSITIVE_INFINITY) this.askMs = nowMs + ANSWER_MS;
  }

  /** Whether all of its stations are on their way. */
  isAnswering(nowMs: number): boolean {
    return this.stale !== undefined && nowMs - this.#answeredMs < ANSWER_MS;
  }

  /** It has lost a message. */
  lost(nowMs: number): void {
    this.resendMs = Math.min(this.resendMs, nowMs + FIRST_REPAIR_MS);
  }

  /** All is here that it has announced. */
  agreed(): void {
    this.askMs = Number.POSITIVE_INFINITY;
    this.#repairMs = FIRST_REPAIR_MS;
  }

  /** Something is missing, or is too much. @param isAnswer after all of its stations were asked for */
  differs(isAnswer: boolean, nowMs: number): void {
    if (isAnswer) {
      this.askMs = nowMs + this.#repairMs;
      this.#repairMs = Math.min(LAST_REPAIR_MS, 2 * this.#repairMs);
    } else if (this.askMs === Number.POSITIVE_INFINITY) this.askMs = nowMs;
  }
}
