import type { TLSSocket } from 'node:tls';

/**
 * Destroys a TLS socket at its first TLS error (RFC 8446, 6.2). After the handshake Node itself only emits `error` and
 * leaves the connection open: nothing more arrives, and no `close` follows. The error is in `errored` afterwards.
 */
export function endWhenBroken(socket: TLSSocket): void {
  socket.on('error', (error) => socket.destroy(error));
}
