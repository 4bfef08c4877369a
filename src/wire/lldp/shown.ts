import { formatIpv4, formatIpv6 } from '../ethernet/ip-address.ts';
import { formatMacAddress, readMacAddress } from '../ethernet/mac-address.ts';
import { CHASSIS, type Identifier, type ManagementAddress, PORT } from './lldpdu.ts';
import { printable } from './printable.ts';

/** IANA address families. */
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const FAMILY_MAC = 6;

/** A chassis ID as text: a MAC or IP address, a name, or `0x…` for octets that are none of these. */
export function showChassisId({ subtype, octets }: Identifier): string {
  if (subtype === CHASSIS.macAddress) return address(FAMILY_MAC, octets);
  return subtype === CHASSIS.networkAddress ? networkAddress(octets) : nameOrOctets(octets);
}

/** The same for a port ID. */
export function showPortId({ subtype, octets }: Identifier): string {
  if (subtype === PORT.macAddress) return address(FAMILY_MAC, octets);
  return subtype === PORT.networkAddress ? networkAddress(octets) : nameOrOctets(octets);
}

export function showManagementAddress({ family, octets }: ManagementAddress): string {
  return address(family, octets);
}

/** An address family in one octet, and the address (IEEE 802.1AB-2016, 8.5.2.3). */
function networkAddress(octets: Uint8Array): string {
  return address(octets[0] as number, octets.subarray(1));
}

function address(family: number, octets: Uint8Array): string {
  const view = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  if (family === FAMILY_IPV4 && view.length === 4) return formatIpv4(view.readUInt32BE());
  if (family === FAMILY_IPV6 && view.length === 16)
    return formatIpv6(Array.from({ length: 8 }, (_, group) => view.readUInt16BE(2 * group)));
  if (family === FAMILY_MAC && view.length === 6) return formatMacAddress(readMacAddress(view, 0));
  return `0x${view.toString('hex')}`;
}

function nameOrOctets(octets: Uint8Array): string {
  const text = printable(octets);
  return text === '' || text.includes('\ufffd')
    ? `0x${Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex')}`
    : text;
}
