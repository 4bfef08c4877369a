import type { Dissector } from './dissection.ts';
import { hexNumber } from './layer.ts';

/** Dissectors by port (IANA). */
const PORTS: Readonly<Record<number, string>> = {
  53: 'DNS',
  67: 'DHCP',
  68: 'DHCP',
  4789: 'VXLAN',
  5353: 'mDNS',
  5355: 'LLMNR',
};
/** Names of ports without a dissector. */
const NAMES: Readonly<Record<number, string>> = {
  69: 'TFTP',
  123: 'NTP',
  161: 'SNMP',
  162: 'SNMP',
  443: 'QUIC',
  500: 'IKE',
  514: 'syslog',
  546: 'DHCPv6',
  547: 'DHCPv6',
  1900: 'SSDP',
  4500: 'IKE',
  51820: 'WireGuard',
};

/** RFC 768. */
export const dissectUdp: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('UDP', at, end);
  const source = layer.number('Source port', 2);
  const destination = layer.number('Destination port', 2);
  dissection.say({ info: `${source} → ${destination}` });
  const length = layer.number('Length', 2);
  layer.number('Checksum', 2, (value) => hexNumber(value, 4));
  const name = NAMES[destination] ?? NAMES[source];
  if (name !== undefined) dissection.say({ protocol: name });
  dissection.say({ info: `${source} → ${destination}, ${Math.max(0, (length === 0 ? end - at : length) - 8)} octets` });
  // Super-frames and jumbograms have a length of 0.
  const dataEnd = length === 0 ? layer.end : Math.min(layer.end, at + length);
  if (dataEnd > layer.at) dissection.pass(PORTS[destination] ?? PORTS[source], layer.at, dataEnd);
};
