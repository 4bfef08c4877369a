import { batch, type Signal, signal } from '@preact/signals';
import type { Observed } from '../../../src/control/live/observed-table.ts';
import type { TableName } from '../../../src/control/live/table-keys.ts';
import type { Connection } from './connection.ts';
import { ObservedTable } from './observed-table.ts';

/** The result of `observe`. */
interface Observation {
  /** the tables that the user may not see */
  readonly refused?: readonly TableName[];
}

/**
 * The tables that the page follows by `observe`. Notifications are applied once an animation frame; of a hidden page, which
 * has none, at once.
 */
export class Store {
  /** a sentence if the switch refuses to be observed, else null */
  readonly failure: Signal<string | null> = signal(null);
  readonly #connection: Connection;
  readonly #tables = new Map<TableName, ObservedTable<never>>();
  readonly #wanted = new Map<TableName, number>();
  readonly #intervalS: number;
  #pending: Observed[] = [];
  #observed = '';
  #isFrameAsked = false;
  #isObserveAsked = false;

  constructor(connection: Connection, intervalS = 1) {
    this.#connection = connection;
    this.#intervalS = intervalS;
    connection.listen(({ method, params }) => {
      if (method === 'etherws.control.observed') this.#received(params as unknown as Observed);
    });
    connection.whenOpen(() => {
      this.#observed = '';
      this.#observeSoon();
    });
  }

  /** The table, which is kept up to date while it is wanted: see `want`. */
  table<E>(name: TableName): ObservedTable<E> {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new ObservedTable<never>(name);
      this.#tables.set(name, table);
    }
    return table as unknown as ObservedTable<E>;
  }

  /** Keeps the tables up to date until the returned function is called. */
  want(names: readonly TableName[]): () => void {
    for (const name of names) this.#wanted.set(name, (this.#wanted.get(name) ?? 0) + 1);
    this.#observeSoon();
    return () => {
      for (const name of names) this.#wanted.set(name, (this.#wanted.get(name) ?? 1) - 1);
      this.#observeSoon();
    };
  }

  /** One call for all that want or release tables in the same turn, such as two views when the page changes between them. */
  #observeSoon(): void {
    if (this.#isObserveAsked) return;
    this.#isObserveAsked = true;
    setTimeout(() => {
      this.#isObserveAsked = false;
      this.#observe();
    });
  }

  #observe(): void {
    const tables = [...this.#wanted].flatMap(([name, count]) => (count > 0 ? [name] : [])).sort();
    if (this.#connection.state.peek() !== 'open' || tables.join() === this.#observed) return;
    this.#observed = tables.join();
    if (tables.length === 0) {
      // A connection that is lost meanwhile observes nothing anyway.
      this.#connection.call('unobserve').catch(() => undefined);
      return;
    }
    this.#connection.call<Observation>('observe', { tables, interval: this.#intervalS }).then(
      ([{ refused = [] } = {}]) => {
        this.failure.value = null;
        for (const name of refused) this.table(name).isForbidden.value = true;
      },
      (error: Error) => {
        this.failure.value = error.message;
      },
    );
  }

  #received(observed: Observed): void {
    this.#pending.push(observed);
    if (document.hidden) this.#apply();
    else if (!this.#isFrameAsked) {
      this.#isFrameAsked = true;
      requestAnimationFrame(() => {
        this.#isFrameAsked = false;
        this.#apply();
      });
    }
  }

  #apply(): void {
    const pending = this.#pending;
    this.#pending = [];
    batch(() => {
      for (const observed of pending) {
        const table = this.table(observed.table);
        table.apply(observed);
        table.version.value++;
      }
    });
  }
}
