import type { StationEntry } from '../../../../src/control/station-entries.ts';

/** A station as the table of the switch has it: the entry of listStation, with the time `seen` instead of `age`. */
export interface Station extends Omit<StationEntry, 'age'> {
  /** when it was seen last, in the form of ISO 8601 */
  readonly seen?: string;
}

/** The key of a station in the table. */
export function keyOf({ network, vid, mac }: Station): string {
  return `${network}|${vid}|${mac}`;
}

/** The name of its host, else its first address, else its MAC address. */
export function titleOf({ hostname, addresses = [], mac }: Station): string {
  return hostname ?? addresses[0] ?? mac;
}

/** The name of its port, else the number. */
export function portOf({ port, portName }: Station): string {
  return portName ?? String(port);
}

/** Whether its address was made by its host or hypervisor, and so has no vendor. */
export function isLocal({ mac }: Station): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0;
}

/** `lab, VLAN 10`; the network alone without a tag */
export function placeOf({ network, vid }: Station): string {
  return vid === 0 ? network : `${network}, VLAN ${vid}`;
}
