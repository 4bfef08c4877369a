import type { IpWords } from '../../wire/multicast/ip-words.ts';

/**
 * The hash of an address, of 32 bits. Each word is mixed with the hash of those before it: a sum of products would have few values for
 * addresses that differ in the highest bits of their words only, whatever the factors are.
 * @param factors at least four odd numbers, random (`randomFactors`), so that invented addresses do not share a hash more often than random ones
 */
export function hashOfWords({ w0, w1, w2, w3 }: IpWords, factors: Int32Array): number {
  let hash = mix(0, w3, factors[0] as number);
  hash = mix(hash, w2, factors[1] as number);
  hash = mix(hash, w1, factors[2] as number);
  return mix(hash, w0, factors[3] as number);
}

/** @returns factors that invented addresses do not know */
export function randomFactors(count: number): Int32Array {
  return Int32Array.from({ length: count }, () => Math.trunc(Math.random() * 0x1_0000_0000) | 1);
}

/** @returns the hash with one word more */
export function mix(hash: number, word: number, factor: number): number {
  const product = Math.imul(hash ^ word, factor);
  return product ^ (product >>> 15);
}
