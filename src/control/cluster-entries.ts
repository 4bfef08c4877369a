import * as v from 'valibot';
import type { EventKind, SwitchEvent } from '../events/event.ts';
import { NETWORK_OPTIONS, type NetworkChange, networkName } from '../schema/network-options.ts';
import { atLeast, objectOf, type Table } from '../schema/table.ts';
import { anyText, flag, integer, oneOf, text } from '../schema/types.ts';
import type { CaptureClusterSpec, CaptureReader, ClusterCaptureEntry, SwitchCapture } from './capture-entries.ts';
import { type EntryOf, method, noParams } from './entries.ts';
import type { AllowedNetworks } from './method-reach.ts';

/** The methods about all nodes of a cluster, and about what they share. */

/** The methods that all nodes can be asked for at once. */
export const CLUSTER_READS = [
  'listPort',
  'listInterface',
  'listFdb',
  'listStation',
  'listMdb',
  'listDoor',
  'getStatus',
  'listFinding',
  'listNet',
  'listStp',
  'listVlan',
  'listNeighbor',
  'ping',
  'trace',
] as const;

/** The methods that only one named node can be asked for, since they are about a port of it. */
export const NODE_CALLS = ['getPort', 'setPort', 'delPort'] as const;

export const CLUSTER_CALLS = [...CLUSTER_READS, ...NODE_CALLS] as const;
export type ClusterMethod = (typeof CLUSTER_CALLS)[number];

const MOST_NODE_CHARACTERS = 63;
const NODE_NAME = new RegExp(`^[A-Za-z0-9_-]{1,${MOST_NODE_CHARACTERS}}$`);
/** Its text is a value of the store, which takes 1 MiB at most. */
const MOST_POLICY_CHARACTERS = 256 * 1024;

/** The name of a node. It is a word of a subject of the store. */
export const nodeName = text(
  (name) => (NODE_NAME.test(name) ? undefined : 'is not a name of 1 to 63 letters, digits, "-" and "_"'),
  { pattern: NODE_NAME.source },
);

export const CALL_CLUSTER = {
  method: { type: oneOf(CLUSTER_CALLS), required: true, help: 'the method, without prefix' },
  params: { type: v.record(v.string(), v.unknown()), help: 'its parameters', defaultText: 'none' },
  node: { type: nodeName, help: 'only this node', defaultText: 'all' },
} as const satisfies Table;

/** The answer of one node. */
export const nodeAnswerEntry = atLeast({
  node: anyText,
  /** the entries of its result; null if it failed */
  entries: v.nullable(v.array(v.unknown())),
  /** why it failed, as `CODE: what failed. what to try`; null for a success */
  error: v.nullable(anyText),
});
export type NodeAnswerEntry = EntryOf<typeof nodeAnswerEntry>;

/** Which values the caller has seen: another change since then is a conflict. */
const REVISION = {
  type: integer(1),
  flag: '--revision',
  metavar: 'N',
  help: 'change it only if it still has this revision',
  defaultText: 'that which the node knows',
} as const;

const NAME = { type: networkName, required: true, help: 'name of the network' } as const;

export const SET_CLUSTER_NET = { network: NAME, revision: REVISION, ...NETWORK_OPTIONS } as const satisfies Table;
export const ADD_CLUSTER_NET = { network: NAME, ...NETWORK_OPTIONS } as const satisfies Table;
export const DEL_CLUSTER_NET = { network: NAME, revision: REVISION } as const satisfies Table;

export const SET_CLUSTER_POLICY = {
  text: {
    type: text((words) => (words.length > MOST_POLICY_CHARACTERS ? 'is too long' : undefined), {
      maxLength: MOST_POLICY_CHARACTERS,
    }),
    required: true,
    help: 'the policy, as in a file of sw --policy',
  },
  file: { type: anyText, help: 'what errors call it', default: 'policy' },
  check: { type: flag, help: 'only check it', default: false },
  revision: REVISION,
} as const satisfies Table;

export const LIST_CLUSTER_HISTORY = {
  key: { type: anyText, help: 'only of this key: `policy`, or `network.NAME`', defaultText: 'all' },
} as const satisfies Table;

export const ROLLBACK_CLUSTER = {
  key: { type: anyText, required: true, help: '`policy`, or `network.NAME`' },
  revision: { type: integer(1), required: true, help: 'the revision with the wanted value' },
} as const satisfies Table;

const CHANGE = {
  revision: integer(0),
  /** the user that made the change; null where no credentials are required */
  by: v.nullable(anyText),
  /** when, by the clock of the node that was called, as ISO 8601 */
  at: anyText,
} as const;

/** A network that all nodes have. */
export const clusterNetworkEntry = atLeast({
  network: anyText,
  /** the settings that are not the defaults; null: it is removed */
  settings: v.nullable(v.record(v.string(), v.unknown())),
  ...CHANGE,
});
export type ClusterNetworkEntry = EntryOf<typeof clusterNetworkEntry>;

/** The policy of all nodes. */
export const clusterPolicyEntry = atLeast({ text: anyText, ...CHANGE });
export type ClusterPolicyEntry = EntryOf<typeof clusterPolicyEntry>;

