import type { Socket } from 'node:net';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import type { CongestionChoice } from './congestion-control.ts';
import { NativeTransport } from './native-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport } from './transport.ts';

export interface TransportOptions {
  /** how its TCP answers congestion, where the addon is there; default `auto` */
  readonly congestion?: CongestionChoice | undefined;
  /** throws where there is none */
  readonly loadAddon?: () => NativeAddon;
}

/**
 * The fastest transport over a connected socket, which belongs to it from now on.
 * @param head octets that were read from it already
 */
export function openTransport(socket: Socket, head: Buffer, options: TransportOptions = {}): Transport {
  const { congestion, loadAddon = nativeAddon } = options;
  return NativeTransport.adopt(socket, head, loadAddon, congestion) ?? new SocketTransport(socket, head);
}
