import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { NativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';

/**
 * Sends over a TCP connection of the kernel, with or without TLS. No call blocks.
 *
 * `send` and `sendFrames` accept all octets: those that the kernel does not take wait in native code. Both return how
 * many octets wait now, including those of earlier calls; or a negative number for `errorOf`, after which the connection
 * cannot be used.
 */
export interface KernelStream {
  /** Whether octets that were read before the take-over are still to be delivered. */
  readonly hasPrefetched: boolean;
  /**
   * The connection has been opened as a tunnel (NativeAddon.openTunnel).
   * @param onOver called with 0 at the end of the stream, or with a negative number for `errorOf`
   */
  open(onOver: (status: number) => void): void;
  send(bytes: Buffer): number;
  /**
   * Sends frames of one batch as messages of the tunnel's wire.
   * @param indexes the frames' indexes in the batch, in its first `count` elements
   * @param leastBytes on the raw wire, shorter frames are padded to this length
   */
  sendFrames(batch: FrameBatch, indexes: Uint32Array, count: number, leastBytes: number): number;
  /** Called when no octets wait any more. */
  drained(): void;
  /** Shuts down the sending direction. @returns 0, or a negative number; EAGAIN while octets wait */
  end(): number;
  /** The error for a negative number. */
  errorOf(status: number): Error;
  /** The last call; the transport closes the descriptor. Idempotent. */
  close(): void;
}

export const TRY_AGAIN: number = -constants.errno.EAGAIN;

export function errnoError(status: number): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(code), { code });
}

/** A connection without TLS. */
export class PlainStream implements KernelStream {
  readonly #addon: NativeAddon;
  readonly #descriptor: Descriptor;
  readonly hasPrefetched: boolean = false;

  constructor(addon: NativeAddon, descriptor: Descriptor) {
    this.#addon = addon;
    this.#descriptor = descriptor;
  }

  open(): void {
    // `onOver` is not used: native code reports the end of a plain stream by READABLE.
  }

  send(bytes: Buffer): number {
    return this.#addon.sendOctets(this.#descriptor, bytes, 0, bytes.length);
  }

  sendFrames(batch: FrameBatch, indexes: Uint32Array, count: number, leastBytes: number): number {
    const { bytes, starts, lengths, hasOffloadHeaders } = batch;
    return this.#addon.sendFrames(
      this.#descriptor,
      bytes,
      starts,
      lengths,
      indexes,
      count,
      hasOffloadHeaders,
      leastBytes,
    );
  }

  drained(): void {
    // Nothing was deferred.
  }

  end(): number {
    return this.#addon.endStream(this.#descriptor);
  }

  errorOf(status: number): Error {
    return errnoError(status);
  }

  close(): void {
    // It holds no resources.
  }
}
