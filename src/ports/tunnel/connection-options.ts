import type { Congestion, Direction, DiscardReason } from '../../bridge/port.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Heartbeat } from '../stream/heartbeat.ts';
import type { TunnelLimits } from '../stream/limits.ts';
import type { Wire } from '../stream/packing.ts';
import type { Transport } from '../stream/transport.ts';

/** The local role in the opening handshake: the client masks its messages (RFC 6455, 5.1). */
export type Role = 'client' | 'server';

export interface ConnectionEvents {
  /** As PortEvents.receive. */
  receive(batch: FrameBatch): Congestion | undefined;
  discarded(direction: Direction, reason: DiscardReason, frames: number, example?: FrameExample): void;
  /** The peer has lost another tunnel, with this id, and uses this one. */
  tunnelLost?(tunnelId: string): void;
  /** The connection can carry no more frames. Called at most once, and never after `close`. @param reason one line */
  lost(reason: string): void;
}

export interface ConnectionOptions {
  transport: Transport;
  role: Role;
  limits: TunnelLimits;
  maxFrameBytes: number;
  /** frames to this address leave before all others that wait */
  urgent?: MacAddress | undefined;
  /** the wire that the opening handshake selected */
  wire: Wire;
  /** Called with each list of nodes (node-list.ts) of the peer, which the receiver owns; default: they are ignored. */
  onNodeList?: (message: Buffer) => void;
  /** default: that of the process */
  heartbeat?: Heartbeat;
  /** called when the transport is closed */
  onGone?: () => void;
}
