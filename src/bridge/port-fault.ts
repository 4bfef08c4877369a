import type { FrameExample } from '../wire/ethernet/frame-summary.ts';
import type { Direction, DiscardReason } from './port.ts';

/** The reasons of discards that indicate a fault of a device, a driver or a peer, or a wrong configuration. */
export const FAULT_REASONS: ReadonlySet<DiscardReason> = new Set(['tooLong', 'badOffload', 'deviceError']);

/** The first discard of a port for one of these reasons. */
export interface PortFault {
  readonly direction: Direction;
  readonly reason: DiscardReason;
  /** The frame, if available; its octets are valid until the call returns. */
  readonly example: FrameExample | undefined;
}
