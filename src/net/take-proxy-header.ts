import type { Socket } from 'node:net';
import { type ProxyHeader, readProxyHeader } from './proxy-protocol.ts';

/**
 * Reads the PROXY header, if there is one, from a new connection. All other octets
 * stay to be read from the socket. TLS and HTTP clients send first, so waiting for
 * octets delays no connection; the timeout of `PendingConnections` closes those
 * that send nothing.
 * @param done called once, never with `incomplete`; not called if the connection
 *   ends before
 */
export function takeProxyHeader(socket: Socket, done: (header: ProxyHeader) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const receive = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    }
    const header = readProxyHeader(bytes);
    if (header.kind === 'incomplete') return;
    socket.off('readable', receive);
    const rest = bytes.subarray(header.kind === 'present' ? header.length : 0);
    if (rest.length > 0) socket.unshift(rest);
    done(header);
  };
  socket.on('readable', receive);
}
