import type { Socket } from 'node:net';
import { type NativeAddon, nativeAddon } from '../native.ts';
import { NativeTransport } from './native-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport } from './transport.ts';

/**
 * The fastest transport over a connected socket, which belongs to it from now on.
 * @param head octets that were read from it already
 * @param loadAddon throws where there is none
 */
export function openTransport(socket: Socket, head: Buffer, loadAddon: () => NativeAddon = nativeAddon): Transport {
  return NativeTransport.adopt(socket, head, loadAddon) ?? new SocketTransport(socket, head);
}
