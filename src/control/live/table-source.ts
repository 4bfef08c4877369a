import { type AllowedNetworks, isVisible } from '../method-reach.ts';
import type { SwitchControl } from '../schema.ts';
import { CatchUp } from './catch-up.ts';
import type { Lister } from './listed.ts';
import type { LiveClock, Slices } from './live-clock.ts';
import { LiveReader, type LiveReaderOptions } from './live-reader.ts';
import { LIVE_TABLES, type LiveTable } from './live-tables.ts';
import { PieceBuilder } from './piece.ts';
import type { TableName } from './table-keys.ts';
import { TableRows } from './table-rows.ts';

export interface TableSourceOptions {
  readonly table: TableName;
  readonly service: SwitchControl;
  /** Only what is in these networks; undefined: all. */
  readonly allowed: AllowedNetworks;
  readonly clock: LiveClock;
  readonly slices: Slices;
  /** Called with an unexpected error of the service. */
  readonly failed: (error: unknown, table: TableName) => void;
  /** Called when the last reader has left and the rest after its work is over: the table is not kept any more. */
  readonly ended: () => void;
}

/** A reader that comes gets the state of the last round, unless that is older. */
const FRESH_MS = 1000;
/** A round is followed by a pause of at least so many times its work. */
const REST_FACTOR = 3;

/**
 * One table for all of its readers. While there are readers it computes the table when the first of them is due, and
 * sends what differs from the former round: one text for all. Readers that come, that have a longer interval, or that
 * read slowly get the changed rows by a `CatchUp`.
 */
export class TableSource {
  readonly #options: TableSourceOptions;
  readonly #table: LiveTable;
  readonly #readers = new Set<LiveReader>();
  #rows: TableRows;
  #lister: Lister | undefined;
  #catchUps: CatchUp[] = [];
  #computedMs = Number.NEGATIVE_INFINITY;
  #notBeforeMs = 0;
  /** The time of the last round in its slices, and the begin of its present slice. */
  #workMs = 0;
  #sliceMs = 0;
  #isRunning = false;
  #wake: (() => void) | undefined;
  #isAwake = false;

  constructor(options: TableSourceOptions) {
    this.#options = options;
    this.#table = LIVE_TABLES[options.table];
    this.#rows = new TableRows(options.table, this.#table.ageing);
  }

