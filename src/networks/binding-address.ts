import { parseBinding } from '../schema/binding-values.ts';
import { formatIpv4, formatIpv6 } from '../wire/ethernet/ip-address.ts';

/** The text of the IP address of a binding. @param octets Latin-1 text of 4 or 16 octets */
export function formatBindingAddress(octets: string): string {
  const word = (at: number): number => octets.charCodeAt(at) * 256 + octets.charCodeAt(at + 1);
  if (octets.length === 4) return formatIpv4(word(0) * 0x1_0000 + word(2));
  return formatIpv6([0, 2, 4, 6, 8, 10, 12, 14].map(word));
}

/** @returns the octets, as above; undefined for a text that is no address */
export function parseBindingAddress(text: string): string | undefined {
  const octets = text.includes('=') ? undefined : parseBinding(text)?.octets;
  return octets === undefined ? undefined : String.fromCharCode(...octets);
}
