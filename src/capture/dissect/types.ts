import { hexNumber } from './layer.ts';

/** A smaller EtherType is a length (IEEE 802.3-2022, 3.2.6). */
export const LEAST_TYPE = 0x600;

/** EtherTypes: a name with a dissector is that of the dissector. */
export const ETHER_TYPES: Readonly<Record<number, string>> = {
  2048: 'IPv4',
  2054: 'ARP',
  25944: 'Ethernet',
  32821: 'RARP',
  33024: '802.1Q',
  34525: 'IPv6',
  34824: 'flow control',
  34887: 'MPLS',
  34915: 'PPPoE discovery',
  34916: 'PPPoE session',
  34958: '802.1X',
  34984: '802.1ad',
  35020: 'LLDP',
  35045: 'MACsec',
  35063: 'PTP',
  36864: 'loopback',
  // The TPID of outer tags before IEEE 802.1ad.
  37120: '802.1Q',
};

/** IANA protocol numbers: a name with a dissector is that of the dissector. */
export const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'Hop-by-hop options',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPv4',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  43: 'Routing header',
  44: 'Fragment header',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  59: 'No next header',
  60: 'Destination options',
  89: 'OSPF',
  103: 'PIM',
  112: 'VRRP',
  115: 'L2TP',
  132: 'SCTP',
};

/** `0x0800 (IPv4)`; `60 (length)` for a number that is no EtherType. */
export function showEtherType(type: number): string {
  if (type < LEAST_TYPE) return `${type} (length)`;
  return ETHER_TYPES[type] === undefined ? hexNumber(type, 4) : `${hexNumber(type, 4)} (${ETHER_TYPES[type]})`;
}

/** `TCP`, or `protocol 253`. */
export function protocolName(protocol: number): string {
  return IP_PROTOCOLS[protocol] ?? `protocol ${protocol}`;
}
