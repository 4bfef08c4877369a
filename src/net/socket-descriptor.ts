import type { Socket } from 'node:net';

/** The file descriptor of a socket, for which Node has no public name; undefined where this Node does not tell it. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
