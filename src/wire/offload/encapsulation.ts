import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  PROTOCOL_UDP,
  passEthernet,
  passNetwork,
  passTransport,
  TransportHeader,
  UDP_HEADER_BYTES,
  word,
} from '../ethernet/transport-header.ts';
import type { OffloadFault } from './virtio-header.ts';

/** The most nested encapsulations. Linux segments before it encapsulates a second time, so 3 leaves room. */
export const MAX_ENCAPSULATIONS = 3;

const PROTOCOL_IPV4 = 4;
const PROTOCOL_IPV6 = 41;
export const PROTOCOL_GRE = 47;

const ETHER_TYPE_BRIDGED = 0x6558;

const GRE_HEADER_BYTES = 4;
const GRE_FIELD_BYTES = 4;
export const GRE_CHECKSUM_PRESENT = 0x8000;
const GRE_KEY_PRESENT = 0x2000;

/** VXLAN's header, and Geneve's without its options. */
const SHIM_BYTES = 8;
const GENEVE_VERSION = 0xc0;
const GENEVE_OPTION_WORDS = 0x3f;
const VXLAN_VNI_VALID = 0x08;
/** VXLAN-GPE: the last octet of the first word is a protocol number. */
const VXLAN_HAS_PROTOCOL = 0x04;
const VXLAN_IPV4 = 1;
const VXLAN_IPV6 = 2;
const VXLAN_ETHERNET = 3;
/** Remote checksum offload, in the second octet: the receiver completes the inner checksum, so it must stay partial. */
const VXLAN_REMOTE_CHECKSUM = 0x20;

/**
 * The headers of a frame, from the outermost IP header to the TCP or UDP header
 * that the offload header describes.
 */
export class Layers {
  /** How many encapsulations there are around `inner`. */
  outerCount = 0;
  /** Set by `checkOffload`: the checksum is not that of the outermost IP packet. */
  isEncapsulated = false;
  readonly #headers: readonly TransportHeader[] = Array.from(
    { length: MAX_ENCAPSULATIONS + 1 },
    () => new TransportHeader(),
  );

  /** The headers that the offload header describes. */
  get inner(): TransportHeader {
    return this.#headers[this.outerCount] as TransportHeader;
  }

  /** Encapsulation `index`, 0 the outermost: an IP header, and the UDP, GRE or IP header behind it. */
  outer(index: number): TransportHeader {
    return this.#headers[index] as TransportHeader;
  }

  clear(): void {
    this.outerCount = 0;
    this.isEncapsulated = false;
    this.inner.payloadStart = 0;
  }
}

/**
 * Finds the TCP or UDP header that `checksumStart` should point at; `checkOffload`
 * compares the two. It may be inside of VXLAN (RFC 7348), VXLAN-GPE, Geneve
 * (RFC 8926), GRE (RFC 2784 and 2890), IP in IP (RFC 2003, 2473, 4213), IP in UDP,
 * or several of them.
 *
 * UDP ports are ignored, since an encapsulation can be configured to use any. The kind of
 * encapsulation is told by the first octets of the UDP payload, and all headers behind
 * them must be consistent with it.
 *
 * @param layers is overwritten, also when there is a fault
 */
export function locateDescribed(
  bytes: Uint8Array,
  start: number,
  length: number,
  checksumStart: number,
  layers: Layers,
): OffloadFault | undefined {
  layers.outerCount = 0;
  let found = layers.inner;
  let fault = passEthernet(bytes, start, 0, length, found);
  for (;;) {
    fault ??= passNetwork(bytes, start, length, found);
    if (fault !== undefined) return fault;
    if (!encapsulates(found, checksumStart)) return passTransport(bytes, start, found);
    // Segmentation would treat padding behind the packet as payload.
    if (found.networkEnd !== length) return 'ipLength';
    if (layers.outerCount === MAX_ENCAPSULATIONS) return 'encapsulation';
    const outer = found;
    layers.outerCount++;
    found = layers.inner;
    fault = enter(bytes, start, outer, found);
  }
}

/** Whether this IP packet encapsulates another packet. */
function encapsulates(found: TransportHeader, checksumStart: number): boolean {
  switch (found.protocol) {
    case PROTOCOL_IPV4:
    case PROTOCOL_IPV6:
    case PROTOCOL_GRE:
      return true;
    case PROTOCOL_UDP:
      return checksumStart >= found.transportStart + UDP_HEADER_BYTES;
    default:
      return false;
  }
}

