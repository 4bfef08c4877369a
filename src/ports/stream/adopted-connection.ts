import type { Socket } from 'node:net';
import { type Descriptor, type NativeAddon, setSocketOptions } from '../../native/addon.ts';
import { type KernelStream, PlainStream } from './kernel-stream.ts';

/**
 * How much may wait in the kernel unsent. Less than what keeps a fast path busy
 * costs throughput; more is delay that nothing of ours can overtake.
 */
const NOT_SENT_LOWAT_BYTES = 128 * 1024;

/** A connection that was taken from Node by its file descriptor. */
export interface AdoptedConnection {
  readonly addon: NativeAddon;
  readonly descriptor: Descriptor;
  readonly stream: KernelStream;
  /** what was read from it already */
  readonly early: Buffer;
  readonly kind: 'native' | 'native-tls';
}

/** Takes the connection of a plain TCP socket over. @returns undefined when nothing was changed, since it cannot be */
export function adoptPlain(socket: Socket, head: Buffer, loadAddon: () => NativeAddon): AdoptedConnection | undefined {
  const fd = descriptorOf(socket);
  if (fd === undefined || socket.destroyed || socket.writableLength > 0) return undefined;
  let addon: NativeAddon;
  let descriptor: Descriptor;
  try {
    addon = loadAddon();
    descriptor = addon.adoptSocket(fd);
  } catch {
    return undefined;
  }
  const early = Buffer.concat([head, ...drain(socket)]);
  tune(fd);
  socket.destroy();
  return { addon, descriptor, stream: new PlainStream(addon, descriptor), early, kind: 'native' };
}

/** Takes out what a stream has read and nobody has taken. */
export function drain(socket: Socket): Buffer[] {
  socket.pause();
  const chunks: Buffer[] = [];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
    chunks.push(chunk);
  }
  return chunks;
}

/** Sets what the way of a tunnel's frames wants of a TCP connection. */
export function tune(fd: number): void {
  setSocketOptions(fd, { noDelay: 1, notSentLowatBytes: NOT_SENT_LOWAT_BYTES });
}

/** Node has no public name for a socket's file descriptor; without it we stay with the socket. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
