import type { BridgePort } from '../bridge/bridge-port.ts';
import type { VlanEntry } from '../control/vlan-entries.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import type { Network } from './network.ts';

/**
 * The VLANs in use in a network, in ascending order: those that a port has as its PVID, those that a list of VIDs names
 * unless it is the list of all, and those with addresses. 0 is that of frames without a VID at transparent ports.
 */
export function vlanEntries({ bridge, name }: Network, nowMs: number): VlanEntry[] {
  const ports = [...bridge.ports.values()];
  const addresses = new Map<Vid, number>();
  for (const vid of namedVids(ports)) addresses.set(vid, 0);
  for (const { vid } of bridge.fdbEntries(nowMs)) addresses.set(vid, (addresses.get(vid) ?? 0) + 1);
  return [...addresses]
    .sort(([one], [other]) => one - other)
    .map(([vid, count]) => ({ network: name, vid, ...membersOf(ports, vid), addresses: count }));
}

/**
 * The same, but the network may change meanwhile; a VLAN may come twice.
 * @returns undefined at places to pause
 */
export function* eachVlan({ bridge, name }: Network, now: () => number): IterableIterator<VlanEntry | undefined> {
  const addresses = new Map<Vid, number>();
  for (const { vid } of bridge.scanFdb(now)) {
    addresses.set(vid, (addresses.get(vid) ?? 0) + 1);
    yield undefined;
  }
  const ports = [...bridge.ports.values()];
  for (const vid of namedVids(ports)) if (!addresses.has(vid)) addresses.set(vid, 0);
  for (const [vid, count] of addresses) {
    yield { network: name, vid, ...membersOf(ports, vid), addresses: count };
  }
}

function namedVids(ports: readonly BridgePort[]): Set<Vid> {
  const vids = new Set<Vid>();
  for (const { vlans } of ports) {
    if (vlans === undefined) vids.add(UNTAGGED);
    else {
      if (vlans.mode !== 'trunk') vids.add(vlans.pvid);
      if (vlans.mode !== 'access' && vlans.vlans.size < VidSet.ALL.size) for (const vid of vlans.vlans) vids.add(vid);
    }
  }
  return vids;
}

function membersOf(ports: readonly BridgePort[], vid: Vid): { tagged: number[]; untagged: number[] } {
  const members = { tagged: [] as number[], untagged: [] as number[] };
  for (const { number, vlans } of ports) {
    const isUntagged = vlans === undefined ? vid === UNTAGGED : vlans.isUntagged(vid);
    if (isUntagged) members.untagged.push(number);
    else if (vlans === undefined || vlans.isMember(vid)) members.tagged.push(number);
  }
  return members;
}
