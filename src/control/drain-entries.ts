import { atLeast, objectOf, type Table } from '../schema/table.ts';
import { flag, integer } from '../schema/types.ts';
import { type EntryOf, method } from './entries.ts';

/** The method that hands the clients of a node over to the others. */

export const DRAIN = {
  off: { type: flag, flag: '--off', help: 'take clients again', default: false },
} as const satisfies Table;

export const drainEntry = atLeast({
  /** whether the node takes no more clients */
  draining: flag,
  /** how many clients it has still */
  tunnels: integer(0),
});
export type DrainEntry = EntryOf<typeof drainEntry>;

export const DRAIN_METHODS = {
  drain: method('Hands the clients of this node over to other nodes.', objectOf(DRAIN), drainEntry),
} as const;

/** What the method commands. */
export interface DrainControl {
  /** Resolves when the other nodes are told. @throws EtherwsError REQUEST_REFUSED if no other node takes clients */
  drain(): Promise<DrainEntry>;
  /** Resolves when the other nodes are told. */
  end(): Promise<DrainEntry>;
}
