import type { BridgePort } from '../bridge-port.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';

/** Counts the present frame as a discard of its ingress port; one that goes nowhere counts once, whatever it stands for. */
export function refuse({ ingress, batch, index, frames }: Pass, reason: DiscardReason): void {
  ingress.drop('rx', reason, reason === 'filtered' ? 1 : frames, batch, index);
}

/** The same for a frame whose way was decided: it counts at the port that it cannot leave by, if there is one. */
export function refuseAt(pass: Pass, egress: BridgePort | undefined, reason: DiscardReason): void {
  if (egress === undefined || egress === pass.ingress) refuse(pass, reason);
  else egress.tx.discard(reason);
}
