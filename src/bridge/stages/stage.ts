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
 * How often it is asked is said by the list that it stands in (stages.ts). Where
 * that is not each frame, an answer holds for the rest of the batch, until the named
 * part of the frame differs from the one before.
 */
export interface Stage {
  apply(pass: Pass): Answer;
}

/** A stage at ingress: asked for each frame, or for those whose source or VID differs from the frame before. */
export interface IngressStage extends Stage {
  readonly scope: 'frame' | 'source';
  /** Whether the stage has anything to do for this ingress port; absent: always. Asked when the port's policy changes. */
  isUsedBy?(port: BridgePort): boolean;
}

/** A stage at egress: asked for the port that a frame is about to leave by, together with the decision; of a flood for each port. */
export interface EgressStage {
  apply(pass: Pass, egress: BridgePort): Answer;
}

/** The stages of a bridge, each list in the order in which they are asked. */
export interface Stages {
  /** Once a batch, for the ingress port alone. */
  readonly port: readonly Stage[];
  /** For each frame that has an offload header, or is too long for any port. */
  readonly wellFormed: Stage;
  readonly ingress: readonly IngressStage[];
  /** For each destination and VID that differs from the frame before; sets `pass.egress`. */
  readonly decision: readonly Stage[];
  readonly egress: readonly EgressStage[];
}
