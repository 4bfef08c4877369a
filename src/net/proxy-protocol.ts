import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../wire/ethernet/ip-address.ts';

/*
 * The header by which a TCP proxy names its client (HAProxy's "The PROXY
 * protocol", versions 1 and 2). It stands once in front of everything else, TLS
 * included, and the proxy sends it at once.
 */

/** Where the connection began that a proxy passes on; the address in canonical text, an IPv4-mapped one as IPv4. */
export interface ProxiedSource {
  readonly address: string;
  readonly tcpPort: number;
}

/** What the first octets of a connection are. */
export type ProxyHeader =
  /** Something else begins here. */
  | { readonly kind: 'absent' }
  /** So far it could be a header; more octets will tell. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | {
      readonly kind: 'present';
      /** how many octets it takes; what is sent through the proxy begins behind them */
      readonly length: number;
      /** undefined: the proxy speaks for itself, as in health checks, or does not know its client */
      readonly source: ProxiedSource | undefined;
    };

/** Section 2.1: the longest line there can be, its end included. */
const MAX_V1_BYTES = 107;
/** Section 2.2 gives 16 bits to the length. Addresses and what proxies say of TLS need a few hundred octets. */
export const MAX_PROXY_HEADER_BYTES = 2048;

const V1_START = ascii('PROXY ');
const V2_SIGNATURE = ascii('\r\n\r\n\0\r\nQUIT\n');
const V2_FIXED_BYTES = 16;

const ABSENT: ProxyHeader = { kind: 'absent' };
const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };

/**
 * Reads the header at the front of `bytes`, which are all the octets of a
 * connection so far. No HTTP request and no TLS handshake passes for one, nor
 * for the beginning of one for longer than until its next octets: `PROXY` is no
 * method, and no request begins with the signature of version 2.
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  for (const [start, read] of [
    [V1_START, readLine],
    [V2_SIGNATURE, readBinary],
  ] as const) {
    const common = Math.min(bytes.length, start.length);
    if (start.subarray(0, common).every((octet, index) => octet === bytes[index])) {
      return common < start.length ? INCOMPLETE : read(bytes);
    }
  }
  return ABSENT;
}

/** Version 1 (2.1): `PROXY TCP4 SOURCE DESTINATION SOURCEPORT DESTINATIONPORT`, CR, LF. */
function readLine(bytes: Uint8Array): ProxyHeader {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf(0x0a);
  if (end < 0) {
    return bytes.length < MAX_V1_BYTES ? INCOMPLETE : malformed(`its line is longer than ${MAX_V1_BYTES} octets`);
  }
  const line = String.fromCharCode(...bytes.subarray(0, end));
  if (!line.endsWith('\r')) return malformed('its line ends without CR');
  const [, family, from = '', to = '', fromPort = '', toPort = '', ...more] = line.slice(0, -1).split(' ');
  const length = end + 1;
  if (family === 'UNKNOWN') return { kind: 'present', length, source: undefined };
  if (family !== 'TCP4' && family !== 'TCP6') return malformed('its family is none of TCP4, TCP6 and UNKNOWN');
  const address = addressIn(family, from);
  const tcpPort = portIn(fromPort);
  if (address === undefined || addressIn(family, to) === undefined) return malformed(`an address is none of ${family}`);
  if (tcpPort === undefined || portIn(toPort) === undefined || more.length > 0) {
    return malformed('it does not end in two ports');
  }
  return { kind: 'present', length, source: { address, tcpPort } };
}

function addressIn(family: 'TCP4' | 'TCP6', text: string): string | undefined {
  try {
    return family === 'TCP4' ? formatIpv4(parseIpv4(text)) : formatAddress(parseIpv6(text));
  } catch {
    return undefined;
  }
}

function portIn(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 0xffff ? Number(text) : undefined;
}

/** Version 2 (2.2): signature, version and command, family and protocol, length, addresses, and what we pass over. */
function readBinary(bytes: Uint8Array): ProxyHeader {
  if (bytes.length < V2_FIXED_BYTES) return INCOMPLETE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, command] = nibbles(view.getUint8(12));
  const [family, protocol] = nibbles(view.getUint8(13));
  const length = V2_FIXED_BYTES + view.getUint16(14);
  if (version !== 2) return malformed(`it is of version ${version}`);
  if (command > 1) return malformed(`its command is ${command}`);
  if (length > MAX_PROXY_HEADER_BYTES) return malformed(`it is longer than ${MAX_PROXY_HEADER_BYTES} octets`);
  if (bytes.length < length) return INCOMPLETE;
  // LOCAL: whatever else it says is not about this connection.
  if (command === 0) return { kind: 'present', length, source: undefined };
  if (family > 3 || protocol > 2) return malformed(`its family and protocol are ${family} and ${protocol}`);
  const size = ADDRESS_BYTES[family];
  // No other protocol reaches a TCP listener.
  if (size === undefined || protocol !== STREAM) return { kind: 'present', length, source: undefined };
  if (length < V2_FIXED_BYTES + 2 * size + 4) return malformed('it is too short for its addresses');
  const address =
    family === INET
      ? formatIpv4(view.getUint32(V2_FIXED_BYTES))
      : formatAddress(Array.from({ length: 8 }, (_, index) => view.getUint16(V2_FIXED_BYTES + 2 * index)));
  return { kind: 'present', length, source: { address, tcpPort: view.getUint16(V2_FIXED_BYTES + 2 * size) } };
}

const INET = 1;
const INET6 = 2;
const STREAM = 1;
/** Of each family that has addresses of ours. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { [INET]: 4, [INET6]: 16 };

function nibbles(octet: number): [high: number, low: number] {
  return [octet >>> 4, octet & 0xf];
}

/** An IPv4 client of a dual-stack proxy is an IPv4 client (RFC 4291, 2.5.5.2). */
function formatAddress(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? formatIpv4(((high << 16) | low) >>> 0) : formatIpv6(groups);
}

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
