import { leaseOf } from './announcement-pace.ts';
import { LEASE_MS } from './membership.ts';
import type { NodeAnnouncement } from './node-announcement.ts';

/** How many leases another start of this node's name may be silent before this one takes part again. */
const SILENT_LEASES = 3;
/** The longest time that one tick counts: what this process has slept through is no silence of the other one. */
const MOST_TICK_MS = 1000;

/**
 * Two living nodes have one name: the one whose start has the lower id keeps it, and the other one takes no part until the first
 * has been silent for three leases, or has said that it leaves. Sans-I/O.
 */
export class NameConflict {
  readonly #boot: string;
  #winner: NodeAnnouncement | undefined;
  #silentMs = 0;
  #tickedMs: number | undefined;

  /** @param boot the id of this start */
  constructor(boot: string) {
    this.#boot = boot;
  }

  /** What the node that keeps the name has announced last; undefined: this node has its name. */
  get winner(): NodeAnnouncement | undefined {
    return this.#winner;
  }

  /** Another start of this node's name was heard. @returns whether `winner` is another one, or none, now */
  heard(announcement: NodeAnnouncement): boolean {
    const former = this.#winner?.boot;
    if (announcement.isLeaving === true) {
      if (announcement.boot === former) this.#winner = undefined;
    } else if (announcement.boot < this.#boot && (former === undefined || announcement.boot <= former)) {
      this.#winner = announcement;
      this.#silentMs = 0;
    }
    return this.#winner?.boot !== former;
  }

  /**
   * To be called about four times a second.
   * @param nowMs any monotonic clock
   * @param isListening whether announcements can be heard: without the store there is no silence
   * @returns whether the name has become free
   */
  tick(nowMs: number, isListening: boolean): boolean {
    const passedMs = Math.min(MOST_TICK_MS, Math.max(0, nowMs - (this.#tickedMs ?? nowMs)));
    this.#tickedMs = nowMs;
    if (this.#winner === undefined) return false;
    this.#silentMs = isListening ? this.#silentMs + passedMs : 0;
    if (this.#silentMs < SILENT_LEASES * leaseOf(this.#winner.intervalMs, LEASE_MS)) return false;
    this.#winner = undefined;
    return true;
  }
}
