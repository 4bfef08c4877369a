import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';

/**
 * A decision of the bridge: frames from `source` with the source address, the destination
 * address and the outer tag of frame `index` go to `target`, with the same change of that tag.
 */
export interface Flow {
  /** Valid until `install` returns. */
  readonly batch: FrameBatch;
  readonly index: number;
  /** `Port.flowSource` of the ingress port, `Port.flowTarget` of the egress port. */
  readonly source: object;
  readonly target: object;
  /** The cells of the two ports' counters (counters.ts), in which forwarded frames are counted. */
  readonly sourceCells: Float64Array;
  readonly targetCells: Float64Array;
  /** The offloads that the egress port takes; frames that need others go through the bridge. */
  readonly offloads: Offloads;
  readonly maxFrameBytes: number;
  readonly tagAllowance: TagAllowance;
  /** The lifetime of the flow, unless `invalidate` ends it before. */
  readonly lifeMs: number;
  /** Whether frames may be left in the ingress device while the egress is full: all its frames have recently gone there. */
  readonly mayWait: boolean;
  /** The octets of the outer tag, which are removed at egress: 0 or 4. */
  readonly strippedBytes: number;
  /** The four octets of the tag that is then inserted, as one number; 0: none. */
  readonly tag: number;
  /** The token buckets that frames are charged to (RateAllowance.cells); undefined without rates. */
  readonly meter: Float64Array | undefined;
}

/**
 * Forwards frames without the bridge, by its latest decisions. It belongs to one bridge.
 * Control frames never match a flow, since stages read them: ARP, DHCP, IGMP, neighbour
 * and router discovery, MLD, and frames whose headers are truncated before the kind is
 * known.
 */
export interface FlowTable {
  install(flow: Flow): void;
  /** Ends all flows, with effect from the next frame on. */
  invalidate(): void;
}
