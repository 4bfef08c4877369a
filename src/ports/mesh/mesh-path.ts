/** The part of a path behind which the tunnels of other nodes of the cluster are: `/.mesh/NETWORK`. */
const MESH_PART = '.mesh';

/** @param path of the node's tunnels, with or without a slash at its end */
export function meshBase(path: string): string {
  return `${path.replace(/\/+$/, '')}/${MESH_PART}`;
}

/** The path of the streams between nodes, `/.nodes`. @param path as of `meshBase` */
export function nodesPath(path: string): string {
  return `${path.replace(/\/+$/, '')}/.nodes`;
}

/** @param path as of `meshBase` */
export function meshPath(path: string, network: string): string {
  return `${meshBase(path)}/${encodeURIComponent(network)}`;
}
