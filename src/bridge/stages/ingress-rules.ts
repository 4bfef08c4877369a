import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { isGroupAddress } from '../../wire/ethernet/mac-address.ts';
import { RESERVED_VID } from '../../wire/ethernet/vid.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import { OFFLOAD_NONE } from '../../wire/offload/virtio-header.ts';
import { MAY_PASS } from '../flow-permit.ts';
import { neededOffloadIn, type Pass } from '../pass.ts';
import type { Answer, IngressStage } from './stage.ts';

/** Refuses a frame that is too long for any port, or whose offload header contradicts its bytes. A flow table does the same. */
export class WellFormed implements IngressStage {
  readonly scope = 'frame';
  readonly #engine: OffloadEngine;

  constructor(engine: OffloadEngine) {
    this.#engine = engine;
  }

  apply({ batch, index, length }: Pass): Answer {
    if (length > MAX_SUPER_FRAME_BYTES) return 'tooLong';
    if (neededOffloadIn(batch, index) === OFFLOAD_NONE) return MAY_PASS;
    return this.#engine.check(batch, index) === undefined ? MAY_PASS : 'badOffload';
  }
}

/** Refuses a source that is no station's (IEEE 802.3-2022, 3.2.3), and the reserved VID (IEEE 802.1Q-2022, table 9-2). */
export class PossibleAddresses implements IngressStage {
  readonly scope = 'source';

  apply({ vid, source }: Pass): Answer {
    if (vid === RESERVED_VID) return 'badVid';
    return source === 0 || isGroupAddress(source) ? 'badSource' : MAY_PASS;
  }
}
