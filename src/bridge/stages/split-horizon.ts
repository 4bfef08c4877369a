import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, EgressStage } from './stage.ts';

/**
 * Split horizon: what came from one node of the cluster by the mesh does not go to another one, since its sender has sent
 * it to each node that may need it (as a VPLS does, RFC 4762, 4.4). So the mesh is no loop without a spanning tree.
 */
export class SplitHorizon implements EgressStage {
  apply({ ingress }: Pass, egress: BridgePort): Answer {
    return areOfMesh(ingress, egress) ? 'splitHorizon' : MAY_PASS;
  }
}

/** Whether both ports lead to other nodes. A flooded frame of the one is not even offered to the other, so it is no discard. */
export function areOfMesh(ingress: BridgePort, egress: BridgePort): boolean {
  return ingress.meshNode !== undefined && egress.meshNode !== undefined;
}
