import type { LiveEntry } from './table-keys.ts';

/** An entry as a list tells it, again and again. */
export interface Listed {
  /** Another object if anything in it has changed. */
  readonly entry: LiveEntry;
  /** For the reader of the list: what it has noted about the entry. A list that makes all anew has undefined. */
  note: object | undefined;
}

/** A list for one reader. */
export interface Lister {
  /**
   * All entries. The reader may pause between two of them, and the switch change meanwhile; then an entry may come twice.
   * undefined is a place to pause before an entry that takes long.
   */
  each(): Iterable<Listed | undefined>;
  /** To be called when it is not read any more. */
  close?(): void;
}

/** A list whose entries are new objects each time. */
export function listerOf(entries: () => Iterable<object | undefined>): Lister {
  return {
    *each() {
      for (const entry of entries()) yield entry && { entry: entry as LiveEntry, note: undefined };
    },
  };
}

/** The times of ageing are sent again if they are off by more than this, and by a second more for each so many entries. */
const LEAST_DRIFT_MS = 2000;
const ENTRIES_PER_SECOND = 2000;

/** By how much a sent time of a table with so many entries may be off. */
export function driftMs(entries: number): number {
  return LEAST_DRIFT_MS + (entries / ENTRIES_PER_SECOND) * 1000;
}
