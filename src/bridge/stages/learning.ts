import type { BridgeTrace } from '../bridge-trace.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * Learns that the source is behind the ingress port (IEEE 802.1Q-2022, 8.7). Frames
 * that pass by refresh nothing: a flow lives for less than the ageing time.
 */
export class Learning implements Stage {
  readonly #fdb: FilteringDatabase;
  readonly #trace: BridgeTrace | undefined;

  constructor(fdb: FilteringDatabase, trace: BridgeTrace | undefined) {
    this.#fdb = fdb;
    this.#trace = trace;
  }

  apply({ vid, source, ingress, nowMs }: Pass): Answer {
    const learned = this.#fdb.learn(vid, source, ingress, nowMs);
    if (learned === 'new') this.#trace?.learned({ vid, mac: source, port: ingress.number });
    return MAY_PASS;
  }
}
