/** A port identifier has 12 bits for the port number (IEEE 802.1D-2004, 9.2.7), and 0 is none: 64 blocks of 64. */
export const BLOCKS = 64;
/** The keys of the table `config` that have the blocks, one for each network. */
export const TREE_KEY_PREFIX = 'tree.';

/** Which nodes have the port numbers of a network's spanning tree. */
export interface TreeRow {
  /** the node that has each block; null: none */
  readonly blocks: readonly (string | null)[];
  /** how long owners have been no members, in steps of absent-owners.ts */
  readonly absent: Readonly<Record<string, number>>;
}

/** Reads a value of the table; anything else in it is as if it was absent. */
export function treeRowOf(value: unknown): TreeRow {
  const { blocks, absent } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const owners: unknown[] = Array.isArray(blocks) ? blocks : [];
  const counts = Object.entries(typeof absent === 'object' && absent !== null ? absent : {});
  return {
    blocks: Array.from({ length: BLOCKS }, (_, at) => {
      const owner = owners[at];
      return typeof owner === 'string' ? owner : null;
    }),
    absent: Object.fromEntries(counts.filter(([, steps]) => Number.isInteger(steps) && steps > 0)),
  };
}
