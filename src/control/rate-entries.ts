import { atLeast, objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { integer, listOf } from '../schema/types.ts';
import { type EntryOf, method } from './entries.ts';

/** The method about the rates of ports in the last minute, and its result. */

/** Limit of the ports of a call, so that its answer is made within a turn of the event loop. */
export const MOST_RATE_PORTS = 256;

export const LIST_RATE = {
  ports: {
    type: listOf(integer(1), MOST_RATE_PORTS),
    required: true,
    help: 'the numbers of the ports; those that are gone are left out',
  },
} as const satisfies Table;

export type RateSpec = ValuesOf<typeof LIST_RATE>;

/** The bit rates of a port, one a second, the oldest first. */
export const rateEntry = atLeast({
  port: integer(1),
  /** bit/s; as many as the port has been there for, at most 60 */
  rxBitRates: listOf(integer(0)),
  txBitRates: listOf(integer(0)),
});
export type RateEntry = EntryOf<typeof rateEntry>;

export const RATE_METHODS = {
  listRate: method('Lists the bit rates of ports in the last minute.', objectOf(LIST_RATE), rateEntry),
} as const;
