import type { TLSSocket } from 'node:tls';

/**
 * Makes a TLS socket end with the first breach of TLS (RFC 8446, 6.2). Behind the handshake Node only emits `error` then,
 * and leaves the connection open: nothing more arrives, and no `close` follows. Its reason is in `errored` afterwards.
 */
export function endWhenBroken(socket: TLSSocket): void {
  socket.on('error', (error) => socket.destroy(error));
}
