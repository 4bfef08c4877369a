import { randomInt } from 'node:crypto';
import { MIN_WIRE_BYTES } from '../../wire/ethernet-frame.ts';

/** How long a frame that was sent counts as one that may come back. */
const MEMORY_MS = 1000;

const SETS = 1024;
const WAYS = 4;

/** Not known to senders of frames, so that none can make two frames look equal. */
const SEEDS = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;

/**
 * The frames that were sent within the last second, as 64-bit hashes: 4096 of
 * them at most, the oldest of four giving way to a new one. Both calls cost one
 * pass over the frame, and nothing is allocated after construction (64 KiB).
 */
export class EchoMemory {
  readonly #hashes: Uint32Array = new Uint32Array(SETS * WAYS * 2);
  readonly #sentMs: Float64Array = new Float64Array(SETS * WAYS).fill(Number.NEGATIVE_INFINITY);
  /** The hash of the frame at hand. */
  #low = 0;
  #high = 0;

  /** Remembers the frame `bytes[start .. start + length)`; shorter ones leave padded to 60 octets with zeros. */
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
  }

  /** Whether an identical frame was sent within the last second. */
  has(bytes: Uint8Array, start: number, length: number, nowMs: number): boolean {
    this.#hash(bytes, start, length);
    const first = (this.#low & (SETS - 1)) * WAYS;
    for (let way = first; way < first + WAYS; way++) {
      if (this.#hashes[2 * way] !== this.#low || this.#hashes[2 * way + 1] !== this.#high) continue;
      if (nowMs - (this.#sentMs[way] as number) <= MEMORY_MS) return true;
    }
    return false;
  }

  #hash(bytes: Uint8Array, start: number, length: number): void {
    const paddedBytes = Math.max(length, MIN_WIRE_BYTES);
    const end = start + length;
    const wholeWords = start + (length & ~3);
    let low = SEEDS[0] ^ paddedBytes;
    let high: number = SEEDS[1];
    let at = start;
    for (; at < wholeWords; at += 4) {
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      low = mix(low ^ word, 0x9e3779b1);
      high = mix(high ^ word, 0x85ebca6b);
    }
    for (; at < start + paddedBytes; at += 4) {
      let word = 0;
      for (let i = 0; i < 4 && at + i < end; i++) word |= (bytes[at + i] as number) << (8 * i);
      low = mix(low ^ word, 0x9e3779b1);
      high = mix(high ^ word, 0x85ebca6b);
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
  }
}

function mix(value: number, factor: number): number {
  const product = Math.imul(value, factor);
  return product ^ (product >>> 15);
}
