import * as v from 'valibot';
import { OF_NETWORK } from '../schema/network-options.ts';
import { atLeast, objectOf } from '../schema/table.ts';
import { anyText, flag, integer, listOf, measure, oneOf, tableOf } from '../schema/types.ts';
import { type EntryOf, method } from './entries.ts';

/** The method about spanning trees, and its results. */

const count = integer(0);
const portNumber = integer(1);

/** A port of a spanning tree (IEEE 802.1D-2004, 14.8.2). */
export const stpPortEntry = atLeast({
  port: portNumber,
  portName: v.nullable(anyText),
  portId: anyText,
  role: oneOf(['root', 'designated', 'alternate', 'backup', 'disabled']),
  state: oneOf(['discarding', 'learning', 'forwarding']),
  cost: count,
  /** of the best vector on the link: the port's own, if it is designated */
  designatedRoot: anyText,
  designatedCost: count,
  designatedBridge: anyText,
  designatedPort: anyText,
  edge: flag,
  pointToPoint: flag,
  /** what the port sends */
  version: oneOf(['rstp', 'stp']),
  /** whether the BPDU guard has disabled the port */
  guardTripped: flag,
  /** BPDUs by type: config, rst, tcn */
  received: tableOf(count),
  transmitted: tableOf(count),
  /** received BPDUs that were malformed, filtered, or came to a disabled port */
  discarded: count,
});
export type StpPortEntry = EntryOf<typeof stpPortEntry>;

/** The spanning tree of a network (IEEE 802.1D-2004, 14.8.1). */
export const stpEntry = atLeast({
  network: anyText,
  bridgeId: anyText,
  rootId: anyText,
  /** null on the root bridge */
  rootPort: v.nullable(portNumber),
  /** the node of the cluster that has this port; null: this switch */
  rootNode: v.nullable(anyText),
  rootCost: count,
  /** seconds; those of the root */
  helloTime: measure,
  maxAge: measure,
  forwardDelay: measure,
  topologyChanges: count,
  ports: listOf(stpPortEntry),
});
export type StpEntry = EntryOf<typeof stpEntry>;

/** A spanning tree as `observe` sends it. */
export type LiveStpEntry = Omit<StpEntry, 'ports'>;

/** A port of a spanning tree as `observe` sends it, with the name of its network. */
export type LiveStpPortEntry = Omit<StpPortEntry, 'received' | 'transmitted' | 'discarded'> & {
  readonly network: string;
};

export const STP_METHODS = {
  listStp: method('Lists the spanning trees.', objectOf(OF_NETWORK), stpEntry),
} as const;
