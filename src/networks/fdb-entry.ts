import type { FilteringEntry } from '../bridge/fdb.ts';
import type { FdbEntry } from '../control/schema.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';
import type { AttachedPort } from './attached-port.ts';

/** A filtering entry, the time since its address was seen, and whether that moves to and fro. */
export interface SeenEntry {
  readonly entry: FilteringEntry;
  readonly ageMs: number;
  readonly isFlapping: boolean;
}

/** The entry of an address in `listFdb`. */
export function fdbEntry({ entry, ageMs, isFlapping }: SeenEntry, { name, network }: AttachedPort): FdbEntry {
  const { vid, mac, port, kind, moves } = entry;
  return {
    vid,
    mac: formatMacAddress(mac),
    port: port.number,
    age: Math.floor(ageMs / 1000),
    moves: moves?.total ?? 0,
    movedFrom: moves?.from ?? null,
    flapping: isFlapping,
    portName: name ?? null,
    network: network.name,
    kind,
  };
}