/** Finds the next IP header inside of `outer`. */
function enter(
  bytes: Uint8Array,
  start: number,
  outer: TransportHeader,
  found: TransportHeader,
): OffloadFault | undefined {
  switch (outer.protocol) {
    case PROTOCOL_GRE:
      return enterGre(bytes, start, outer, found);
    case PROTOCOL_UDP:
      return enterUdp(bytes, start, outer, found);
    default:
      return enterNetwork(outer.transportStart, outer.protocol === PROTOCOL_IPV6, found);
  }
}

function enterGre(
  bytes: Uint8Array,
  start: number,
  outer: TransportHeader,
  found: TransportHeader,
): OffloadFault | undefined {
  const at = outer.transportStart;
  if (at + GRE_HEADER_BYTES > outer.networkEnd) return 'truncated';
  const flags = word(bytes, start + at);
  // All segments would repeat one sequence number. The other flags are of GRE versions that have no offload.
  if ((flags & ~(GRE_CHECKSUM_PRESENT | GRE_KEY_PRESENT)) !== 0) return 'encapsulation';
  const checksumBytes = (flags & GRE_CHECKSUM_PRESENT) === 0 ? 0 : GRE_FIELD_BYTES;
  const keyBytes = (flags & GRE_KEY_PRESENT) === 0 ? 0 : GRE_FIELD_BYTES;
  const payload = at + GRE_HEADER_BYTES + checksumBytes + keyBytes;
  return enterType(bytes, start, word(bytes, start + at + 2), payload, outer, found);
}

function enterUdp(
  bytes: Uint8Array,
  start: number,
  outer: TransportHeader,
  found: TransportHeader,
): OffloadFault | undefined {
  const udp = outer.transportStart;
  const shim = udp + UDP_HEADER_BYTES;
  if (shim + SHIM_BYTES > outer.networkEnd) return 'truncated';
  if (word(bytes, start + udp + 4) !== outer.networkEnd - udp) return 'ipLength';
  const first = bytes[start + shim] as number;
  if (first >>> 4 === 4 || first >>> 4 === 6) return enterNetwork(shim, first >>> 4 === 6, found);
  const type = word(bytes, start + shim + 2);
  // VXLAN has zero, a group policy ID, or a small protocol number where Geneve has its EtherType.
  if ((first & GENEVE_VERSION) === 0 && isEncapsulatedType(type)) {
    const optionBytes = (first & GENEVE_OPTION_WORDS) * 4;
    return enterType(bytes, start, type, shim + SHIM_BYTES + optionBytes, outer, found);
  }
  return enterVxlan(bytes, start, shim, outer, found);
}

function enterVxlan(
  bytes: Uint8Array,
  start: number,
  shim: number,
  outer: TransportHeader,
  found: TransportHeader,
): OffloadFault | undefined {
  const flags = bytes[start + shim] as number;
  if ((flags & VXLAN_VNI_VALID) === 0) return 'encapsulation';
  if (((bytes[start + shim + 1] as number) & VXLAN_REMOTE_CHECKSUM) !== 0) return 'encapsulation';
  const payload = shim + SHIM_BYTES;
  const protocol = (flags & VXLAN_HAS_PROTOCOL) === 0 ? VXLAN_ETHERNET : (bytes[start + shim + 3] as number);
  if (protocol === VXLAN_ETHERNET) return passEthernet(bytes, start, payload, outer.networkEnd, found);
  if (protocol !== VXLAN_IPV4 && protocol !== VXLAN_IPV6) return 'encapsulation';
  return enterNetwork(payload, protocol === VXLAN_IPV6, found);
}

function isEncapsulatedType(type: number): boolean {
  return type === ETHER_TYPE_BRIDGED || type === ETHER_TYPE_IPV4 || type === ETHER_TYPE_IPV6;
}

/** Finds the IP header of the packet or Ethernet frame at `payload`, according to the EtherType in front of it. */
function enterType(
  bytes: Uint8Array,
  start: number,
  type: number,
  payload: number,
  outer: TransportHeader,
  found: TransportHeader,
): OffloadFault | undefined {
  if (payload > outer.networkEnd) return 'truncated';
  if (!isEncapsulatedType(type)) return 'encapsulation';
  if (type === ETHER_TYPE_BRIDGED) return passEthernet(bytes, start, payload, outer.networkEnd, found);
  return enterNetwork(payload, type === ETHER_TYPE_IPV6, found);
}

function enterNetwork(at: number, isIpv6: boolean, found: TransportHeader): undefined {
  found.protocol = -1;
  found.transportStart = 0;
  found.networkStart = at;
  found.isIpv6 = isIpv6;
  return undefined;
}
