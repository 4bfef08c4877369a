import { OUI_8021, PORT_VLAN_ID } from './encode.ts';
import {
  type Identifier,
  type Lldpdu,
  MAX_MANAGEMENT_ADDRESSES,
  MAX_TEXT_BYTES,
  type ManagementAddress,
  TLV,
} from './lldpdu.ts';
import { printable } from './printable.ts';

/** Why an LLDPDU is discarded as a whole (IEEE 802.1AB-2016, 9.2.7.7.1 and 9.2.7.7.2). */
export type LldpFault = 'truncated' | 'order' | 'duplicate' | 'length' | 'end';

export interface Decoded {
  readonly lldpdu: Lldpdu;
  /** optional TLVs that were passed over since they are malformed, or there twice (statsTLVsDiscardedTotal) */
  readonly discarded: number;
  /** TLVs of reserved types, and of other organizations (statsTLVsUnrecognizedTotal) */
  readonly unrecognized: number;
}

/** The optional TLVs, as they are found. */
interface Found {
  portDescription?: string;
  systemName?: string;
  systemDescription?: string;
  capabilities?: { supported: number; enabled: number };
  managementAddresses?: ManagementAddress[];
  portVlanId?: number;
}

type Outcome = 'taken' | 'discarded' | 'unrecognized';

const HEADER = 2;

/**
 * Decodes the LLDPDU in `bytes[start .. end)`; octets behind its End TLV are padding. Never throws. The result has copies
 * of octets, and is bounded: at most 255 octets for each identifier and text, and MAX_MANAGEMENT_ADDRESSES addresses.
 */
export function decodeLldpdu(bytes: Uint8Array, start: number, end: number): Decoded | LldpFault {
  const mandatory: Uint8Array[] = [];
  const found: Found = {};
  let discarded = 0;
  let unrecognized = 0;
  for (let at = start; at < end; ) {
    const type = (bytes[at] as number) >>> 1;
    const length = (((bytes[at] as number) & 1) << 8) | (bytes[at + 1] as number);
    // A header of which one octet is there ends behind the LLDPDU, too.
    const from = at + HEADER;
    at = from + length;
    if (at > end) return 'truncated';
    if (type === TLV.end) {
      if (length !== 0) return 'end';
      break;
    }
    if (mandatory.length < 3) {
      // The first three TLVs: chassis ID, port ID, TTL (9.2.7.7.1, a to c).
      if (type !== mandatory.length + 1) return 'order';
      mandatory.push(bytes.subarray(from, at));
      continue;
    }
    if (type <= TLV.ttl) return 'duplicate';
    const outcome = take(found, type, bytes.subarray(from, at));
    if (outcome === 'discarded') discarded++;
    else if (outcome === 'unrecognized') unrecognized++;
  }
  const [chassis, port, ttl] = mandatory;
  if (ttl === undefined) return 'order';
  const chassisId = identifier(chassis as Uint8Array);
  const portId = identifier(port as Uint8Array);
  if (chassisId === undefined || portId === undefined || ttl.length < 2) return 'length';
  return { lldpdu: { chassisId, portId, ttlSeconds: word(ttl, 0), ...found }, discarded, unrecognized };
}

/** A subtype and 1 to 255 octets (8.5.2.1, 8.5.3.1). */
function identifier(value: Uint8Array): Identifier | undefined {
  if (value.length < 2 || value.length > 1 + MAX_TEXT_BYTES) return undefined;
  return { subtype: value[0] as number, octets: Uint8Array.from(value.subarray(1)) };
}

function take(found: Found, type: number, value: Uint8Array): Outcome {
  switch (type) {
    case TLV.portDescription:
      return takeText(found, 'portDescription', value);
    case TLV.systemName:
      return takeText(found, 'systemName', value);
    case TLV.systemDescription:
      return takeText(found, 'systemDescription', value);
    case TLV.capabilities:
      if (value.length < 4 || found.capabilities !== undefined) return 'discarded';
      found.capabilities = { supported: word(value, 0), enabled: word(value, 2) };
      return 'taken';
    case TLV.managementAddress:
      return takeAddress(found, value);
    case TLV.organization:
      return takeOrganization(found, value);
    default:
      return 'unrecognized';
  }
}

function takeText(
  found: Found,
  name: 'portDescription' | 'systemName' | 'systemDescription',
  value: Uint8Array,
): Outcome {
  if (value.length > MAX_TEXT_BYTES || found[name] !== undefined) return 'discarded';
  found[name] = printable(value);
  return 'taken';
}

function takeAddress(found: Found, value: Uint8Array): Outcome {
  const [length = 0, family = 0] = value;
  // The length counts the family, so it is 2 to 32; an interface number of five octets and the length of an OID follow.
  if (length < 2 || length > 32 || value.length < length + 7) return 'discarded';
  const addresses = found.managementAddresses ?? [];
  if (addresses.length >= MAX_MANAGEMENT_ADDRESSES) return 'discarded';
  found.managementAddresses = addresses;
  const interfaceNumber = word(value, length + 2) * 0x1_0000 + word(value, length + 4);
  const octets = Uint8Array.from(value.subarray(2, length + 1));
  addresses.push({ family, octets, interfaceSubtype: value[length + 1] as number, interfaceNumber });
  return 'taken';
}

function takeOrganization(found: Found, value: Uint8Array): Outcome {
  if (value.length < 4) return 'discarded';
  if (OUI_8021.some((octet, at) => value[at] !== octet) || value[3] !== PORT_VLAN_ID) return 'unrecognized';
  if (value.length < 6 || found.portVlanId !== undefined) return 'discarded';
  found.portVlanId = word(value, 4);
  return 'taken';
}

function word(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}
