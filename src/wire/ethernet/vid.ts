declare const brand: unique symbol;

/**
 * A VLAN identifier as a frame carries it: 0 for untagged and priority-tagged
 * frames, 1 to 4094 for a VLAN, 4095 reserved (IEEE 802.1Q-2022, table 9-2).
 */
export type Vid = number & { readonly [brand]: 'Vid' };

/** The VID of frames without a tag. */
export const UNTAGGED: Vid = 0 as Vid;

/** Not allowed in a frame (IEEE 802.1Q-2022, table 9-2). */
export const RESERVED_VID: Vid = 4095 as Vid;

/** The VID in a tag's control information (TCI), its low twelve bits (802.1Q-2022, 9.6). */
export function vidOfTci(tci: number): Vid {
  return (tci & 0xfff) as Vid;
}
