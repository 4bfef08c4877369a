import { type Signal, signal } from '@preact/signals';
import type { Observed } from '../../../src/control/live/observed-table.ts';
import { type LiveEntry as Entry, keyOf, type TableName } from '../../../src/control/live/table-keys.ts';

/**
 * A table of the switch, kept up to date by snapshots and differences. Entries are never changed in place, so a part of the
 * page may compare them by identity.
 */
export class ObservedTable<E = Entry> {
  /** whether the first snapshot is complete */
  readonly isComplete: Signal<boolean> = signal(false);
  /** counts the changes; reading its value makes a component follow the table */
  readonly version: Signal<number> = signal(0);
  /** whether the policy does not let the user see the table */
  readonly isForbidden: Signal<boolean> = signal(false);
  readonly #name: TableName;
  #rows = new Map<string, Entry>();
  /** A snapshot behind the first one, until it is complete: so the page does not go empty. */
  #next: Map<string, Entry> | undefined;

  constructor(name: TableName) {
    this.#name = name;
  }

  get rows(): ReadonlyMap<string, E> {
    return this.#rows as unknown as ReadonlyMap<string, E>;
  }

  /** Applies one notification. `version` stays: the caller raises it once for several. */
  apply({ reset, put = [], change = [], drop = [], done, forbidden }: Observed): void {
    if (reset === true) {
      this.isForbidden.value = forbidden === true;
      if (this.isComplete.peek()) this.#next = new Map();
      else this.#rows.clear();
    }
    const rows = this.#next ?? this.#rows;
    for (const entry of put) rows.set(keyOf(this.#name, entry), entry);
    for (const [key, changed] of change) {
      const before = rows.get(key);
      if (before !== undefined) rows.set(key, { ...before, ...changed });
    }
    for (const key of drop) rows.delete(key);
    if (done !== true) return;
    this.#rows = rows;
    this.#next = undefined;
    this.isComplete.value = true;
  }
}
