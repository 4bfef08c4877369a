import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { isGroupAddress } from '../../wire/ethernet/mac-address.ts';
import { RESERVED_VID } from '../../wire/ethernet/vid.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import { framesIn } from '../../wire/offload/gso.ts';
import { OFFLOAD_NONE } from '../../wire/offload/virtio-header.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/** Refuses a frame that is too long for any port, or whose offload header contradicts the frame. A flow table does the same. */
export class WellFormed implements Stage {
  readonly #engine: OffloadEngine;

  constructor(engine: OffloadEngine) {
    this.#engine = engine;
  }

  apply(pass: Pass): Answer {
    if (pass.length > MAX_SUPER_FRAME_BYTES) return 'tooLong';
    return pass.neededOffload === OFFLOAD_NONE ? MAY_PASS : this.#check(pass);
  }

  #check(pass: Pass): Answer {
    const { batch, index } = pass;
    if (this.#engine.check(batch, index) !== undefined) return 'badOffload';
    // Read again, since the check may have set FLAG_ENCAPSULATED.
    pass.readNeededOffload();
    pass.frames = framesIn(batch, index);
    return MAY_PASS;
  }
}

/** Refuses an invalid source address (IEEE 802.3-2022, 3.2.3), and the reserved VID (IEEE 802.1Q-2022, table 9-2). */
export class PossibleAddresses implements Stage {
  apply({ vid, source }: Pass): Answer {
    if (vid === RESERVED_VID) return 'badVid';
    return source === 0 || isGroupAddress(source) ? 'badSource' : MAY_PASS;
  }
}
