/**
 * What a node says of itself, once an interval (announcement-pace.ts) and at each change, as the message `node` of the cluster. It is soft state: the
 * receivers judge its age by their own clocks, so the clocks of nodes need not agree.
 */
export interface NodeAnnouncement {
  /** the protocol version; receivers ignore fields that they do not know */
  readonly protocol: number;
  /** the name of the node, unique in the cluster */
  readonly node: string;
  /** random at each start, so that a restarted node is known as another one */
  readonly boot: string;
  /** grows with each announcement of a start */
  readonly sequence: number;
  /** where the other nodes and clients reach its tunnels; null: it only dials */
  readonly url: string | null;
  readonly version: string;
  /** the networks that have ports of its own, other than mesh ports */
  readonly networks: readonly string[];
  readonly load: { readonly tunnels: number; readonly mostTunnels: number; readonly loopDelayMs: number };
  /** It takes no more clients, and hands over those it has. */
  readonly isDraining: boolean;
  /** nodes that it cannot reach by a mesh tunnel, and by which node their frames go: null if by none */
  readonly detours: Readonly<Record<string, string | null>>;
  /** The time to its next announcement, in milliseconds; absent: a second. */
  readonly intervalMs?: number;
  /** The node ends now: it is forgotten at once. */
  readonly isLeaving?: boolean;
}

/** What a node says of itself, without what each announcement has of its own. */
export type NodeFacts = Pick<
  NodeAnnouncement,
  'url' | 'version' | 'networks' | 'load' | 'isDraining' | 'detours' | 'intervalMs'
>;
