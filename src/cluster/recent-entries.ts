import type { TableEntry } from './cluster-store.ts';

/** Removed keys that are remembered with their revision. Older news of a key comes late by messages, not by thousands of changes. */
const MOST_REMOVED = 4096;

/** The newest entry of each key. Of removed keys the last ones are kept, so that keys that come and go need no memory for ever. */
export class RecentEntries {
  readonly #entries = new Map<string, TableEntry>();
  /** in the order of their removal */
  readonly #removed = new Set<string>();

  /** A removed key has its entry too, without a value, as long as it is remembered. */
  get(key: string): TableEntry | undefined {
    return this.#entries.get(key);
  }

  set(entry: TableEntry): void {
    const { key, value } = entry;
    this.#entries.set(key, entry);
    this.#removed.delete(key);
    if (value !== undefined) return;
    this.#removed.add(key);
    if (this.#removed.size <= MOST_REMOVED) return;
    for (const oldest of this.#removed) {
      this.#removed.delete(oldest);
      this.#entries.delete(oldest);
      break;
    }
  }

  values(): Iterable<TableEntry> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }
}
