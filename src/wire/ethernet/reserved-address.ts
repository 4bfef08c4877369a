import type { MacAddress } from './mac-address.ts';

/** 01-80-C2-00-00-00, the first of the 16 group addresses that a bridge does not relay (IEEE 802.1Q-2022, table 8-1). */
const FIRST_RESERVED = 0x0180_c200_0000;
const RESERVED_ADDRESSES = 16;

/** A set of reserved group addresses: bit n stands for 01-80-C2-00-00-0n. */
export type ReservedSet = number;

export const ALL_RESERVED: ReservedSet = 0xffff;

/** The last hexadecimal digit, 0 to 15, of a reserved group address; -1 for any other address. */
export function reservedDigitOf(mac: MacAddress): number {
  const digit = mac - FIRST_RESERVED;
  return digit >= 0 && digit < RESERVED_ADDRESSES ? digit : -1;
}

/**
 * Parses `all`, or the last hexadecimal digits of the addresses, separated by commas: `0,E`.
 * @throws RangeError when the text is anything else
 */
export function parseReservedSet(text: string): ReservedSet {
  if (text === 'all') return ALL_RESERVED;
  if (!/^[0-9a-f](,[0-9a-f])*$/i.test(text)) {
    throw new RangeError(`"${text}" names no reserved addresses; write their last hexadecimal digits as 0,E, or all`);
  }
  return text.split(',').reduce((set, digit) => set | (1 << Number.parseInt(digit, 16)), 0);
}
