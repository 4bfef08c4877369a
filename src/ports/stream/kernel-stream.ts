import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { Descriptor, NativeAddon } from '../../native/addon.ts';

/**
 * What a transport reads from and writes to a connection of the kernel by:
 * plainly, or with TLS in between. No call waits; negative numbers are errno's,
 * or whatever `errorOf` knows.
 */
export interface KernelStream {
  /** Reads into `bytes[from .. to)`. @returns how many octets, 0 at the stream's end, or a negative number */
  read(bytes: Buffer, from: number, to: number): number;
  /** Whether the next read gives something, though the connection need not become readable for it. */
  readonly hasMore: boolean;
  /** Writes `bytes[from .. to)`, behind what is unsent. @returns how many octets it took, or a negative number */
  write(bytes: Buffer, from: number, to: number): number;
  /** What it took, or had to say itself, and the kernel did not: the next write sends it on. */
  readonly unsentBytes: number;
  /** Octets of the blocks that it holds. */
  readonly heldBytes: number;
  /** Ends our direction. @returns 0, or a negative number; EAGAIN while something is unsent */
  end(): number;
  /**
   * Lets native code, which has opened the connection as a tunnel, read and write for it.
   * @param onOver told of what would be read at the end
   * @param onUnsent told when the stream itself has something to send
   */
  delegate(onOver: (status: number) => void, onUnsent: () => void): void;
  /** What a negative number means. */
  errorOf(status: number): Error;
  /** The connection is closed: nothing is called any more. Idempotent. */
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

  constructor(addon: NativeAddon, descriptor: Descriptor) {
    this.#addon = addon;
    this.#descriptor = descriptor;
  }

  readonly hasMore: boolean = false;
  readonly unsentBytes: number = 0;
  readonly heldBytes: number = 0;

  read(bytes: Buffer, from: number, to: number): number {
    return this.#addon.readStream(this.#descriptor, bytes, from, to);
  }

  write(bytes: Buffer, from: number, to: number): number {
    return this.#addon.writeStream(this.#descriptor, bytes, from, to);
  }

  end(): number {
    return this.#addon.endStream(this.#descriptor);
  }

  delegate(): void {
    // Native code reads and writes plain octets by itself.
  }

  errorOf(status: number): Error {
    return errnoError(status);
  }

  close(): void {
    // The transport closes the descriptor.
  }
}
