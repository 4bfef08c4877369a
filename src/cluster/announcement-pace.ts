/** How many deliveries of announcements a second the store makes at most, whatever the number of nodes. */
const DELIVERIES_PER_SECOND = 100_000;
/** Up to so many nodes all answer a node that joins at once. */
const MOST_PROMPT = 32;
const SECOND_MS = 1000;

/** How many times its interval a node may be silent before its lease ends. */
const LEASE_INTERVALS = 3;
/** A longer one is not believed. */
const MOST_INTERVAL_MS = 600_000;

/**
 * The time between two announcements of a node, in milliseconds. Each of n nodes hears each other one, so the deliveries grow
 * with n²: from 316 nodes on the interval grows instead. Mesh tunnels notice a dead node at once, so that this costs little.
 * @param nodes how many nodes are known, this one included
 */
export function announcementIntervalMs(nodes: number): number {
  return Math.max(1, Math.ceil(nodes ** 2 / DELIVERIES_PER_SECOND)) * SECOND_MS;
}

/**
 * How long a node waits before it announces itself to one that has joined. Many nodes spread their answers, so that a start of
 * all of them is not the square of their number.
 * @param random 0 to 1
 */
export function answerDelayMs(nodes: number, random: number): number {
  return nodes <= MOST_PROMPT ? 0 : random * announcementIntervalMs(nodes);
}

/** The lease of a node that has told its interval. @param leastMs of a node that announces itself more often, or has told none */
export function leaseOf(intervalMs: unknown, leastMs: number): number {
  const isSound = typeof intervalMs === 'number' && intervalMs > 0 && intervalMs <= MOST_INTERVAL_MS;
  return isSound ? Math.max(leastMs, LEASE_INTERVALS * intervalMs) : leastMs;
}
