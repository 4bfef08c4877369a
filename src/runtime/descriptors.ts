import { closeSync, openSync } from 'node:fs';
import { descriptorLimit } from './descriptor-limit.ts';

const WARNING_INTERVAL_MS = 60_000;

/** What a descriptor is used for. */
export type DescriptorUse = 'tunnel' | 'pending' | 'control';

/**
 * The number of descriptors that each use leaves to others. Tunnels leave some to pending connections, these to the
 * control API, and that to files that are read again and to devices.
 */
const RESERVED: Readonly<Record<DescriptorUse, number>> = { tunnel: 32, pending: 16, control: 4 };

/**
 * The budget of file descriptors (RLIMIT_NOFILE). Without a free descriptor
 * connections can be neither accepted nor refused, so tunnels must leave some to
 * the control API.
 */
export class Descriptors {
  readonly limit: number;
  readonly #lowestFree: () => number;
  #warnedMs = Number.NEGATIVE_INFINITY;

  /** @param lowestFree returns the lowest free descriptor, Infinity without one */
  constructor(
    limit: number = descriptorLimit() ?? Number.POSITIVE_INFINITY,
    lowestFree: () => number = findLowestFree,
  ) {
    this.limit = limit;
    this.#lowestFree = lowestFree;
  }

  /** The descriptors in use below the lowest free one: all of them, unless some were closed since. */
  get used(): number {
    return Math.min(this.#lowestFree(), this.limit);
  }

  /** Whether a descriptor is free for this use. */
  hasRoomFor(use: DescriptorUse): boolean {
    // open(2) returns the lowest free descriptor, so all below it are in use.
    return this.#lowestFree() < this.limit - RESERVED[use];
  }

  /** Whether a warning is due; true once a minute at most. */
  takeMayWarn(nowMs: number = performance.now()): boolean {
    if (nowMs - this.#warnedMs < WARNING_INTERVAL_MS) return false;
    this.#warnedMs = nowMs;
    return true;
  }
}

function findLowestFree(): number {
  try {
    const descriptor = openSync('/dev/null', 'r');
    closeSync(descriptor);
    return descriptor;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
