/** Further frames of the flow may take the fast path. */
export const MAY_PASS = 0;
/** Each frame of the flow must go through the bridge. */
export const MUST_COME = 1;

/**
 * A stage's permit for further frames of a flow: those with the same ingress port,
 * addresses and outer tag. A meter, the cells of a `RateAllowance`, permits
 * them within the rate, and they are charged to it.
 *
 * A stage that reads frames which never match a flow (FlowTable) may return MAY_PASS:
 * those frames go through the bridge in any case.
 */
export type FlowPermit = typeof MAY_PASS | typeof MUST_COME | Float64Array;

/** The permit of two stages together. */
export function permitOfBoth(one: FlowPermit, other: FlowPermit): FlowPermit {
  if (one === MAY_PASS || one === other) return other;
  if (other === MAY_PASS) return one;
  // One of them is MUST_COME, or both are meters, of which a flow can have only one.
  return MUST_COME;
}
