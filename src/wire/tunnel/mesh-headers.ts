/** The header of the answer 101 by which a node of a cluster proves itself to the node that dials it. */
export const MESH_ANSWER_HEADER = 'Etherws-Mesh-Answer';
/** The header of the answer 503 by which a node says that it has as many mesh tunnels of automatic networks as it may. */
export const MESH_FULL_HEADER = 'Etherws-Mesh-Full';
