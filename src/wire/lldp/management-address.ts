import { parseHostAddress, parseIpv4, parseIpv6 } from '../ethernet/ip-address.ts';
import type { ManagementAddress } from './lldpdu.ts';

/** How an interface is numbered (IEEE 802.1AB-2016, 8.5.9.5). */
const UNKNOWN = 1;
const SYSTEM_PORT_NUMBER = 3;

/**
 * An IP address as an LLDPDU names it (8.5.9).
 * @param port the number of the port whose device has the address; undefined: none, or not known
 * @returns undefined for a text that is no address of a host, such as one with a zone
 */
export function managementAddress(text: string, port?: number): ManagementAddress | undefined {
  const octets = octetsOf(text);
  if (octets === undefined) return undefined;
  const where = port === undefined ? [UNKNOWN, 0] : [SYSTEM_PORT_NUMBER, port];
  const [interfaceSubtype, interfaceNumber] = where as [number, number];
  return { family: octets.length === 4 ? 1 : 2, octets, interfaceSubtype, interfaceNumber };
}

function octetsOf(text: string): Buffer | undefined {
  try {
    const { family, address } = parseHostAddress(text);
    if (family === 6) return Buffer.from(parseIpv6(address).flatMap((group) => [group >>> 8, group & 255]));
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(parseIpv4(address));
    return octets;
  } catch {
    return undefined;
  }
}
