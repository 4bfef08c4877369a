import { randomInt } from 'node:crypto';
import { MIN_WIRE_BYTES } from '../../wire/ethernet/ethernet-frame.ts';

/** How long a sent frame is remembered. */
const MEMORY_MS = 1000;

const SETS = 1024;
const WAYS = 4;

/** Random, so that a sender cannot construct frames with equal hashes. */
const SEEDS = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;

/**
 * The frames sent within the last second, as 64-bit hashes, in a 4-way
 * set-associative table of 4096 entries: a new entry replaces the oldest of its
 * set. Both calls read the frame once, and nothing is allocated after
 * construction (64 KiB).
 */
export class EchoMemory {
  readonly #hashes: Uint32Array = new Uint32Array(SETS * WAYS * 2);
  readonly #sentMs: Float64Array = new Float64Array(SETS * WAYS).fill(Number.NEGATIVE_INFINITY);
  #lastMs = Number.NEGATIVE_INFINITY;
  /** The hash of the current frame. */
  #low = 0;
  #high = 0;

  /** Remembers the frame `bytes[start .. start + length)`, hashed as it is sent: padded with zeros to 60 octets. */
  add(bytes: Uint8Array, start: number, length: number, nowMs: number): void {
    this.#hash(bytes, start, length);
    const first = (this.#low & (SETS - 1)) * WAYS;
    let oldest = first;
    for (let way = first + 1; way < first + WAYS; way++) {
      if ((this.#sentMs[way] as number) < (this.#sentMs[oldest] as number)) oldest = way;
    }
    this.#hashes[2 * oldest] = this.#low;
    this.#hashes[2 * oldest + 1] = this.#high;
    this.#sentMs[oldest] = nowMs;
    this.#lastMs = nowMs;
  }

  /** Whether an identical frame was sent within the last second. */
  has(bytes: Uint8Array, start: number, length: number, nowMs: number): boolean {
    if (nowMs - this.#lastMs > MEMORY_MS) return false;
    this.#hash(bytes, start, length);
    const first = (this.#low & (SETS - 1)) * WAYS;
    for (let way = first; way < first + WAYS; way++) {
      if (this.#hashes[2 * way] !== this.#low || this.#hashes[2 * way + 1] !== this.#high) continue;
      if (nowMs - (this.#sentMs[way] as number) <= MEMORY_MS) return true;
    }
    return false;
  }

  #hash(bytes: Uint8Array, start: number, length: number): void {
    if (length >= MIN_WIRE_BYTES) {
      this.#hashWhole(bytes, start, length);
      return;
    }
    padded.fill(0);
    for (let i = 0; i < length; i++) padded[i] = bytes[start + i] as number;
    this.#hashWhole(padded, 0, MIN_WIRE_BYTES);
  }

  /** Two lanes of 32 bits: the words of the frame are mixed alternately into them. */
  #hashWhole(bytes: Uint8Array, start: number, length: number): void {
    const end = start + length;
    const wholePairs = start + (length & ~7);
    let low = SEEDS[0] ^ length;
    let high: number = SEEDS[1];
    let at = start;
    for (; at < wholePairs; at += 8) {
      low = mix(low ^ wordAt(bytes, at), 0x9e3779b1);
      high = mix(high ^ wordAt(bytes, at + 4), 0x85ebca6b);
    }
    for (; at < end; at++) low = mix(low ^ (bytes[at] as number), 0x9e3779b1);
    this.#low = mix(low ^ high, 0xc2b2ae35) >>> 0;
    this.#high = mix(high ^ low, 0x27d4eb2f) >>> 0;
  }
}

/** Scratch space for a short frame, padded, while it is hashed. */
const padded: Uint8Array = new Uint8Array(MIN_WIRE_BYTES);

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function mix(value: number, factor: number): number {
  const product = Math.imul(value, factor);
  return product ^ (product >>> 15);
}
