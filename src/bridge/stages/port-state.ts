import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';
import type { Answer, EgressStage, Stage } from './stage.ts';

/** Active topology enforcement (IEEE 802.1Q-2022, 8.6.1): refuses frames received by a port that is shut, stands by, discards, or is reserved for a mirror. */
export class IngressPortState implements Stage {
  apply({ ingress }: Pass): Answer {
    if (ingress.isShut) return 'shut';
    if (ingress.protection !== undefined) return 'protected';
    if (ingress.isMirrorOutput) return 'mirrorOutput';
    if (ingress.standsByFor !== undefined) return 'standby';
    return ingress.stpState === 'discarding' ? 'discarding' : MAY_PASS;
  }
}

/** Refuses to relay frames of a port that learns, but does not forward yet (IEEE 802.1Q-2022, 8.4). */
export class ForwardingState implements Stage {
  apply({ ingress }: Pass): Answer {
    return ingress.stpState === 'forwarding' ? MAY_PASS : 'discarding';
  }
}

/** The same at egress (8.6.4), also for a port whose link is not up. */
export class EgressPortState implements EgressStage {
  apply(_pass: Pass, egress: BridgePort): Answer {
    return egress.isForwarding ? MAY_PASS : reasonOf(egress);
  }
}

function reasonOf({ isShut, protection, isMirrorOutput, standsByFor, link }: BridgePort): DiscardReason {
  if (isShut) return 'shut';
  if (protection !== undefined) return 'protected';
  if (isMirrorOutput) return 'mirrorOutput';
  if (standsByFor !== undefined) return 'standby';
  return link === 'up' ? 'discarding' : 'linkDown';
}
