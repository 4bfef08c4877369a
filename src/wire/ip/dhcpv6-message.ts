import { type MacAddress, readMacAddress } from '../ethernet/mac-address.ts';
import { ETHER_TYPE_IPV6, IPV6_HEADER_BYTES, UDP_HEADER_BYTES, word } from '../ethernet/transport-header.ts';
import { udpAt } from './udp.ts';

/** An address that a message assigns or names (RFC 8415, 21.6). */
export interface Dhcpv6Address {
  /** Latin-1 text of 16 octets */
  readonly address: string;
  /** valid lifetime in seconds; 0: it is not valid any more; 0xffffffff: without end */
  readonly validSeconds: number;
}

/** What DHCP snooping reads of a message between a client and a server or relay agent. */
export interface Dhcpv6Message {
  readonly type: number;
  /** `transaction-id`, 24 bits, which the client chooses */
  readonly transaction: number;
  /** The client's hardware address: the frame's source, or of a server's message its destination. */
  readonly client: MacAddress;
  /** Those in its IA_NA options; at most MOST_ADDRESSES. */
  readonly addresses: readonly Dhcpv6Address[];
  readonly isFromServer: boolean;
}

export const DHCPV6_REPLY = 7;
export const DHCPV6_RELEASE = 8;
export const DHCPV6_DECLINE = 9;

/** The most addresses that are read of one message. */
export const MOST_ADDRESSES = 16;

const CLIENT_PORT = 546;
const SERVER_PORT = 547;
const HEADER_BYTES = 4;
/** From the payload length of IPv6 to the end of its header, in octets. */
const PAYLOAD_LENGTH_BEFORE = IPV6_HEADER_BYTES - 4;
const OPTION_HEADER_BYTES = 4;
/** IAID, T1 and T2 stand before the options of an IA_NA. */
const IA_NA = 3;
const IA_NA_BYTES = 12;
const IA_ADDRESS = 5;
const IA_ADDRESS_BYTES = 24;
/** Messages of relay agents have another header. */
const RELAY_FORWARD = 12;

/**
 * Reads a DHCPv6 message of a client or to one, behind at most two tags. One behind extension headers is not read.
 * @param length at least an Ethernet header
 * @returns undefined for any other frame, and for one that is truncated
 */
export function readDhcpv6Message(bytes: Uint8Array, start: number, length: number): Dhcpv6Message | undefined {
  const udp = udpAt(bytes, start, length, ETHER_TYPE_IPV6);
  const at = udp + UDP_HEADER_BYTES;
  const end = start + length;
  if (udp === 0) return undefined;
  const isFromServer = word(bytes, udp + 2) === CLIENT_PORT;
  if (!isFromServer && word(bytes, udp + 2) !== SERVER_PORT) return undefined;
  const type = bytes[at] as number;
  if (type >= RELAY_FORWARD) return undefined;
  // Behind the packet there may be padding.
  const view = new DataView(
    bytes.buffer,
    bytes.byteOffset,
    Math.min(end, udp + word(bytes, udp - PAYLOAD_LENGTH_BEFORE)),
  );
  if (view.byteLength < at + HEADER_BYTES) return undefined;
  const addresses: Dhcpv6Address[] = [];
  for (const [code, from, to] of optionsIn(view, at + HEADER_BYTES, view.byteLength)) {
    if (code === IA_NA) addAddresses(addresses, view, from + IA_NA_BYTES, to);
  }
  return {
    type,
    transaction: view.getUint32(at) & 0xff_ffff,
    client: readMacAddress(bytes, start + (isFromServer ? 0 : 6)),
    addresses,
    isFromServer,
  };
}

function addAddresses(addresses: Dhcpv6Address[], view: DataView, from: number, end: number): void {
  for (const [code, at, to] of optionsIn(view, from, end)) {
    if (code !== IA_ADDRESS || to - at < IA_ADDRESS_BYTES || addresses.length === MOST_ADDRESSES) continue;
    let address = '';
    for (let offset = 0; offset < 16; offset++) address += String.fromCharCode(view.getUint8(at + offset));
    addresses.push({ address, validSeconds: view.getUint32(at + 20) });
  }
}

/** The options as code, begin and end of their contents; those from a truncated one on are left out. */
function* optionsIn(view: DataView, from: number, end: number): IterableIterator<[number, number, number]> {
  for (let at = from; at + OPTION_HEADER_BYTES <= end; ) {
    const begin = at + OPTION_HEADER_BYTES;
    const next = begin + view.getUint16(at + 2);
    if (next > end) return;
    yield [view.getUint16(at), begin, next];
    at = next;
  }
}
