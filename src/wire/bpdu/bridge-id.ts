import { formatMacAddress, type MacAddress } from '../ethernet/mac-address.ts';

declare const brand: unique symbol;

/**
 * A bridge identifier (IEEE 802.1D-2004, 9.2.5): 16 bits of priority, of which the lower 12 are the system ID
 * extension, and 48 bits of address. The lower number is the better bridge.
 */
export type BridgeId = bigint & { readonly [brand]: 'BridgeId' };

const ADDRESS_BITS = 48n;
const ADDRESS_MASK = (1n << ADDRESS_BITS) - 1n;

/** @param priority 0 to 65535 */
export function bridgeIdOf(priority: number, address: MacAddress): BridgeId {
  return ((BigInt(priority) << ADDRESS_BITS) | BigInt(address)) as BridgeId;
}

export function priorityOf(id: BridgeId): number {
  return Number(id >> ADDRESS_BITS);
}

export function addressOf(id: BridgeId): MacAddress {
  return Number(id & ADDRESS_MASK) as MacAddress;
}

/** As bridge(8) shows it: `8000.02:00:00:00:00:01`. */
export function formatBridgeId(id: BridgeId): string {
  return `${priorityOf(id).toString(16).padStart(4, '0')}.${formatMacAddress(addressOf(id))}`;
}

/** A port identifier as bridge(8) shows it: `8001`. */
export function formatPortId(portId: number): string {
  return portId.toString(16).padStart(4, '0');
}
