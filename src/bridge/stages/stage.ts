import type { BridgePort } from '../bridge-port.ts';
import type { FlowPermit } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';

/**
 * The result of a stage for a frame: the reason of its discard; or, if it goes on, the
 * permit for further frames of its flow. So each stage that accepts a frame must also
 * decide about the fast path.
 */
export type Answer = DiscardReason | FlowPermit;

/**
 * A step of a frame in the bridge. Sans-I/O, and without an allocation for each
 * frame: its input is in the pass, which is the same object for all.
 *
 * `apply` has only the usual case; rare cases are in other functions, since
 * V8 inlines short functions first.
 *
 * stages.ts says how often each stage is run. A stage that is not run for each
 * frame applies to the rest of the batch, until the relevant fields of a frame
 * differ from those of the frame before.
 */
export interface Stage {
  apply(pass: Pass): Answer;
}

/** A stage at egress. */
export interface EgressStage {
  apply(pass: Pass, egress: BridgePort): Answer;
}
