import { addressTexts } from '../../bridge/stations/host-text.ts';
import type { Lister } from '../../control/live/listed.ts';
import type { StationEntry } from '../../control/station-entries.ts';
import type { AttachedPort } from '../attached-port.ts';
import { fdbEntry, type SeenEntry } from '../fdb-entry.ts';
import type { Switch } from '../switch.ts';
import { StationTeller } from './station-teller.ts';
import { WallClock } from './wall-clock.ts';

/** The vendors of MAC addresses. */
export interface Vendors {
  /** Reads their table, if it was not read yet. It does not fail. */
  load(): Promise<void>;
  /** @returns null for an unknown one, and before `load` has resolved */
  vendorOf(mac: number): string | null;
}

export const NO_VENDORS: Vendors = { load: () => Promise.resolve(), vendorOf: () => null };

/** The stations of a switch, as `listStation` tells them. */
export class StationList {
  readonly #switch: Switch;
  readonly #vendors: Vendors;
  readonly #clock = new WallClock();

  constructor(owner: Switch, vendors: Vendors) {
    this.#switch = owner;
    this.#vendors = vendors;
  }

  /** With vendors, whose table is read for the first call. @throws EtherwsError NETWORK_NOT_FOUND */
  async list(network?: string): Promise<StationEntry[]> {
    await this.#vendors.load();
    return [...this.each(network)];
  }

  /** @throws EtherwsError NETWORK_NOT_FOUND */
  *each(network?: string): IterableIterator<StationEntry> {
    this.#clock.adjust();
    for (const seen of this.#switch.fdb(network)) {
      yield this.#entryOf(seen, this.#switch.attachedPort(seen.entry.port.number));
    }
  }

  /**
   * The same for one reader, again and again: of all networks, with `seen` in place of `age`. The vendors are null until their
   * table was read.
   */
  open(): Lister {
    void this.#vendors.load();
    return new StationTeller(this.#switch, this.#clock, (mac) => this.#vendors.vendorOf(mac));
  }

  #entryOf(seen: SeenEntry, port: AttachedPort): StationEntry {
    const { mac, host, learnedMs } = seen.entry;
    return {
      ...fdbEntry(seen, port),
      since: learnedMs === 0 ? null : this.#clock.at(learnedMs),
      addresses: addressTexts(host, performance.now()),
      hostname: host?.name ?? null,
      vendor: this.#vendors.vendorOf(mac),
    };
  }
}
