import type { StationStore } from './mesh-station.ts';

/** So often a digest is sent that follows no change, and a node that cannot hold all is asked again. */
export const DIGEST_EVERY_MS = 60_000;

/** What the exchange of stations needs of its surroundings. */
export interface ExchangeParts {
  readonly store: StationStore;
  /** The name of this node. */
  readonly self: () => string;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  /** Sends a message to a node. @returns false: it is lost */
  readonly send: (node: string, kind: number, payload: Uint8Array) => boolean;
  /** Asks for a call of `tick` by this time. */
  readonly wakeBy: (atMs: number) => void;
}
