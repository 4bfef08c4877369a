/**
 * The Max Resp Code of queries, and the Querier's Query Interval Code: a number up to 127 as it is, a larger one in
 * floating point (RFC 3376, 4.1.1 and 4.1.7; RFC 3810, 5.1.3 and 5.1.9). IGMP's has 8 bits and tenths of a second,
 * MLDv2's has 16 bits and milliseconds.
 */

/** The value of a code of 8 bits: exponent 3 bits, mantissa 4 bits. At most 31 744. */
export function valueOfCode8(code: number): number {
  return code < 0x80 ? code : ((code & 0xf) | 0x10) << (((code >> 4) & 7) + 3);
}

/** The value of a code of 16 bits: exponent 3 bits, mantissa 12 bits. At most 8 387 584. */
export function valueOfCode16(code: number): number {
  return code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3);
}

/** The code of the largest value of 8 bits that is not above `value`. */
export function code8Of(value: number): number {
  return codeOf(value, 4);
}

/** The same with 16 bits. */
export function code16Of(value: number): number {
  return codeOf(value, 12);
}

function codeOf(value: number, mantissaBits: number): number {
  const plain = 1 << (mantissaBits + 3);
  if (value < plain) return value;
  const one = 1 << mantissaBits;
  for (let exponent = 0; exponent < 8; exponent++) {
    const mantissa = value >> (exponent + 3);
    if (mantissa < 2 * one) return plain | (exponent << mantissaBits) | (mantissa & (one - 1));
  }
  return 2 * plain - 1;
}
