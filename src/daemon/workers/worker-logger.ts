import { describeError } from '../../errors.ts';
import { LOG_LEVELS, type LogLevel, type LogRoom, LogRooms, type RoomedLogger } from '../../observability/log-rooms.ts';
import type { Logger } from '../../observability/logger.ts';
import type { FromWorker, WorkerTask } from './worker-messages.ts';

type Send = (record: Extract<FromWorker, { type: 'log' }>) => void;

/** Sends the log of a worker to the first process, which writes it. */
export function workerLogger(send: Send): RoomedLogger & { setLevels(levels: WorkerTask['levels']): void } {
  const rooms = new LogRooms((room) => new RoomLogger(room, send));
  return Object.assign(rooms.logger('daemon'), {
    rooms,
    setLevels: (levels: WorkerTask['levels']): void => {
      for (const { room, level } of levels) rooms.setLevel(level, room);
    },
  });
}

class RoomLogger implements Logger {
  level: LogLevel = 'info';
  readonly #room: LogRoom;
  readonly #send: Send;

  constructor(room: LogRoom, send: Send) {
    this.#room = room;
    this.#send = send;
  }

  isLevelEnabled(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level);
  }

  debug(fields: object, message: string): void {
    this.#log('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#log('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#log('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#log('error', fields, message);
  }

  #log(level: LogLevel, fields: object, message: string): void {
    if (this.isLevelEnabled(level))
      this.#send({ type: 'log', level, room: this.#room, fields: plain(fields), message });
  }
}

/** The fields as JSON has them; errors as the log would write them. */
function plain(fields: object): object {
  const shown = (key: string, value: unknown): unknown => {
    if (!(value instanceof Error)) return value;
    return key === 'err' ? { message: value.message, stack: value.stack } : describeError(value);
  };
  return JSON.parse(JSON.stringify(fields, shown)) as object;
}
