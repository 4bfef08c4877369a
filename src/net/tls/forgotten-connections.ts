import type { TLSSocket } from 'node:tls';
import { nativeAddon } from '../../native/addon.ts';

/** TLS sockets that are being destroyed. */
const ENDING = new Set<TLSSocket>();

/**
 * Makes Node's OpenSSL forget what it knows of a connection. It frees the connection with all traffic secrets in it, as
 * they are; so malloc overwrites what it is given back, from here until the socket is closed, which takes a moment.
 * @param socket is destroyed, or about to be
 */
export function forgetConnection(socket: TLSSocket): void {
  if (socket.closed || ENDING.has(socket)) return;
  ENDING.add(socket);
  // Node frees the connection before it says 'close'.
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
    // Without the addon no connection is taken over, and OpenSSL's memory is its own.
  }
}
