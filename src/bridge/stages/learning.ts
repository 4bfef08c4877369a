import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/** Called for each frame that is refused because its port has as many addresses as it may have. */
export type OnBeyondLimit = (port: BridgePort) => void;

/**
 * Learns the source address at the ingress port (IEEE 802.1Q-2022, 8.7), if the port learns (bridge(8): `learning`) and
 * has room below its limit. Frames on the fast path do not refresh it, so the lifetime of a flow is below the ageing
 * time.
 */
export class Learning implements Stage {
  readonly #fdb: FilteringDatabase;
  readonly #onBeyondLimit: OnBeyondLimit;

  constructor(fdb: FilteringDatabase, onBeyondLimit: OnBeyondLimit) {
    this.#fdb = fdb;
    this.#onBeyondLimit = onBeyondLimit;
  }

  apply(pass: Pass): Answer {
    if (pass.ingress.learnsFreely) this.#fdb.learn(pass.vid, pass.source, pass.ingress, pass.nowMs);
    else return this.#learnWithin(pass);
    return MAY_PASS;
  }

  #learnWithin({ vid, source, ingress, nowMs }: Pass): Answer {
    const { isLearning, macLimit } = ingress.settings;
    if (!isLearning) return MAY_PASS;
    // Without a limit a port that learns does so freely.
    if (this.#fdb.isBeyond(macLimit, vid, source, ingress, nowMs)) {
      this.#onBeyondLimit(ingress);
      return 'macLimit';
    }
    this.#fdb.learn(vid, source, ingress, nowMs);
    return MAY_PASS;
  }
}
