import { closeSync, openSync } from 'node:fs';
import { descriptorLimit } from './descriptor-limit.ts';

/** Descriptors that tunnels may not have: for the control API, for files that are read again, and for devices. */
const RESERVED = 32;
/** Those of them that connections which are no tunnels yet may have. */
const RESERVED_FOR_CONTROL = 16;
/** Those that the control API leaves to the rest of the process. */
const RESERVED_FOR_PROCESS = 4;
/** Between two lines of the log about the same. */
const WARN_AGAIN_MS = 60_000;

/** What a descriptor is for. Each use may take what the uses before it may, and some more. */
export type DescriptorUse = 'tunnel' | 'pending' | 'control';

const KEPT: Readonly<Record<DescriptorUse, number>> = {
  tunnel: RESERVED,
  pending: RESERVED_FOR_CONTROL,
  control: RESERVED_FOR_PROCESS,
};

/**
 * How near the process is to its limit of open files (RLIMIT_NOFILE). Where
 * descriptors are used up, connections can be neither accepted nor refused; so
 * tunnels have to leave some to the control API.
 */
export class Descriptors {
  readonly limit: number;
  readonly #lowestFree: () => number;
  #warnedMs = Number.NEGATIVE_INFINITY;

  /** @param lowestFree finds the lowest number that is free, Infinity when none is */
  constructor(
    limit: number = descriptorLimit() ?? Number.POSITIVE_INFINITY,
    lowestFree: () => number = findLowestFree,
  ) {
    this.limit = limit;
    this.#lowestFree = lowestFree;
  }

  /** Whether there is a descriptor left for this use. */
  hasRoomFor(use: DescriptorUse): boolean {
    // open(2) gives the lowest number that is free: all below it are taken.
    return this.#lowestFree() < this.limit - KEPT[use];
  }

  /** Whether it is time to say that descriptors are used up: once a minute at most. */
  takeMayWarn(nowMs: number = performance.now()): boolean {
    if (nowMs - this.#warnedMs < WARN_AGAIN_MS) return false;
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
