import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * Learns the source address at the ingress port (IEEE 802.1Q-2022, 8.7). Frames on the
 * fast path do not refresh it, so the lifetime of a flow is below the ageing time.
 */
export class Learning implements Stage {
  readonly #fdb: FilteringDatabase;

  constructor(fdb: FilteringDatabase) {
    this.#fdb = fdb;
  }

  apply({ vid, source, ingress, nowMs }: Pass): Answer {
    this.#fdb.learn(vid, source, ingress, nowMs);
    return MAY_PASS;
  }
}
