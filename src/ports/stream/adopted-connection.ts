import type { Socket } from 'node:net';
import type { NativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { setSocketOptions } from '../../native/sockets.ts';
import { descriptorOf } from '../../net/socket-descriptor.ts';
import { type KernelStream, PlainStream } from './kernel-stream.ts';

/**
 * TCP_NOTSENT_LOWAT: the unsent octets in the kernel above which the socket is not writable. A lower value costs
 * throughput on fast paths; a higher one adds queueing delay below FQ-CoDel, where flows cannot be scheduled.
 */
const NOT_SENT_LOWAT_BYTES = 128 * 1024;

/**
 * What a Unix socket holds for its reader. With the system's 208 KiB the ends wake each other more often: writes of 16 KiB cost
 * both ends together 0.56 s of processor time a gigabyte, with 1 MiB 0.16 s (2026-11-30, beside other load).
 */
const UNIX_BUFFER_BYTES = 1024 * 1024;

/** A connection whose file descriptor was taken over from Node. */
export interface AdoptedConnection {
  readonly addon: NativeAddon;
  readonly descriptor: Descriptor;
  readonly stream: KernelStream;
  /** octets already read from it; plaintext when it is TLS */
  readonly prefetched: Buffer;
  readonly kind: 'native' | 'native-tls';
  /** whether it is a Unix socket; default: no */
  readonly isLocal?: boolean;
}

/** Takes a connection by TCP or by a Unix socket over from Node. @returns undefined when that is impossible; the socket is unchanged then */
export function takeOverPlain(
  socket: Socket,
  head: Buffer,
  loadAddon: () => NativeAddon,
): AdoptedConnection | undefined {
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
  const prefetched = Buffer.concat([head, ...drain(socket)]);
  const isLocal = socket.remoteAddress === undefined;
  if (isLocal) setSocketOptions(fd, { sendBufferBytes: UNIX_BUFFER_BYTES });
  else tune(fd);
  socket.destroy();
  return { addon, descriptor, stream: new PlainStream(addon, descriptor), prefetched, kind: 'native', isLocal };
}

/** Pauses a socket. @returns the octets that Node has read and not delivered */
export function drain(socket: Socket): Buffer[] {
  socket.pause();
  const chunks: Buffer[] = [];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
    chunks.push(chunk);
  }
  return chunks;
}

/** Sets TCP_NODELAY and TCP_NOTSENT_LOWAT for a tunnel. */
export function tune(fd: number): void {
  setSocketOptions(fd, { noDelay: 1, notSentLowatBytes: NOT_SENT_LOWAT_BYTES });
}
