import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, IngressStage } from './stage.ts';

/** Applies the policy of the ingress port: source claims, EtherTypes, guards, rates (IEEE 802.1Q-2022, 8.6.5). */
export class Policing implements IngressStage {
  readonly scope = 'frame';
  readonly #fdb: FilteringDatabase;

  constructor(fdb: FilteringDatabase) {
    this.#fdb = fdb;
  }

  isUsedBy({ policy }: BridgePort): boolean {
    return policy !== undefined;
  }

  apply({ ingress, batch, frames, start, length, vid, source, nowMs }: Pass): Answer {
    const { policy } = ingress;
    if (policy === undefined) return MAY_PASS;
    const holder = this.#fdb.lookup(vid, source, nowMs);
    const isHeldElsewhere = holder !== undefined && holder !== ingress;
    const denied = policy.check(batch.bytes, start, length, frames, isHeldElsewhere, nowMs);
    return denied ?? policy.permit;
  }
}
