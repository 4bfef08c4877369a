import type { Socket } from 'node:net';
import { NativeTransport } from './native-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport } from './transport.ts';

/**
 * The fastest transport over a connected socket, which belongs to it from now on.
 * @param head octets that were read from it already
 */
export function openTransport(socket: Socket, head: Buffer): Transport {
  return NativeTransport.adopt(socket, head) ?? new SocketTransport(socket, head);
}
