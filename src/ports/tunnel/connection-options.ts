import type { Direction, DiscardReason } from '../../bridge/port.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import type { Heartbeat } from '../stream/heartbeat.ts';
import type { TunnelLimits } from '../stream/limits.ts';
import type { Wire } from '../stream/packing.ts';
import type { Transport } from '../stream/transport.ts';

/** Which side of the opening handshake we were: the client masks (RFC 6455, 5.1). */
export type Role = 'client' | 'server';

export interface ConnectionEvents {
  receive(batch: FrameBatch): void;
  discarded(direction: Direction, reason: DiscardReason, frames: number, example?: FrameExample): void;
  /** The other end has lost another tunnel, named by its id, and uses this one. */
  tunnelLost?(tunnelId: string): void;
  /** The tunnel is of no more use. Said once, and never after `close` was called. @param reason one line */
  lost(reason: string): void;
}

export interface ConnectionOptions {
  transport: Transport;
  role: Role;
  limits: TunnelLimits;
  maxFrameBytes: number;
  /** what the opening handshake agreed on */
  wire: Wire;
  /** default: the heartbeat that all tunnels of the process share */
  heartbeat?: Heartbeat;
  /** the transport is closed */
  onGone?: () => void;
}
