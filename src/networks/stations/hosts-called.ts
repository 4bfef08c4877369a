import { isIP } from 'node:net';
import type { Bridge } from '../../bridge/bridge.ts';
import type { FilteringEntry } from '../../bridge/filtering-entry.ts';
import { addressTexts } from '../../bridge/stations/host-text.ts';
import { parseHostAddress } from '../../wire/ethernet/ip-address.ts';

/** Limit of the stations with one address or name: of proxies, of duplicate addresses, of equal names. */
const MOST_FOUND = 16;

/** The stations of a network that have an IP address, or that DHCP calls by a name; letters of either case are equal. */
export function hostsCalled(bridge: Bridge, called: string, nowMs: number): FilteringEntry[] {
  const address = isIP(called) === 0 ? undefined : parseHostAddress(called).address;
  const name = called.toLowerCase();
  const found: FilteringEntry[] = [];
  for (const entry of bridge.fdbEntries(nowMs)) {
    const { host } = entry;
    if (host === undefined) continue;
    const isCalled =
      address === undefined ? host.name?.toLowerCase() === name : addressTexts(host, nowMs).includes(address);
    if (isCalled && found.push(entry) === MOST_FOUND) break;
  }
  return found;
}