/** A value that the store has, or had. */
export const clusterHistoryEntry = atLeast({
  key: anyText,
  ...CHANGE,
  /** the settings of a network or the text of the policy; null: it was removed */
  value: v.unknown(),
  /** whether it is in force */
  current: flag,
});
export type ClusterHistoryEntry = EntryOf<typeof clusterHistoryEntry>;

export const CLUSTER_METHODS = {
  callCluster: method('Calls a method at all nodes of the cluster.', objectOf(CALL_CLUSTER), nodeAnswerEntry),
  addClusterNet: method('Adds a network to all nodes.', objectOf(ADD_CLUSTER_NET), clusterNetworkEntry),
  setClusterNet: method('Changes settings of a network of all nodes.', objectOf(SET_CLUSTER_NET), clusterNetworkEntry),
  delClusterNet: method(
    'Removes a network from all nodes, with its ports.',
    objectOf(DEL_CLUSTER_NET),
    clusterNetworkEntry,
  ),
  getClusterPolicy: method('Tells the policy of all nodes.', noParams, clusterPolicyEntry),
  setClusterPolicy: method(
    'Checks and changes the policy of all nodes.',
    objectOf(SET_CLUSTER_POLICY),
    clusterPolicyEntry,
  ),
  listClusterHistory: method(
    'Lists what the networks and the policy of all nodes are and were.',
    objectOf(LIST_CLUSTER_HISTORY),
    clusterHistoryEntry,
  ),
  rollbackCluster: method(
    'Gives a network or the policy of all nodes a former value.',
    objectOf(ROLLBACK_CLUSTER),
    clusterHistoryEntry,
  ),
} as const;

/** A caller of the control API, and what it may do. */
export interface ClusterCaller {
  /** null where no credentials are required */
  readonly user: string | null;
  /** the networks that it may reach; undefined: all, and the switch itself */
  readonly allowed: AllowedNetworks;
  mayCall(method: string): boolean;
}

export interface ClusterCall {
  readonly method: ClusterMethod;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly node?: string;
}

/** The commands behind these methods. Each throws EtherwsError CLUSTER_UNAVAILABLE, CLUSTER_CONFLICT, CLUSTER_TIMEOUT. */
export interface ClusterControl {
  /** A node that fails is an answer with an error. @throws EtherwsError METHOD_FORBIDDEN, ARGUMENT_INVALID */
  call(call: ClusterCall, caller: ClusterCaller): Promise<NodeAnswerEntry[]>;
  /**
   * Captures frames at several nodes as one capture.
   * @throws EtherwsError METHOD_FORBIDDEN, PORT_NOT_FOUND, ARGUMENT_INVALID, REQUEST_REFUSED, or why a node was not reached
   */
  capture(
    spec: Omit<CaptureClusterSpec, 'duration'>,
    caller: ClusterCaller,
    reader: CaptureReader,
  ): Promise<SwitchCapture<ClusterCaptureEntry>>;
  /** Sends the events of all nodes to a reader, from now on. @throws EtherwsError METHOD_FORBIDDEN */
  subscribe(kinds: readonly EventKind[], caller: ClusterCaller, reader: NodeEventReader): NodeEvents;
  /** @throws EtherwsError NETWORK_EXISTS */
  addNetwork(name: string, settings: NetworkChange, by: string | null): Promise<ClusterNetworkEntry>;
  /** Absent settings stay unchanged. @throws EtherwsError NETWORK_NOT_FOUND */
  setNetwork(name: string, settings: NetworkChange, by: string | null, revision?: number): Promise<ClusterNetworkEntry>;
  /** @throws EtherwsError NETWORK_NOT_FOUND */
  removeNetwork(name: string, by: string | null, revision?: number): Promise<ClusterNetworkEntry>;
  /** none before the first `setPolicy` */
  policy(): ClusterPolicyEntry[];
  /** @throws EtherwsError POLICY_INVALID; REQUEST_REFUSED if the caller could not change it again */
  setPolicy(change: PolicyChange, by: string | null): Promise<ClusterPolicyEntry>;
  /** The latest first. @throws EtherwsError ARGUMENT_INVALID for a key that is none */
  history(key?: string): Promise<ClusterHistoryEntry[]>;
  /** Writes the former value as a new revision. @throws EtherwsError ARGUMENT_INVALID, and as `setPolicy` */
  rollback(key: string, revision: number, by: string | null): Promise<ClusterHistoryEntry>;
}

/** What the reader of the events of all nodes is told. */
export interface NodeEventReader {
  /** @param event an event of a node with the member `at`, its name; or a notice about one */
  event(event: object): void;
  /** The events of this very node, and the number of those that were lost. */
  own(events: readonly SwitchEvent[], lost: number): void;
  /** Whether it is too slow: then nothing is read of other nodes until `drained`. */
  readonly isFull: boolean;
}

/** A subscription to events of all nodes. */
export interface NodeEvents {
  /** The name of this node. */
  readonly node: string;
  /** To be called when the reader is not too slow any more. */
  drained(): void;
  end(): void;
}

export interface PolicyChange {
  readonly text: string;
  /** what errors call it */
  readonly file?: string;
  /** only checks it */
  readonly check?: boolean;
  readonly revision?: number;
}
