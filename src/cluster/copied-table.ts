import type { ClusterTable, TableChange, TableEntry } from './cluster-store.ts';
import type { TableCopy } from './table-copy.ts';

/** A table whose reads answer from a copy in memory; how it is changed, and how the copy is kept, is the store's. */
export abstract class CopiedTable implements ClusterTable {
  protected readonly copy: TableCopy;

  constructor(copy: TableCopy) {
    this.copy = copy;
  }

  get isLoaded(): boolean {
    return this.copy.isLoaded;
  }

  whenLoaded(): Promise<void> {
    return this.copy.whenLoaded();
  }

  get(key: string): TableEntry | undefined {
    return this.copy.get(key);
  }

  entries(): Iterable<TableEntry> {
    return this.copy.entries();
  }

  watch(listener: (entry: TableEntry) => void): () => void {
    return this.copy.watch(listener);
  }

  abstract put(key: string, value: unknown, change?: TableChange): Promise<number>;
  abstract remove(key: string, change?: TableChange): Promise<void>;
  abstract history(key: string): Promise<readonly TableEntry[]>;
}
