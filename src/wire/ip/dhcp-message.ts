import { innerTypeAt } from '../ethernet/frame-kind.ts';
import { type MacAddress, readMacAddress } from '../ethernet/mac-address.ts';
import {
  ETHER_TYPE_IPV4,
  IPV4_HEADER_BYTES,
  PROTOCOL_UDP,
  UDP_HEADER_BYTES,
  word,
} from '../ethernet/transport-header.ts';

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
  readonly isFromServer: boolean;
}

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
const LEASE_TIME = 51;
const MESSAGE_TYPE = 53;

/**
 * Reads a DHCPv4 message of a client or a server on Ethernet, behind at most two tags.
 * @param length at least HEADER_BYTES
 * @returns undefined for any other frame, and for one that is truncated
 */
export function readDhcpMessage(bytes: Uint8Array, start: number, length: number): DhcpMessage | undefined {
  const typeAt = innerTypeAt(bytes, start, length);
  const end = start + length;
  const ip = start + typeAt + 2;
  if (typeAt === 0 || word(bytes, start + typeAt) !== ETHER_TYPE_IPV4 || ip + IPV4_HEADER_BYTES > end) return undefined;
  if (bytes[ip + 9] !== PROTOCOL_UDP || (word(bytes, ip + 6) & 0x1fff) !== 0) return undefined;
  const headerBytes = ((bytes[ip] as number) & 0xf) * 4;
  const udp = ip + headerBytes;
  const dhcp = udp + UDP_HEADER_BYTES;
  if (headerBytes < IPV4_HEADER_BYTES || dhcp + FIXED_BYTES > end) return undefined;
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
    isFromServer,
  };
}

/** The options that are read. Overloaded fields (option 52) are not, since they never have these two. */
function readOptions(view: DataView): { type?: number; leaseSeconds?: number } {
  const found: { type?: number; leaseSeconds?: number } = {};
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
    at += 2 + size;
  }
  return found;
}
