import type { FrameExample } from '../wire/ethernet/frame-summary.ts';
import type { Direction, DiscardReason } from './port.ts';

/** The reasons that point at a fault of a device, a driver or a peer, not at what the network is used for. */
export const FAULT_REASONS: ReadonlySet<DiscardReason> = new Set(['tooLong', 'badOffload', 'deviceError']);

/** A port has dropped the first frame for one of these reasons. */
export interface PortFault {
  readonly direction: Direction;
  readonly reason: DiscardReason;
  /** One such frame, where the port can show it; its bytes are valid until the call returns. */
  readonly example: FrameExample | undefined;
}
