import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';

/**
 * What the bridge has decided: frames with the source, the destination and the
 * outer C-TAG of this one, from this source of frames, go to one target.
 */
export interface Flow {
  /** The frame is good until `install` returns. */
  readonly batch: FrameBatch;
  readonly index: number;
  /** `Port.flowSource` of the ingress port, `Port.flowTarget` of the egress port. */
  readonly source: object;
  readonly target: object;
  /** What the two ports count in (counters.ts); whatever forwards for the bridge counts there. */
  readonly sourceCells: Float64Array;
  readonly targetCells: Float64Array;
  /** What the egress port takes as it is; any other frame is the bridge's. */
  readonly offloads: Offloads;
  readonly maxFrameBytes: number;
  readonly tagAllowance: TagAllowance;
  /** How long the flow may be followed, unless `invalidate` is called before, in milliseconds. */
  readonly lifeMs: number;
  /** Everything from the ingress port has lately gone there: it may be left to wait for room, a moment at a time. */
  readonly mayWait: boolean;
  /** The rates that the frames are charged to, as `IngressPolicy.meter` has them; undefined: there are none. */
  readonly meter: Float64Array | undefined;
}

/**
 * Where frames are forwarded without the bridge: a cache of its latest decisions.
 * One belongs to one bridge. It never takes what stages read whatever flow it
 * belongs to: ARP, DHCP, IGMP, what ICMPv6 says of neighbours, routers and groups,
 * and frames whose headers end before that can be told.
 */
export interface FlowTable {
  install(flow: Flow): void;
  /** No flow that was installed so far is followed any more, from the next frame on. */
  invalidate(): void;
}
