import type { Socket } from 'node:net';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import type { CongestionChoice } from './congestion-control.ts';
import { NativeTransport } from './native-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport } from './transport.ts';

export interface TransportOptions {
  /** TCP congestion control, which needs the addon; default `auto` */
  readonly congestion?: CongestionChoice | undefined;
  /** throws when there is no addon */
  readonly loadAddon?: () => NativeAddon;
}

/**
 * The fastest possible transport over a connected socket, which belongs to the transport from now on.
 * @param head octets already read from it
 */
export function openTransport(socket: Socket, head: Buffer, options: TransportOptions = {}): Transport {
  const { congestion, loadAddon = nativeAddon } = options;
  return NativeTransport.adopt(socket, head, loadAddon, congestion) ?? new SocketTransport(socket, head);
}
