import { dissectArp } from './arp.ts';
import { dissectBpdu } from './bpdu.ts';
import { dissectDhcp } from './dhcp.ts';
import { Dissection, type Dissectors, type FrameSummary } from './dissection.ts';
import { dissectDns } from './dns.ts';
import { dissectGre, dissectVxlan } from './encapsulation.ts';
import { dissectEthernet, dissectTag } from './ethernet.ts';
import { dissectIcmp } from './icmp.ts';
import { dissectIcmpv6 } from './icmpv6.ts';
import { dissectIgmp } from './igmp.ts';
import { dissectIpv4 } from './ipv4.ts';
import { dissectIpv6 } from './ipv6.ts';
import { dissectAuthentication, dissectFragment, dissectOptions, dissectRouting } from './ipv6-extensions.ts';
import { CUT, type DissectedLayer } from './layer.ts';
import { dissectLldp } from './lldp.ts';
import { dissectTcp } from './tcp.ts';
import { dissectUdp } from './udp.ts';

const DISSECTORS: Dissectors = {
  '802.1Q': dissectTag('802.1Q'),
  '802.1ad': dissectTag('802.1ad'),
  AH: dissectAuthentication,
  ARP: dissectArp('ARP'),
  BPDU: dissectBpdu,
  DHCP: dissectDhcp,
  DNS: dissectDns('DNS'),
  'Destination options': dissectOptions('Destination options'),
  Ethernet: dissectEthernet,
  'Fragment header': dissectFragment,
  GRE: dissectGre,
  'Hop-by-hop options': dissectOptions('Hop-by-hop options'),
  ICMP: dissectIcmp,
  ICMPv6: dissectIcmpv6,
  IGMP: dissectIgmp,
  IPv4: dissectIpv4,
  IPv6: dissectIpv6,
  LLDP: dissectLldp,
  LLMNR: dissectDns('LLMNR'),
  RARP: dissectArp('RARP'),
  'Routing header': dissectRouting,
  TCP: dissectTcp,
  UDP: dissectUdp,
  VXLAN: dissectVxlan,
  mDNS: dissectDns('mDNS'),
};

/** What a frame is: for `etherws ctl capture`, and for the console. */
export interface DissectedFrame {
  readonly summary: Readonly<FrameSummary>;
  /** from the outside to the inside */
  readonly layers: readonly DissectedLayer[];
}

/**
 * Dissects an Ethernet frame. Never throws, whatever the octets are. All texts are printable, and the number of fields
 * is limited. A header that ends too early is marked as cut, with the fields that are there.
 *
 * @param bytes the recorded octets of the frame; the result does not hold them
 */
export function dissect(bytes: Uint8Array): DissectedFrame {
  const dissection = new Dissection(bytes, DISSECTORS);
  try {
    dissection.pass('Ethernet', 0, bytes.length);
  } catch (error) {
    if (error !== CUT) throw error;
    const last = dissection.layers.at(-1);
    if (last !== undefined) last.isCut = true;
    dissection.say({ info: dissection.summary.info === '' ? 'cut' : `${dissection.summary.info} (cut)` });
  }
  return { summary: dissection.summary, layers: dissection.layers };
}
