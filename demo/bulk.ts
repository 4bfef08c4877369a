import { createHash, type Hash, randomFillSync } from 'node:crypto';

/** The length of the transfer: 256 MiB. */
export const BULK_BYTES: number = 256 * 1024 * 1024;
const BLOCK_BYTES = 65_536;

/** Generates data in blocks, each of which begins with its offset, and the checksum of all data generated. */
export class BulkSource {
  readonly #block = randomFillSync(Buffer.alloc(BLOCK_BYTES));
  readonly #hash: Hash = createHash('sha256');
  readonly #totalBytes: number;
  #made = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  get isExhausted(): boolean {
    return this.#made >= this.#totalBytes;
  }

  /** The next octets, at most `mostBytes`; empty at the end. The caller owns them. */
  next(mostBytes: number = BLOCK_BYTES): Buffer {
    const chunk = Buffer.from(this.#block.subarray(0, Math.min(mostBytes, this.#totalBytes - this.#made)));
    if (chunk.length >= 8) chunk.writeBigUInt64BE(BigInt(this.#made));
    this.#made += chunk.length;
    this.#hash.update(chunk);
    return chunk;
  }

  /** The checksum of all data. To be called only once. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}

/** Counts received data and computes its checksum. */
export class BulkSink {
  readonly #hash: Hash = createHash('sha256');
  bytes = 0;

  take(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
  }

  /** The checksum of all data. To be called only once. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
