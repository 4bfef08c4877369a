import { atLeast, objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { anyText, integer, listOf, oneOf, wholeNumber } from '../schema/types.ts';
import { type EntryOf, method } from './entries.ts';
import { TABLE_NAMES } from './live/table-keys.ts';

/** The methods that send tables and their differences by WebSocket. */

const MOST_INTERVAL_S = 60;

export const OBSERVE = {
  tables: {
    type: listOf(oneOf(TABLE_NAMES), TABLE_NAMES.length),
    help: `the tables: ${TABLE_NAMES.join(', ')}`,
    required: true,
  },
  interval: {
    type: wholeNumber(1, MOST_INTERVAL_S),
    help: 'time from one difference to the next',
    unit: 'seconds',
    default: 1,
  },
} as const satisfies Table;

export type ObserveParams = ValuesOf<typeof OBSERVE>;

/** What a WebSocket observes. */
export const observationEntry = atLeast({
  tables: listOf(anyText),
  /** asked for, but the user may not call the methods that list them */
  refused: listOf(anyText),
  /** seconds */
  interval: integer(1),
});
export type ObservationEntry = EntryOf<typeof observationEntry>;

/** The end of an observation. */
export const endedObservationEntry = atLeast({
  /** the tables that were observed */
  tables: listOf(anyText),
});
export type EndedObservationEntry = EntryOf<typeof endedObservationEntry>;

export const OBSERVE_METHODS = {
  observe: method('Sends tables and their differences, by WebSocket only.', objectOf(OBSERVE), observationEntry),
  unobserve: method('Ends the observation of this WebSocket.', objectOf({}), endedObservationEntry),
} as const;
