import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, EgressStage } from './stage.ts';

/** Refuses frames from an isolated port to another one (bridge(8), `isolated`). */
export class Isolation implements EgressStage {
  apply({ ingress }: Pass, egress: BridgePort): Answer {
    return egress.settings.isIsolated && ingress.settings.isIsolated ? 'isolated' : MAY_PASS;
  }
}
