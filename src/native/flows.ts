import type { TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';
import type { Descriptor } from './descriptors.ts';

declare const brand: unique symbol;

/** The flow table of a bridge. It is freed when its object is collected and no descriptor is an end of its flows. */
export type NativeFlows = object & { readonly [brand]: 'NativeFlows' };

/** The flow table (native/datapath/flow_table.h): frames that match a flow go from one descriptor to another in C. */
export interface FlowDoor {
  /** An empty flow table. @param nowMs the present time by the clock of its bridge, which runs as performance.now() does */
  createFlowTable(nowMs: number): NativeFlows;
  /**
   * Frames with the addresses and the outer tag of `bytes[start .. end)` go from one watched descriptor to another. Each
   * descriptor is an end of one table's flows: those of another table, in which it was before, are invalid then. Nothing
   * is installed where either descriptor is closed or carries no frames.
   * @param cells what each port counts in (bridge/counters.ts); kept until the descriptor is closed
   * @param offloads those that the egress takes, and `maxFrameBytes` the longest finished frame
   * @param tagAllowance which tags may stand on top of that (frame-length.ts)
   * @param mayWait whether a device may be left unread while the egress has no room
   * @param meter the token buckets of frames and of bits that the frames are charged to (bridge/token-bucket.ts); kept
   *   until the ingress is closed, or gets another one
   * @param strippedBytes 0 or 4: the octets of the outer tag, which are removed
   * @param tag the four octets of the one that is then inserted, as one number; 0: none
   * @throws RangeError: too few cells
   */
  installFlow(
    table: NativeFlows,
    ingress: Descriptor,
    ingressCells: Float64Array,
    egress: Descriptor,
    egressCells: Float64Array,
    bytes: Uint8Array,
    start: number,
    end: number,
    offloads: Offloads,
    maxFrameBytes: number,
    tagAllowance: TagAllowance,
    lifeMs: number,
    mayWait: boolean,
    meter: Float64Array | undefined,
    strippedBytes: number,
    tag: number,
  ): void;
  /** No flow of the table is followed any more. */
  invalidateFlows(table: NativeFlows): void;
  /** No flow from or to the descriptor is followed any more; nor is any other one of its table. */
  endFlows(descriptor: Descriptor): void;
}
