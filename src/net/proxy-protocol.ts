import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../wire/ethernet/ip-address.ts';

/*
 * The header in which a TCP proxy reports the address of its client (HAProxy, "The
 * PROXY protocol", versions 1 and 2; the sections below are of that document). The proxy
 * sends it once, as soon as it has connected, in front of all other octets, also of TLS.
 */

/** The client of a proxied connection; its address in canonical text, an IPv4-mapped one as IPv4. */
export interface ProxiedSource {
  readonly address: string;
  readonly tcpPort: number;
}

/** The result of parsing the first octets of a connection. */
export type ProxyHeader =
  /** The octets are no PROXY header. */
  | { readonly kind: 'absent' }
  /** They may be the beginning of one. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | {
      readonly kind: 'present';
      /** The length of the header in octets; the client's octets follow it. */
      readonly length: number;
      /** undefined if the proxy itself is the client, as in health checks, or does not know the client */
      readonly source: ProxiedSource | undefined;
    };

/** The longest line of version 1, CR LF included (2.1). */
const MAX_V1_BYTES = 107;
/** Version 2 allows 64 KiB (2.2). Addresses and the fields about TLS need a few hundred octets. */
export const MAX_PROXY_HEADER_BYTES = 2048;

const V1_START = ascii('PROXY ');
const V2_SIGNATURE = ascii('\r\n\r\n\0\r\nQUIT\n');
const V2_FIXED_BYTES = 16;

const ABSENT: ProxyHeader = { kind: 'absent' };
const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };

/**
 * Parses the header at the start of `bytes`, which are all octets of a connection so
 * far. HTTP and TLS cannot be mistaken for a header: `PROXY` is no
 * method, and neither begins with the signature of version 2.
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

/** Version 2 (2.2): signature, version and command, family and protocol, length, addresses, and fields that are ignored. */
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
  // LOCAL: the proxy's own connection; its addresses are to be ignored.
  if (command === 0) return { kind: 'present', length, source: undefined };
  if (family > 3 || protocol > 2) return malformed(`its family and protocol are ${family} and ${protocol}`);
  const size = ADDRESS_BYTES[family];
  // Other families and protocols have no client that could have reached a TCP listener.
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
/** Octets of one address, by family. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { [INET]: 4, [INET6]: 16 };

function nibbles(octet: number): [high: number, low: number] {
  return [octet >>> 4, octet & 0xf];
}

/** Formats an IPv4-mapped address (RFC 4291, 2.5.5.2) as IPv4: a dual-stack proxy reports IPv4 clients so. */
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
