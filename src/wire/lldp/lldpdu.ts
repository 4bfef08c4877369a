/** The contents of an LLDPDU (IEEE 802.1AB-2016, clause 8). */

/** The nearest bridge group address (IEEE 802.1AB-2016, table 7-1), which every bridge takes and none relays. */
export const NEAREST_BRIDGE = 0x0180_c200_000e;
/** IEEE 802.1AB-2016, table C-1. */
export const ETHER_TYPE_LLDP = 0x88cc;

/** TLV types (table 8-1). */
export const TLV = {
  end: 0,
  chassisId: 1,
  portId: 2,
  ttl: 3,
  portDescription: 4,
  systemName: 5,
  systemDescription: 6,
  capabilities: 7,
  managementAddress: 8,
  organization: 127,
} as const;

/** The most octets of an identifier and of a text: 255, as their TLVs have it (8.5.2 to 8.5.7). */
export const MAX_TEXT_BYTES = 255;
/** The most management addresses that are kept of one LLDPDU. Any number may be sent (8.5.9). */
export const MAX_MANAGEMENT_ADDRESSES = 4;

/** Chassis ID subtypes (table 8-2). */
export const CHASSIS = { interfaceAlias: 1, macAddress: 4, networkAddress: 5, interfaceName: 6, local: 7 } as const;
/** Port ID subtypes (table 8-3). */
export const PORT = { interfaceAlias: 1, macAddress: 3, networkAddress: 4, interfaceName: 5, local: 7 } as const;

/** System capabilities, by bit (table 8-4). */
export const CAPABILITIES = [
  'other',
  'repeater',
  'bridge',
  'wlan-ap',
  'router',
  'telephone',
  'docsis',
  'station',
  'c-vlan',
  's-vlan',
  'tpmr',
] as const;
export const CAPABILITY_BRIDGE: number = 1 << CAPABILITIES.indexOf('bridge');

/** The identifier of a chassis or a port; what the octets are, the subtype says. */
export interface Identifier {
  readonly subtype: number;
  /** 1 to 255 octets, owned by this object */
  readonly octets: Uint8Array;
}

/** A management address (8.5.9). */
export interface ManagementAddress {
  /** the IANA address family: 1 IPv4, 2 IPv6, 6 MAC address */
  readonly family: number;
  /** 1 to 31 octets, owned by this object */
  readonly octets: Uint8Array;
  /** 1 unknown, 2 ifIndex, 3 system port number */
  readonly interfaceSubtype: number;
  readonly interfaceNumber: number;
}

export interface Lldpdu {
  readonly chassisId: Identifier;
  readonly portId: Identifier;
  /** 0 to 65 535 s; 0: the sender leaves, and what it said is no longer valid (shutdown LLDPDU, 9.1.2.2) */
  readonly ttlSeconds: number;
  readonly portDescription?: string | undefined;
  readonly systemName?: string | undefined;
  readonly systemDescription?: string | undefined;
  /** bits of CAPABILITIES */
  readonly capabilities?: { readonly supported: number; readonly enabled: number } | undefined;
  readonly managementAddresses?: readonly ManagementAddress[] | undefined;
  /** the port VLAN ID (IEEE 802.1Q-2022, D.2.1); 0: the port does not have one */
  readonly portVlanId?: number | undefined;
}

/** @returns `bridge`, `router`, … in the order of their bits; bits without a name are left out */
export function capabilityNames(bits: number): string[] {
  return CAPABILITIES.filter((_, bit) => ((bits >>> bit) & 1) === 1);
}
