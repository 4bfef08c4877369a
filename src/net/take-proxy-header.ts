import type { Socket } from 'node:net';
import { type ProxyHeader, readProxyHeader } from './proxy-protocol.ts';

/**
 * Takes the PROXY header, if there is one, off a fresh connection. What is
 * behind it, or everything where there is none, stays to be read from the
 * socket. Clients of TLS and of HTTP send first, so no wait is in vain;
 * the deadline of pending connections ends those that send nothing.
 * @param done called once, unless the connection ends before it is clear what
 *   it begins with; never with `incomplete`
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
