import type { BridgePort } from '../bridge-port.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';

/** Counts the present frame as a discard of its ingress port. */
export function refuse({ ingress, batch, index, frames }: Pass, reason: DiscardReason): void {
  ingress.drop('rx', reason, reason === 'filtered' ? 1 : frames, batch, index);
}

/** Counts all frames of a batch as discards of their ingress port. */
export function refuseAll({ ingress, batch }: Pass, reason: DiscardReason): void {
  ingress.rx.discard(reason, batch.count);
  for (let index = 0; ingress.tap !== undefined && index < batch.count; index++) {
    ingress.tap.discarded('rx', reason, batch, index);
  }
}

/** Counts a discard after the decision: at the egress port that cannot send the frame, if there is one, else at the ingress port. */
export function refuseAt(pass: Pass, egress: BridgePort | undefined, reason: DiscardReason): void {
  if (egress === undefined || egress === pass.ingress) refuse(pass, reason);
  else egress.drop('tx', reason, 1, pass.batch, pass.index);
}
