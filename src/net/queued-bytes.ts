import type { Socket } from 'node:net';

/**
 * The octets of writes that the kernel has not taken yet, also of a write that it has taken in part, for which Node has no
 * public API; 0 for a closed socket.
 */
export function queuedBytesOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { writeQueueSize?: unknown } | null };
  return typeof handle?.writeQueueSize === 'number' ? handle.writeQueueSize : 0;
}
