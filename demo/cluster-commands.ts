/** The hosts of the demo of clusters: three nodes, and a laptop that dials any of them. */
export type ClusterHost = 'r1' | 'r2' | 'r3' | 'laptop';
export const NODES: readonly ClusterHost[] = ['r1', 'r2', 'r3'];

/** The addresses of the hosts on the network between them. */
export const UNDERLAY: Readonly<Record<ClusterHost, string>> = {
  r1: '10.50.0.1',
  r2: '10.50.0.2',
  r3: '10.50.0.3',
  laptop: '10.50.0.9',
};
/** The addresses that `setif` gives to the TAP devices. */
export const INSIDE: Readonly<Record<ClusterHost, string>> = {
  r1: '192.0.2.1',
  r2: '192.0.2.2',
  r3: '192.0.2.3',
  laptop: '192.0.2.9',
};

const STORE = NODES.map((node) => `nats://${UNDERLAY[node]}`).join(',');
const URLS = NODES.map((node) => `ws://${UNDERLAY[node]}:8000/`).join(' ');

/** The command that makes a host a node. A test compares that of r1 with the README. */
export function nodeCommand(node: ClusterHost): string {
  return `etherws sw --port 8000 --cluster ${STORE} --cluster-name prod --node ${node} --advertise ws://${UNDERLAY[node]}:8000/`;
}

/** The command by which a client dials any node. */
export const CLIENT_COMMAND: string = `etherws ctl addport client ${URLS}`;

/** The command that shows the cluster, on each node. */
export const STATUS_COMMAND = 'etherws ctl cluster';
