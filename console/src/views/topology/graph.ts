/** The drawn graph: what the model makes of the tables, and the drawing shows. Pure values without positions. */

/** `member`: another node of the cluster that this switch is a node of. */
export const NODE_KINDS = [
  'switch',
  'member',
  'network',
  'port',
  'ports',
  'neighbor',
  'station',
  'stations',
  'more',
] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** `fault`: blocked, or part of a loop; `waiting`: has no connection and tries; `standby`: would forward; `off`: shut. */
export const LOOKS = ['up', 'waiting', 'standby', 'off', 'fault'] as const;
export type Look = (typeof LOOKS)[number];

export interface Node {
  /** the same for the same thing, as long as it is there */
  readonly id: string;
  readonly kind: NodeKind;
  readonly label: string;
  /** a second, quiet line; `''` for none */
  readonly note: string;
  readonly look: Look;
  /** why it does not look `up`; `''` if it does */
  readonly reason: string;
  /** the node that it belongs to, and starts beside; undefined for the switch */
  readonly parent: string | undefined;
  /** what is named by the node: `port` by its number, a station by its address, … */
  readonly of: Subject;
}

/** What a node stands for, to find its row in the tables. */
export type Subject =
  | { readonly kind: 'switch' }
  | { readonly kind: 'member'; readonly node: string }
  | { readonly kind: 'network'; readonly network: string }
  | { readonly kind: 'port'; readonly port: number }
  /** the ports of a network that have a type and no node of their own */
  | { readonly kind: 'ports'; readonly network: string; readonly type: string; readonly count: number }
  | { readonly kind: 'networks'; readonly count: number }
  | { readonly kind: 'neighbor'; readonly network: string; readonly chassis: string }
  | { readonly kind: 'station'; readonly key: string; readonly port: number }
  | { readonly kind: 'stations'; readonly port: number; readonly count: number };

export interface Link {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly look: Look;
  /** why it does not look `up`, as a sentence; `''` if it does */
  readonly reason: string;
  /** bits a second, both directions together */
  readonly bitRate: number;
  /** the port that it is about; undefined for a link between the switch and a network */
  readonly port: number | undefined;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly links: readonly Link[];
}

/** The ids of nodes. They carry the keys of the tables, so that a node keeps its place while others come and go. */
export const idOf = {
  switch: 'switch',
  network: (network: string) => `network ${network}`,
  port: (port: number) => `port ${port}`,
  ports: (network: string, type: string) => `ports ${network} ${type}`,
  networks: 'networks',
  member: (node: string) => `member ${node}`,
  neighbor: (network: string, chassis: string) => `neighbor ${network} ${chassis}`,
  station: (key: string) => `station ${key}`,
  stations: (port: number) => `stations ${port}`,
} as const;
