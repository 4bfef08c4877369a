import type { BridgePort } from '../bridge-port.ts';
import type { FlowPermit } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';

/**
 * What a stage makes of a frame: the reason why it goes no further, or that it goes
 * on, and then whether frames like it may pass the bridge by. There is no answer
 * without the second half: what may pass by is decided where the frame is judged.
 */
export type Answer = DiscardReason | FlowPermit;

/**
 * A step on a frame's way through the bridge. Sans-I/O, and without an allocation a
 * frame: what it wants to know stands in the pass, which is the same object for all.
 *
 * `apply` holds the usual answer alone and leaves the rest to a function of its own:
 * V8 inlines short functions first.
 *
 * How often it is asked is said where it is asked (stages.ts). Where that is not each
 * frame, an answer holds for the rest of the batch, until the named part of the frame
 * differs from the one before.
 */
export interface Stage {
  apply(pass: Pass): Answer;
}

/** A stage at egress. */
export interface EgressStage {
  apply(pass: Pass, egress: BridgePort): Answer;
}
