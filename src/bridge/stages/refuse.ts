import type { BridgePort } from '../bridge-port.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';

/** Counts the present frame as a discard of its ingress port. */
export function refuse({ ingress, batch, index, frames }: Pass, reason: DiscardReason): void {
  ingress.drop('rx', reason, reason === 'filtered' ? 1 : frames, batch, index);
}

/** Counts a discard after the decision: at the egress port that cannot send the frame, if there is one, else at the ingress port. */
export function refuseAt(pass: Pass, egress: BridgePort | undefined, reason: DiscardReason): void {
  if (egress === undefined || egress === pass.ingress) refuse(pass, reason);
  else egress.tx.discard(reason);
}
