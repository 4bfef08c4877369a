import type { Socket } from 'node:net';

/** The file descriptor of a socket, for which Node has no public API; undefined for a closed socket. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
