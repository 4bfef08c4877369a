import { type MacAddress, readMacAddress } from '../ethernet/mac-address.ts';
import { ETHER_TYPE_IPV4, UDP_HEADER_BYTES, word } from '../ethernet/transport-header.ts';
import { printable } from '../lldp/printable.ts';
import { udpAt } from './udp.ts';

/** What DHCP snooping reads of a message (RFC 2131, figure 1; RFC 2132). */
export interface DhcpMessage {
  /** option 53 */
  readonly type: number;
  /** `xid`, the number of the transaction, which the client chooses */
  readonly transaction: number;
  /** `chaddr` */
  readonly client: MacAddress;
  /** `yiaddr`, the address that the server assigns: four octets as a number; 0 in messages of clients */
  readonly assigned: number;
  /** `ciaddr`, the address that the client has: 0 without one */
  readonly current: number;
  /** option 51, in seconds; undefined without one */
  readonly leaseSeconds: number | undefined;
  /** option 12, or else the name of option 81 (RFC 4702), as shown text; undefined without one */
  readonly hostName: string | undefined;
  readonly isFromServer: boolean;
}

/** The longest host name that is read, in octets: as long as a label of DNS. A longer one is cut. */
export const MOST_HOST_NAME = 63;

export const DHCP_DISCOVER = 1;
export const DHCP_REQUEST = 3;
export const DHCP_DECLINE = 4;
export const DHCP_ACK = 5;
export const DHCP_RELEASE = 7;

const SERVER_PORT = 67;
const CLIENT_PORT = 68;
/** The fixed fields, up to and with the magic cookie. */
const FIXED_BYTES = 240;
const MAGIC_COOKIE = 0x6382_5363;
const BOOT_REQUEST = 1;
const ETHERNET = 1;
const PAD = 0;
const END = 255;
const HOST_NAME = 12;
const LEASE_TIME = 51;
const MESSAGE_TYPE = 53;
const CLIENT_FQDN = 81;
/** Flags, and two result codes that are no longer used, stand before the name. */
const FQDN_HEADER_BYTES = 3;
/** The flag E of option 81: the name is in the form of DNS, with a length before each label. */
const FQDN_IN_WIRE_FORM = 0b100;

/**
 * Reads a DHCPv4 message of a client or a server on Ethernet, behind at most two tags.
 * @param length at least HEADER_BYTES
 * @returns undefined for any other frame, and for one that is truncated
 */
export function readDhcpMessage(bytes: Uint8Array, start: number, length: number): DhcpMessage | undefined {
  const udp = udpAt(bytes, start, length, ETHER_TYPE_IPV4);
  const dhcp = udp + UDP_HEADER_BYTES;
  const end = start + length;
  if (udp === 0 || dhcp + FIXED_BYTES > end) return undefined;
  const isFromServer = word(bytes, udp) === SERVER_PORT;
  if (!isFromServer && (word(bytes, udp) !== CLIENT_PORT || word(bytes, udp + 2) !== SERVER_PORT)) return undefined;
  return readFields(bytes, dhcp, end, isFromServer);
}

function readFields(bytes: Uint8Array, at: number, end: number, isFromServer: boolean): DhcpMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, end - at);
  if ((view.getUint8(0) === BOOT_REQUEST) === isFromServer) return undefined;
  if (view.getUint8(1) !== ETHERNET || view.getUint8(2) !== 6 || view.getUint32(236) !== MAGIC_COOKIE) return undefined;
  const options = readOptions(view);
  if (options.type === undefined) return undefined;
  return {
    type: options.type,
    transaction: view.getUint32(4),
    client: readMacAddress(bytes, at + 28),
    assigned: view.getUint32(16),
    current: view.getUint32(12),
    leaseSeconds: options.leaseSeconds,
    hostName: options.hostName ?? options.fullName,
    isFromServer,
  };
}

interface DhcpOptions {
  type?: number;
  leaseSeconds?: number;
  hostName?: string | undefined;
  fullName?: string | undefined;
}

/** The options that are read. Overloaded fields (option 52) are not, since they have a message type or a lease time in no case. */
function readOptions(view: DataView): DhcpOptions {
  const found: DhcpOptions = {};
  for (let at = FIXED_BYTES; at < view.byteLength; ) {
    const code = view.getUint8(at);
    if (code === END) break;
    if (code === PAD) {
      at++;
      continue;
    }
    if (at + 2 > view.byteLength) break;
    const size = view.getUint8(at + 1);
    if (at + 2 + size > view.byteLength) break;
    if (code === MESSAGE_TYPE && size === 1) found.type ??= view.getUint8(at + 2);
    if (code === LEASE_TIME && size === 4) found.leaseSeconds ??= view.getUint32(at + 2);
    if (code === HOST_NAME) found.hostName ??= hostName(view, at + 2, size);
    if (code === CLIENT_FQDN && size > FQDN_HEADER_BYTES) found.fullName ??= nameOfFqdn(view, at + 2, size);
    at += 2 + size;
  }
  return found;
}

function nameOfFqdn(view: DataView, at: number, size: number): string | undefined {
  const [from, length] = [at + FQDN_HEADER_BYTES, size - FQDN_HEADER_BYTES];
  if ((view.getUint8(at) & FQDN_IN_WIRE_FORM) === 0) return hostName(view, from, length);
  return hostName(view, from + 1, Math.min(view.getUint8(from), length - 1));
}

/** The octets are a peer's choice, so they are shown as those of LLDP. */
function hostName(view: DataView, at: number, size: number): string | undefined {
  const octets = new Uint8Array(view.buffer, view.byteOffset + at, Math.min(size, MOST_HOST_NAME));
  const text = printable(octets);
  return text === '' ? undefined : text;
}
