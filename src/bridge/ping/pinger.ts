import { destinationOf, HEADER_BYTES, sourceOf, vidOf } from '../../wire/ethernet/ethernet-frame.ts';
import { formatIpv4, formatIpv6 } from '../../wire/ethernet/ip-address.ts';
import { isGroupAddress, type MacAddress } from '../../wire/ethernet/mac-address.ts';
import { ETHER_TYPE_IPV6, TAG_BYTES, word } from '../../wire/ethernet/transport-header.ts';
import { arpProbe, ETHER_TYPE_ARP, readArp } from '../../wire/probe/arp.ts';
import { BROADCAST, type ProbeHeader } from '../../wire/probe/header.ts';
import {
  ALL_NODES,
  advertisement,
  echoRequest,
  groupMacOf,
  type Ipv6,
  linkLocalOf,
  readIcmpv6,
  solicitation,
  solicitedNodeOf,
} from '../../wire/probe/icmpv6.ts';
import { llcTest, readLlcTestResponse } from '../../wire/probe/llc.ts';

/** What is asked for: an IPv4 address as a number, an IPv6 address of 16 octets, or a station. */
export type PingTarget =
  | { readonly kind: 'ipv4'; readonly ip: number }
  | { readonly kind: 'ipv6'; readonly ip: Ipv6 }
  | { readonly kind: 'mac'; readonly mac: MacAddress };

/** How a station answered: an ARP probe, a neighbour solicitation, an ICMPv6 echo request, an LLC TEST command. */
export type PingMethod = 'arp' | 'nd' | 'echo' | 'llc-test';

export interface PingReply {
  readonly by: PingMethod;
  readonly mac: MacAddress;
  /** the address that the answer is about, or comes from; undefined for LLC */
  readonly ip: string | undefined;
}

/** The largest EtherType that is a length instead (IEEE 802.3-2022, 3.2.6). */
const MAX_LENGTH = 1500;

/**
 * One request for a station, as frames, and its answers. Sans-I/O. The switch has no IP address, so it asks by what
 * hosts answer to anyone on their link: an ARP probe, a neighbour solicitation from a link-local address. For a MAC
 * address it asks three ways at once: a solicitation for the link-local address that belongs to the MAC address, an
 * ICMPv6 echo request for all nodes which only this station gets, and an LLC TEST command.
 */
export class Pinger {
  readonly #own: MacAddress;
  readonly #vid: number;
  readonly #target: PingTarget;
  readonly #id: number;
  readonly #sequence: number;

  /**
   * @param own the source address of requests, to which answers come
   * @param vid the VLAN; 0: untagged
   * @param id tells the echo requests of two callers apart; 0 to 65 535, as `sequence`
   */
  constructor(own: MacAddress, vid: number, target: PingTarget, id: number, sequence: number) {
    this.#own = own;
    this.#vid = vid;
    this.#target = target;
    this.#id = id;
    this.#sequence = sequence;
  }

  /** The frames that ask. */
  requests(): Buffer[] {
    const target = this.#target;
    if (target.kind === 'ipv4') return [arpProbe(this.#to(BROADCAST), target.ip)];
    if (target.kind === 'ipv6') return [solicitation(this.#to(groupMacOf(solicitedNodeOf(target.ip))), target.ip)];
    const header = this.#to(target.mac);
    return [
      solicitation(header, linkLocalOf(target.mac)),
      echoRequest(header, ALL_NODES, this.#id, this.#sequence),
      llcTest(header, this.#sequence),
    ];
  }

  /** Looks for an answer in a frame that was flooded, or that was sent to `own`. @returns undefined if it is none */
  answerIn(bytes: Uint8Array, start: number, length: number): PingReply | undefined {
    const at = this.#payloadAt(bytes, start, length);
    if (at < 0) return undefined;
    const mac = sourceOf(bytes, start);
    const end = start + length;
    const type = word(bytes, at - 2);
    if (type === ETHER_TYPE_ARP) return this.#arpAnswer(bytes, at, end);
    if (type === ETHER_TYPE_IPV6) return this.#ipv6Answer(mac, bytes, at, end);
    if (type > MAX_LENGTH || !this.#isAsked(mac)) return undefined;
    const isOurs = readLlcTestResponse(bytes, at, end) === this.#sequence;
    return isOurs ? { by: 'llc-test', mac, ip: undefined } : undefined;
  }

  /** What must be sent back for a frame: a station that wants to answer first asks for our link-local address. */
  responseTo(bytes: Uint8Array, start: number, length: number): Buffer | undefined {
    const at = this.#payloadAt(bytes, start, length);
    if (at < 0 || word(bytes, at - 2) !== ETHER_TYPE_IPV6) return undefined;
    const icmp = readIcmpv6(bytes, at, start + length);
    if (icmp?.kind !== 'solicitation' || !icmp.target.equals(linkLocalOf(this.#own))) return undefined;
    // From the unspecified address: the station looks whether the address is free (RFC 4862), and it is in use.
    const isDetection = icmp.from.every((octet) => octet === 0);
    const header = this.#to(isDetection ? groupMacOf(ALL_NODES) : sourceOf(bytes, start));
    return advertisement(header, isDetection ? ALL_NODES : icmp.from);
  }

  #to(destination: MacAddress): ProbeHeader {
    return { destination, source: this.#own, vid: this.#vid };
  }

  /** Where the payload begins of a frame that is in our VLAN, and for our address or a group; else -1. */
  #payloadAt(bytes: Uint8Array, start: number, length: number): number {
    const headerBytes = this.#vid === 0 ? HEADER_BYTES : HEADER_BYTES + TAG_BYTES;
    if (length < headerBytes || vidOf(bytes, start, length) !== this.#vid) return -1;
    const destination = destinationOf(bytes, start);
    return destination === this.#own || isGroupAddress(destination) ? start + headerBytes : -1;
  }

  #isAsked(mac: MacAddress): boolean {
    return this.#target.kind === 'mac' && this.#target.mac === mac;
  }

  #arpAnswer(bytes: Uint8Array, at: number, end: number): PingReply | undefined {
    const arp = readArp(bytes, at, end);
    if (arp === undefined || !arp.isReply) return undefined;
    const { kind } = this.#target;
    if (kind !== 'ipv4' || arp.senderIp !== this.#target.ip) return undefined;
    return { by: 'arp', mac: arp.senderMac, ip: formatIpv4(arp.senderIp) };
  }

  #ipv6Answer(mac: MacAddress, bytes: Uint8Array, at: number, end: number): PingReply | undefined {
    const icmp = readIcmpv6(bytes, at, end);
    const target = this.#target;
    if (icmp === undefined || icmp.kind === 'solicitation') return undefined;
    if (icmp.kind === 'echoReply') {
      const isOurs = this.#isAsked(mac) && icmp.id === this.#id && icmp.sequence === this.#sequence;
      return isOurs ? { by: 'echo', mac, ip: textOf(icmp.from) } : undefined;
    }
    const isTarget = target.kind === 'ipv6' ? icmp.target.equals(target.ip) : this.#isAsked(mac);
    return isTarget ? { by: 'nd', mac, ip: textOf(icmp.target) } : undefined;
  }
}

function textOf(ip: Ipv6): string {
  return formatIpv6(Array.from({ length: 8 }, (_, group) => ip.readUInt16BE(2 * group)));
}
