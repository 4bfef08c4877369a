/** Where the pieces for a reader wait if it reads slowly. */
export interface LiveSink {
  /** octets that wait to be sent */
  readonly waitingBytes: number;
  /** @param done called when they were handed to the system, or never will be */
  send(octets: Buffer, done: () => void): void;
}

/** A reader of one table. */
export interface LiveReaderOptions {
  readonly sink: LiveSink;
  readonly intervalMs: number;
  /** whether the policy lets it read the table; asked before each snapshot and difference */
  mayRead(): boolean;
}

/** A reader with more octets waiting gets no further pieces until half of them are gone. */
export const MOST_WAITING_BYTES = 512 * 1024;

/** A reader of one table, and which state of it the reader has. */
export class LiveReader {
  readonly #options: LiveReaderOptions;
  /** The round whose state it has; 0: none. */
  version = 0;
  dueMs: number;
  /** Whether a round streams its difference to it. */
  isInStep = false;
  /** Whether it gets rows by a catch-up of its own. */
  isBehind = false;

  constructor(options: LiveReaderOptions, nowMs: number) {
    this.#options = options;
    this.dueMs = nowMs;
  }

  get mayRead(): boolean {
    return this.#options.mayRead();
  }

  get isBlocked(): boolean {
    return this.#options.sink.waitingBytes > MOST_WAITING_BYTES;
  }

  /** @param drained called when the reader, which was too slow, can take more */
  send(octets: Buffer, drained: () => void): void {
    const { sink } = this.#options;
    sink.send(octets, () => {
      if (this.isBehind && sink.waitingBytes <= MOST_WAITING_BYTES / 2) drained();
    });
  }

  /** The readers with one interval are due at the same times, so that they share their texts. */
  schedule(nowMs: number, notBeforeMs: number): void {
    const { intervalMs } = this.#options;
    this.dueMs = Math.max((Math.floor(nowMs / intervalMs) + 1) * intervalMs, notBeforeMs);
  }
}
