import { type Identifier, type Lldpdu, MAX_TEXT_BYTES, type ManagementAddress, TLV } from './lldpdu.ts';

/** The OUI of IEEE 802.1, and its subtype of the port VLAN ID (IEEE 802.1Q-2022, D.2.1). */
export const OUI_8021 = [0x00, 0x80, 0xc2] as const;
export const PORT_VLAN_ID = 1;

/**
 * @returns the LLDPDU without Ethernet header: mandatory TLVs first and in their order (IEEE 802.1AB-2016, 8.2), an End
 *   TLV last. A shutdown LLDPDU, with a TTL of 0, has only these (9.1.2.2). Texts are cut to 255 octets of UTF-8
 */
export function encodeLldpdu(lldpdu: Lldpdu): Buffer {
  const { chassisId, portId, ttlSeconds } = lldpdu;
  const ttl = Buffer.alloc(2);
  ttl.writeUInt16BE(ttlSeconds);
  return Buffer.concat([
    tlv(TLV.chassisId, identifier(chassisId)),
    tlv(TLV.portId, identifier(portId)),
    tlv(TLV.ttl, ttl),
    ...(ttlSeconds === 0 ? [] : optionalTlvs(lldpdu)),
    tlv(TLV.end, Buffer.alloc(0)),
  ]);
}

function optionalTlvs(lldpdu: Lldpdu): Buffer[] {
  const { portDescription, systemName, systemDescription, capabilities, managementAddresses, portVlanId } = lldpdu;
  return [
    ...text(TLV.portDescription, portDescription),
    ...text(TLV.systemName, systemName),
    ...text(TLV.systemDescription, systemDescription),
    ...(capabilities === undefined ? [] : [tlv(TLV.capabilities, words(capabilities.supported, capabilities.enabled))]),
    ...(managementAddresses ?? []).map((address) => tlv(TLV.managementAddress, managementOctets(address))),
    ...(portVlanId === undefined
      ? []
      : [tlv(TLV.organization, Buffer.concat([Buffer.from([...OUI_8021, PORT_VLAN_ID]), words(portVlanId)]))]),
  ];
}

function text(type: number, value: string | undefined): Buffer[] {
  return value === undefined || value === '' ? [] : [tlv(type, cutText(value))];
}

/** The first octets of a text in UTF-8, at most 255; no character is cut in its middle. */
export function cutText(value: string): Buffer {
  const octets = Buffer.from(value);
  let end = Math.min(octets.length, MAX_TEXT_BYTES);
  // 10xxxxxx continues a character.
  while (end < octets.length && ((octets[end] as number) & 0xc0) === 0x80) end--;
  return octets.subarray(0, end);
}

function identifier({ subtype, octets }: Identifier): Buffer {
  return Buffer.concat([Buffer.from([subtype]), octets]);
}

/** An address string with its length, which counts the family; an interface number; no object identifier. */
function managementOctets({ family, octets, interfaceSubtype, interfaceNumber }: ManagementAddress): Buffer {
  const tail = Buffer.alloc(6);
  tail[0] = interfaceSubtype;
  tail.writeUInt32BE(interfaceNumber >>> 0, 1);
  return Buffer.concat([Buffer.from([octets.length + 1, family]), octets, tail]);
}

function words(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(2 * values.length);
  for (const [at, value] of values.entries()) octets.writeUInt16BE(value, 2 * at);
  return octets;
}

/** A TLV: seven bits of type, nine bits of length (8.4). */
function tlv(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE((type << 9) | value.length);
  return Buffer.concat([head, value]);
}
