/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement
 * sum of 16-bit words, most significant octet first. Sums are plain numbers, and
 * may exceed 16 bits; `fold` adds the carries.
 */

/**
 * Adds the octets from `start` to `end`, exclusive, to `initial`. An odd last octet
 * is the high half of a word, so only the last piece of a sum may have an odd length.
 */
export function sumOf(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  // Two sums of octets stay below 2^31 for any frame, so V8 keeps them as small integers. One sum of words would not.
  let high = 0;
  let low = 0;
  const even = end - ((end - start) & 1);
  for (let at = start; at < even; at += 2) {
    high += bytes[at] as number;
    low += bytes[at + 1] as number;
  }
  if (even < end) high += bytes[even] as number;
  return initial + high * 256 + low;
}

/** Adds the carries of a sum until it fits into 16 bits. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}

/** The value of the checksum field for a sum. */
export function checksumOf(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/**
 * The sum of the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1).
 * @param addresses where the source address starts; the destination follows it
 * @param addressBytes 4 or 16
 * @param transportBytes length of the transport header and its payload
 */
export function pseudoHeaderSum(
  bytes: Uint8Array,
  addresses: number,
  addressBytes: number,
  protocol: number,
  transportBytes: number,
): number {
  return sumOf(bytes, addresses, addresses + 2 * addressBytes, protocol + transportBytes);
}
