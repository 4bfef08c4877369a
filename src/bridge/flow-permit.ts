/** Frames like this one may pass the bridge by. */
export const MAY_PASS = 0;
/** Each frame like this one must come to the bridge. */
export const MUST_COME = 1;

/**
 * What a stage says of frames like one that it lets on: same ingress port, same
 * addresses, same outer C-TAG. A meter, the cells of a `RateAllowance`, says that
 * they may pass while it admits them, and are charged to it.
 *
 * A stage that reads what a flow table never takes (FlowTable) need not insist:
 * those frames come in any case.
 */
export type FlowPermit = typeof MAY_PASS | typeof MUST_COME | Float64Array;

/** What two stages allow together. */
export function permitOfBoth(one: FlowPermit, other: FlowPermit): FlowPermit {
  if (one === MAY_PASS || one === other) return other;
  if (other === MAY_PASS) return one;
  // One of them insists, or there are two meters, and a flow has room for one.
  return MUST_COME;
}