  /** Adds a reader, which gets a snapshot and then differences. @returns the function that removes it */
  add(options: LiveReaderOptions): () => void {
    const nowMs = this.#options.clock.now();
    // Readers that come and leave quickly do not make the rest after each round shorter.
    const reader = new LiveReader(options, this.#isFresh(nowMs) ? nowMs : Math.max(nowMs, this.#notBeforeMs));
    this.#readers.add(reader);
    if (this.#isRunning) this.#awake();
    else void this.#run();
    return () => this.#remove(reader);
  }

  #remove(reader: LiveReader): void {
    this.#readers.delete(reader);
    reader.isInStep = false;
    for (const { readers } of this.#catchUps) readers.delete(reader);
    if (this.#readers.size === 0) this.#awake();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    const { clock, failed, table, ended } = this.#options;
    while (this.#readers.size > 0 || clock.now() < this.#notBeforeMs) {
      try {
        await this.#serve();
      } catch (error) {
        failed(error, table);
        for (const reader of this.#readers) reader.schedule(clock.now(), 0);
      }
      await this.#idle();
    }
    this.#isRunning = false;
    this.#rows = new TableRows(this.#options.table, this.#table.ageing);
    this.#lister?.close?.();
    this.#lister = undefined;
    this.#catchUps = [];
    this.#computedMs = Number.NEGATIVE_INFINITY;
    ended();
  }

  #isFresh(nowMs: number): boolean {
    return nowMs - this.#computedMs < FRESH_MS;
  }

  async #serve(): Promise<void> {
    const { clock } = this.#options;
    const startMs = clock.now();
    const due = this.#due(startMs);
    if (due.some(({ version }) => version > 0) || (due.length > 0 && !this.#isFresh(startMs))) {
      await this.#round(due);
    }
    for (const reader of due) reader.schedule(startMs, this.#notBeforeMs);
    this.#begin(due.filter((reader) => this.#readers.has(reader)));
    for (const catchUp of this.#catchUps) await this.#proceed(catchUp);
    this.#catchUps = this.#catchUps.filter(({ isDone, readers }) => !isDone && readers.size > 0);
    this.#forget();
  }

  /** The readers that are due and may read the table. The others are told, and removed. */
  #due(nowMs: number): LiveReader[] {
    const due = [...this.#readers].filter(({ dueMs }) => dueMs <= nowMs);
    return due.filter((reader) => {
      if (reader.mayRead) return true;
      this.#sendTo(reader, new PieceBuilder(this.#options.table).take({ reset: true, done: true, forbidden: true }));
      this.#remove(reader);
      return false;
    });
  }

  /**
   * Computes the table, and sends the difference to the readers that are due and have the state of the last round. It is
   * given up when the last reader leaves.
   */
  async #round(due: readonly LiveReader[]): Promise<void> {
    const { service, allowed, clock, slices, table } = this.#options;
    this.#workMs = 0;
    this.#sliceMs = clock.now();
    const rows = this.#rows;
    const piece = new PieceBuilder(table);
    for (const reader of due) {
      reader.isInStep = reader.version === rows.version && rows.version > 0 && !reader.isBehind;
    }
    const inStep = due.filter((reader) => reader.isInStep);
    let wasSent = false;
    const flush = (done: boolean): void => {
      if (piece.isEmpty && !(done && wasSent)) return;
      wasSent = true;
      this.#send(piece.take({ done }), inStep);
    };
    rows.begin();
    this.#lister ??= this.#listerOf(service);
    for (const listed of this.#lister.each()) {
      if (listed !== undefined && isVisible(listed.entry, allowed)) rows.note(listed, clock.wall(), piece);
      if (piece.isFull) flush(false);
      if (slices.isOver && !(await this.#pause())) return;
    }
    for (const key of rows.sweep()) {
      if (key !== undefined) piece.drop(key);
      if (piece.isFull) flush(false);
      if (slices.isOver && !(await this.#pause())) return;
    }
    flush(true);
    for (const reader of inStep) {
      if (reader.isInStep) reader.version = rows.version;
      reader.isInStep = false;
    }
    this.#computedMs = clock.now();
    this.#endSlice(this.#computedMs);
  }

  #listerOf(service: SwitchControl): Lister {
    const own = this.#table.open(service);
    return service.processes?.table(this.#options.table, own) ?? own;
  }

  #endSlice(nowMs: number): void {
    this.#workMs += nowMs - this.#sliceMs;
    this.#notBeforeMs = nowMs + REST_FACTOR * this.#workMs;
  }

  /** Ends a slice of a round. @returns false if all readers have left: then the rows are those of no round */
  async #pause(): Promise<boolean> {
    const { clock, slices } = this.#options;
    this.#endSlice(clock.now());
    await slices.pause();
    this.#sliceMs = clock.now();
    if (this.#readers.size > 0) return true;
    this.#computedMs = Number.NEGATIVE_INFINITY;
    return false;
  }

  /** Sends a piece of a difference. A reader that is too slow for it is left behind. */
  #send(octets: Buffer, readers: readonly LiveReader[]): void {
    for (const reader of readers) {
      if (!reader.isInStep) continue;
      if (reader.isBlocked) reader.isInStep = false;
      else this.#sendTo(reader, octets);
    }
  }

  #sendTo(reader: LiveReader, octets: Buffer): void {
    reader.send(octets, () => this.#awake());
  }

  /** Begins to bring those readers up to date that are not: one catch-up for all with the same state. */
  #begin(readers: readonly LiveReader[]): void {
    const behind = new Map<number, LiveReader[]>();
    for (const reader of readers) {
      const { version, isBehind } = reader;
      if (!isBehind && version < this.#rows.version) behind.set(version, [...(behind.get(version) ?? []), reader]);
    }
    for (const group of behind.values()) this.#catchUps.push(new CatchUp(this.#options.table, this.#rows, group));
  }

  /** Goes on with a catch-up until it is done, or its reader is too slow. */
  async #proceed(catchUp: CatchUp): Promise<void> {
    const { slices, table } = this.#options;
    while (!catchUp.isDone && catchUp.readers.size > 0) {
      for (const reader of catchUp.readers) {
        if (!reader.isBlocked) continue;
        if (catchUp.readers.size === 1) return;
        catchUp.readers.delete(reader);
        this.#catchUps.push(new CatchUp(table, this.#rows, [reader]));
      }
      const octets = catchUp.step();
      if (octets !== undefined) for (const reader of catchUp.readers) this.#sendTo(reader, octets);
      if (slices.isOver) await slices.pause();
    }
    for (const reader of catchUp.readers) {
      reader.version = catchUp.reached;
      reader.isBehind = false;
    }
  }

  /** Forgets the removed rows that all readers know of. */
  #forget(): void {
    let before = this.#rows.version;
    for (const { version, isBehind } of this.#readers) if (!isBehind && version > 0) before = Math.min(before, version);
    for (const { needs } of this.#catchUps) before = Math.min(before, needs);
    this.#rows.forget(before);
  }

  #awake(): void {
    this.#isAwake = true;
    this.#wake?.();
  }

  /** Waits until a reader is due, comes, or has caught up; without readers, until the rest is over. */
  async #idle(): Promise<void> {
    const { clock } = this.#options;
    if (!this.#isAwake) {
      const dueMs =
        this.#readers.size === 0 ? this.#notBeforeMs : Math.min(...[...this.#readers].map((reader) => reader.dueMs));
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.max(0, dueMs - clock.now()), resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#isAwake = false;
  }
}
