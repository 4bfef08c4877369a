import { LOG_LEVELS, LOG_ROOMS, type LogLevel, type LogRoom } from '../observability/log-rooms.ts';
import { atLeast, objectOf, type Table } from '../schema/table.ts';
import { oneOf } from '../schema/types.ts';
import { type EntryOf, method, noParams } from './entries.ts';

/** The level of one room of the log. */
export const logLevelEntry = atLeast({
  room: oneOf(LOG_ROOMS),
  /** the least level that is logged */
  level: oneOf(LOG_LEVELS),
});
export type LogLevelEntry = EntryOf<typeof logLevelEntry>;

export const SET_LOG_LEVEL = {
  level: { type: oneOf(LOG_LEVELS), required: true, help: 'the least level that is logged' },
  room: { type: oneOf(LOG_ROOMS), help: 'the part of the switch whose level it is', defaultText: 'all' },
} as const satisfies Table;

export const LOG_METHODS = {
  listLogLevel: method('Lists the levels of the log by room.', noParams, logLevelEntry),
  setLogLevel: method('Sets the level of a room of the log, or of all.', objectOf(SET_LOG_LEVEL), logLevelEntry),
} as const;

/** The levels of a log that can change while the switch runs. */
export interface LogLevels {
  levels(): { room: LogRoom; level: LogLevel }[];
  setLevel(level: LogLevel, room?: LogRoom): void;
}
