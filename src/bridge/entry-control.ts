import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { BridgePort } from './bridge-port.ts';
import type { FilteringDatabase } from './fdb.ts';
import type { EntryKind, FilteringEntry, FlushScope } from './filtering-entry.ts';

/** What the bridge does about changes by the operator. */
export interface EntryEvents {
  /** A learned entry was removed before its time. */
  readonly ended: (entry: FilteringEntry) => void;
  /** Frames may go elsewhere now, so that flows end. */
  readonly changed: () => void;
}

/** The operator's access to the filtering database of a bridge (IEEE 802.1Q-2022, 8.8.1 and 12.7). */
export class EntryControl {
  readonly #fdb: FilteringDatabase;
  readonly #events: EntryEvents;

  constructor(fdb: FilteringDatabase, events: EntryEvents) {
    this.#fdb = fdb;
    this.#events = events;
  }

  /**
   * Sets an entry, instead of one with the same VID and address.
   * @param mac no group address
   * @returns it; undefined: there are as many static entries as the capacity allows
   */
  set(vid: Vid, mac: MacAddress, port: BridgePort, kind: EntryKind, nowMs: number): FilteringEntry | undefined {
    const entry = this.#fdb.set(vid, mac, port, kind, nowMs);
    if (entry !== undefined) this.#events.changed();
    return entry;
  }

  /** Replaces the static entries of a port. Those that find no room are left out. The caller ends flows. */
  setStatic(port: BridgePort, wanted: readonly { readonly vid: Vid; readonly mac: MacAddress }[]): void {
    const kept = new Set(wanted.map(({ vid, mac }) => `${vid}/${mac}`));
    this.#fdb.removeStatic(port, ({ vid, mac }) => kept.has(`${vid}/${mac}`));
    for (const { vid, mac } of wanted) {
      const known = this.#fdb.find(vid, mac);
      if (known?.port === port && known.kind === 'static') continue;
      // Static entries have no age, so the time does not matter.
      this.#fdb.set(vid, mac, port, 'static', 0);
    }
  }

  /** The entry of an address, of any kind, also one that has expired. */
  find(vid: Vid, mac: MacAddress): FilteringEntry | undefined {
    return this.#fdb.find(vid, mac);
  }

  /** Removes an entry of any kind. @returns the removed one; undefined: there was none */
  delete(vid: Vid, mac: MacAddress): FilteringEntry | undefined {
    const entry = this.#fdb.delete(vid, mac);
    if (entry !== undefined) this.#events.changed();
    return entry;
  }

  /** Removes the entries that are not static, within a scope. @returns their number */
  flush(scope: FlushScope = {}): number {
    const removed = this.#fdb.flush(scope, this.#events.ended);
    if (removed > 0) this.#events.changed();
    return removed;
  }
}
