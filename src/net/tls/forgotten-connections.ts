import type { TLSSocket } from 'node:tls';
import { nativeAddon } from '../../native/addon.ts';

/** TLS sockets that are being destroyed. */
const ENDING = new Set<TLSSocket>();

/**
 * Makes the secrets of a TLS connection in Node's OpenSSL unreadable. OpenSSL frees a connection without overwriting its
 * traffic secrets. So malloc overwrites all freed memory, from this call until the socket has emitted `close`.
 * @param socket is destroyed, or will be at once
 */
export function forgetConnection(socket: TLSSocket): void {
  if (socket.closed || ENDING.has(socket)) return;
  ENDING.add(socket);
  // Node frees the connection before it emits 'close'.
  socket.once('close', () => {
    ENDING.delete(socket);
    if (ENDING.size === 0) wipe(false);
  });
  if (ENDING.size === 1) wipe(true);
}

function wipe(isOn: boolean): void {
  try {
    nativeAddon().wipeFreedMemory(isOn);
  } catch {
    // Without the addon no connection is taken over, and freed memory is left to OpenSSL.
  }
}
