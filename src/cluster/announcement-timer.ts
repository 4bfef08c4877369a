import { announcementIntervalMs, answerDelayMs } from './announcement-pace.ts';

/** The shortest time between two announcements, whatever changes. */
const LEAST_INTERVAL_MS = 200;

export interface AnnouncementTimerOptions {
  /** how many nodes are known, this one included */
  readonly nodes: () => number;
  /** whether this node takes part in the cluster: else it announces nothing */
  readonly isMember: () => boolean;
  readonly announce: () => void;
}

/**
 * When a node announces itself: once an interval, at each change, and to nodes that join. Each announcement goes to all nodes, so
 * changes within 200 ms go together, and many nodes spread their answers to one that joins.
 */
export class AnnouncementTimer {
  readonly #options: AnnouncementTimerOptions;
  #announcedMs = Number.NEGATIVE_INFINITY;
  /** An announcement is due by this time, before its interval has passed. */
  #byMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AnnouncementTimerOptions) {
    this.#options = options;
  }

  /** The time to the next announcement if nothing changes. */
  get intervalMs(): number {
    return announcementIntervalMs(this.#options.nodes());
  }

  /** Something of this node has changed. */
  changed(): void {
    if (!this.#options.isMember()) return;
    const nowMs = performance.now();
    // One with what changes meanwhile.
    const waitMs = this.#announcedMs + LEAST_INTERVAL_MS - nowMs;
    if (waitMs > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.changed();
      }, waitMs + 1);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#announcedMs = nowMs;
    this.#byMs = Number.POSITIVE_INFINITY;
    this.#options.announce();
  }

  /** Something has changed that the others must know before anything else happens. */
  changedUrgently(): void {
    this.#announcedMs = Number.NEGATIVE_INFINITY;
    this.changed();
  }

  /** Something has happened that many nodes see at the same time, such as a node that joins. */
  answer(): void {
    const delayMs = answerDelayMs(this.#options.nodes(), Math.random());
    if (delayMs === 0) this.changed();
    else this.#byMs = Math.min(this.#byMs, performance.now() + delayMs);
  }

  /** Announces this node if that is due. To be called about four times a second. @param nowMs `performance.now()` */
  tick(nowMs: number): void {
    if (nowMs >= Math.min(this.#byMs, this.#announcedMs + this.intervalMs)) this.changed();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
