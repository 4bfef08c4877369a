import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { PortNumber } from './bridge-port.ts';
import type { FilteringEntry } from './fdb.ts';

/** Called when an address is learned, moves to another port, or leaves the filtering database. Flows stay possible. */
export interface AddressListener {
  learned(entry: FilteringEntry): void;
  moved(entry: FilteringEntry, from: PortNumber): void;
  /** @param isDisplaced whether it made room for another entry. Not called for the entries of a port that is removed. */
  aged(entry: FilteringEntry, isDisplaced: boolean): void;
}

/** Receives each decision of a bridge, for a debug log. With a trace there are no flows: all frames go through the bridge. */
export interface BridgeTrace {
  /** @param entry `from` is the former port of a station that moved; absent for a new station */
  learned(entry: { vid: Vid; mac: MacAddress; port: PortNumber; from?: PortNumber }): void;
  aged(entry: FilteringEntry): void;
  /** @param length octets of the frame, FCS not counted */
  forwarded(from: PortNumber, to: readonly PortNumber[], length: number): void;
}
