import type { LiveReader } from './live-reader.ts';
import { PieceBuilder } from './piece.ts';
import type { TableName } from './table-keys.ts';
import type { Row, TableRows } from './table-rows.ts';

/**
 * Brings readers with the state of one former round, or of none, up to date, by whole rows. It goes through the live
 * rows and waits where a reader is slow, so what waits is bounded, however large the table is. A row that changes
 * behind it is in the next difference.
 */
export class CatchUp {
  readonly readers: Set<LiveReader>;
  readonly #rows: TableRows;
  readonly #piece: PieceBuilder;
  readonly #since: number;
  readonly #isReset: boolean;
  readonly #version: number;
  readonly #steps: IterableIterator<Row | string>;
  #isFirst = true;
  isDone = false;

  /** @param readers have the state of the same round */
  constructor(table: TableName, rows: TableRows, readers: Iterable<LiveReader>) {
    this.readers = new Set(readers);
    const [{ version = 0 } = {}] = this.readers;
    this.#rows = rows;
    this.#isReset = version === 0 || version < rows.oldest;
    this.#since = this.#isReset ? 0 : version;
    this.#version = rows.version;
    this.#piece = new PieceBuilder(table);
    this.#steps = this.#walk();
    for (const reader of this.readers) reader.isBehind = true;
  }

  /** The earliest round whose removed rows it still needs. */
  get needs(): number {
    return this.#isReset ? this.#version : this.#since;
  }

  /** The round whose state the readers have at the end; 0: keys of removed rows were forgotten meanwhile. */
  get reached(): number {
    return !this.#isReset && this.#since < this.#rows.oldest ? 0 : this.#version;
  }

  /** Takes a small step. @returns a message that is complete */
  step(): Buffer | undefined {
    const { value, done = false } = this.#steps.next();
    if (done) {
      this.isDone = true;
      // A difference without entries is not sent; a snapshot is.
      return this.#isReset || !this.#piece.isEmpty || !this.#isFirst ? this.#take(true) : undefined;
    }
    if (typeof value === 'string') this.#piece.drop(value);
    else if (value.version > this.#since) this.#piece.put(this.#rows.sent(value));
    return this.#piece.isFull ? this.#take(false) : undefined;
  }

  *#walk(): IterableIterator<Row | string> {
    yield* this.#rows.rows();
    if (!this.#isReset) yield* this.#rows.goneSince(this.#since);
  }

  #take(done: boolean): Buffer {
    const reset = this.#isFirst && this.#isReset;
    this.#isFirst = false;
    return this.#piece.take({ reset, done });
  }
}
