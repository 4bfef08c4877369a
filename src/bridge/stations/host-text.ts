import { formatIpv4, formatIpv6 } from '../../wire/ethernet/ip-address.ts';
import type { HostFacts } from './host-facts.ts';

/** The addresses of a station as text: IPv4 first, and each family in ascending order. */
export function addressTexts(host: HostFacts | undefined, nowMs: number): string[] {
  if (host === undefined || host.size === 0) return [];
  const octets = host.addresses(nowMs).map(({ address }) => address);
  return octets.sort((one, other) => one.length - other.length || (one < other ? -1 : 1)).map(textOf);
}

/** @param octets Latin-1 text of 4 or 16 octets */
function textOf(octets: string): string {
  if (octets.length === 4) return formatIpv4(word(octets, 0) * 0x1_0000 + word(octets, 2));
  return formatIpv6([0, 2, 4, 6, 8, 10, 12, 14].map((at) => word(octets, at)));
}

function word(octets: string, at: number): number {
  return (octets.charCodeAt(at) << 8) | octets.charCodeAt(at + 1);
}
