import type { Logger } from './logger.ts';

/** The parts of a switch with separate levels of the log. */
export const LOG_ROOMS = ['daemon', 'services', 'tunnels', 'control', 'ports', 'switch'] as const;
export type LogRoom = (typeof LOG_ROOMS)[number];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger whose level can change. */
interface LevelledLogger extends Logger {
  level: string;
}

/** The loggers of all rooms, and their levels, which may change while the switch runs. */
export class LogRooms {
  readonly #loggers: ReadonlyMap<LogRoom, LevelledLogger>;
  /** Called after a change of levels; its owner sets it. */
  onChange: (() => void) | undefined;

  /** @param make makes the logger of a room */
  constructor(make: (room: LogRoom) => LevelledLogger) {
    this.#loggers = new Map(LOG_ROOMS.map((room) => [room, make(room)]));
  }

  logger(room: LogRoom): Logger {
    return this.#loggers.get(room) as LevelledLogger;
  }

  /** The current levels. */
  levels(): { room: LogRoom; level: LogLevel }[] {
    return [...this.#loggers].map(([room, logger]) => ({ room, level: logger.level as LogLevel }));
  }

  /** @param room undefined: all rooms */
  setLevel(level: LogLevel, room?: LogRoom): void {
    for (const [name, logger] of this.#loggers) {
      if (room === undefined || room === name) logger.level = level;
    }
    this.onChange?.();
  }
}

/** A logger with a logger for each room; it is itself that of `daemon`. */
export interface RoomedLogger extends Logger {
  readonly rooms: LogRooms;
}

/** The logger of a room; for a logger without rooms, that logger. */
export function roomOf(logger: Logger & Partial<RoomedLogger>, room: LogRoom): Logger {
  return logger.rooms?.logger(room) ?? logger;
}
