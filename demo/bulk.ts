import { createHash, type Hash, randomFillSync } from 'node:crypto';

/** What crosses the tunnel: 256 MiB. */
export const BULK_BYTES: number = 256 * 1024 * 1024;
const BLOCK_BYTES = 65_536;

/**
 * Data that no two blocks of are equal, made as it is sent, and the checksum of
 * what was made so far.
 */
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

  /** The next octets, at most so many, the caller's to keep; none at the end. */
  next(mostBytes: number = BLOCK_BYTES): Buffer {
    const chunk = Buffer.from(this.#block.subarray(0, Math.min(mostBytes, this.#totalBytes - this.#made)));
    if (chunk.length >= 8) chunk.writeBigUInt64BE(BigInt(this.#made));
    this.#made += chunk.length;
    this.#hash.update(chunk);
    return chunk;
  }

  /** Only once. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}

/** Counts what arrives and sums it up. */
export class BulkSink {
  readonly #hash: Hash = createHash('sha256');
  bytes = 0;

  take(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
  }

  /** Only once. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
