import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { NativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';

/**
 * How a transport sends by a connection of the kernel: plainly, or with TLS in between. No call waits.
 *
 * `send` and `sendFrames` take everything: what the kernel does not take waits in native code. Both return how many
 * octets wait now, those of earlier calls among them; or a negative number that `errorOf` knows, and the connection is
 * of no more use.
 */
export interface KernelStream {
  /** Whether octets that were read before the take-over are still to be delivered. */
  readonly hasPrefetched: boolean;
  /**
   * The connection has been opened as a tunnel (NativeAddon.openTunnel).
   * @param onOver told 0 at the stream's end, or why nothing more is read
   */
  open(onOver: (status: number) => void): void;
  send(bytes: Buffer): number;
  /**
   * Sends frames of one batch as messages of the tunnel's wire.
   * @param indexes the first `count` name the frames
   * @param leastBytes shorter payloads are padded, on the raw wire
   */
  sendFrames(batch: FrameBatch, indexes: Uint32Array, count: number, leastBytes: number): number;
  /** Nothing waits any more. */
  drained(): void;
  /** Ends our direction. @returns 0, or a negative number; EAGAIN while something waits */
  end(): number;
  /** What a negative number means. */
  errorOf(status: number): Error;
  /** Nothing is called any more; the transport closes the descriptor. Idempotent. */
  close(): void;
}

export const TRY_AGAIN: number = -constants.errno.EAGAIN;

export function errnoError(status: number): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(code), { code });
}

/** The octets of the connection as they are. */
export class PlainStream implements KernelStream {
  readonly #addon: NativeAddon;
  readonly #descriptor: Descriptor;
  readonly hasPrefetched: boolean = false;

  constructor(addon: NativeAddon, descriptor: Descriptor) {
    this.#addon = addon;
    this.#descriptor = descriptor;
  }

  open(): void {
    // Native code tells the end of a plain stream by readiness.
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
    // Nothing was put off.
  }

  end(): number {
    return this.#addon.endStream(this.#descriptor);
  }

  errorOf(status: number): Error {
    return errnoError(status);
  }

  close(): void {
    // It owns nothing.
  }
}
