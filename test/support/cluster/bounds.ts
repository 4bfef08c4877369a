/** How much longer than the promised time a busy machine may take. 1 on a quiet machine shows what is promised. */
const { ETHERWS_CLUSTER_PATIENCE = '10' } = process.env;

/** What the pages promise, in ms. Tests judge them with patience, since they share the machine with others. */
export const PROMISED = {
  /** kill -9 of a node: the pings of its clients are answered again. */
  clientBackMs: 2000,
  /** The stations of a dead node are gone from the others. */
  stationsGoneMs: 1000,
  /** A cluster that was cut in two is one LAN again behind the join. */
  joinedMs: 2000,
} as const;

/** The bound that a test judges by. */
export function patiently(ms: number): number {
  return ms * Number(ETHERWS_CLUSTER_PATIENCE);
}

/** How long all servers of the store are dead, in ms: 15 s, or the promised 60 s by ETHERWS_CLUSTER_OUTAGE_S=60. */
export function outageMs(): number {
  const { ETHERWS_CLUSTER_OUTAGE_S = '15' } = process.env;
  return 1000 * Number(ETHERWS_CLUSTER_OUTAGE_S);
}
