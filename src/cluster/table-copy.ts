import type { TableEntry } from './cluster-store.ts';
import { RecentEntries } from './recent-entries.ts';

/** A node's copy of a table, which keeps the newest revision of each key, and tells watchers of changes. */
export class TableCopy {
  readonly #entries = new RecentEntries();
  readonly #watchers = new Set<(entry: TableEntry) => void>();
  #isLoaded = false;
  /** until the next `removeOthers` */
  #isAnew = false;
  #announceLoaded: () => void = () => {};
  readonly #loaded = new Promise<void>((resolve) => {
    this.#announceLoaded = resolve;
  });

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  whenLoaded(): Promise<void> {
    return this.#loaded;
  }

  setLoaded(): void {
    this.#isLoaded = true;
    this.#announceLoaded();
  }

  get(key: string): TableEntry | undefined {
    const entry = this.#entries.get(key);
    return entry?.value === undefined ? undefined : entry;
  }

  *entries(): Iterable<TableEntry> {
    for (const entry of this.#entries.values()) if (entry.value !== undefined) yield entry;
  }

  watch(listener: (entry: TableEntry) => void): () => void {
    for (const entry of [...this.entries()]) listener(entry);
    // one of its own, so that a function may watch twice
    const watcher = (entry: TableEntry): void => listener(entry);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Older revisions than that of the copy change nothing, so entries may come twice and in any order. */
  apply(entry: TableEntry): void {
    const former = this.#entries.get(entry.key);
    if (former !== undefined && former.revision >= entry.revision) return;
    if (former?.value === undefined && entry.value === undefined) this.#entries.set(entry);
    else this.set(entry);
  }

  /**
   * To be called before a table is read that is another one than that of the copy, whose revisions begin anew: whatever comes
   * applies. The values stay until then.
   */
  beginAnew(): void {
    this.#isAnew = true;
    for (const entry of [...this.#entries.values()]) this.#entries.set({ ...entry, revision: 0 });
  }

  /**
   * Removes the keys that are not in a table that was read as a whole.
   * @param isKnown whether the table has the key
   * @param revision of the table when the reading began; entries with a higher one came meanwhile, and stay
   */
  removeOthers(isKnown: (key: string) => boolean, revision: number): void {
    const lost = this.#isAnew ? { isLost: true as const } : {};
    this.#isAnew = false;
    for (const { key, revision: own } of [...this.entries()]) {
      if (isKnown(key) || own > revision) continue;
      this.set({ key, value: undefined, revision, ...lost });
    }
  }

  /** Applies an entry whatever its revision is, as one that follows another copy, which has checked that. */
  set(entry: TableEntry): void {
    this.#entries.set(entry);
    for (const watcher of [...this.#watchers]) watcher(entry);
  }
}
