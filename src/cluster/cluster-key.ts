import { randomBytes } from 'node:crypto';
import { codeOf } from '../errors.ts';
import type { ClusterTable } from './cluster-store.ts';

/** The keys of a cluster: the first one makes proofs, each of them is accepted. Empty: none is known yet. */
export type ClusterKeys = readonly Buffer[];

const KEY_NAME = 'cluster.key';
const KEY_BYTES = 32;

/** @returns the key of the cluster in its table; undefined: there is none yet */
export function clusterKeyOf(config: ClusterTable): Buffer | undefined {
  const value = config.get(KEY_NAME)?.value as { key?: unknown } | undefined;
  if (typeof value?.key !== 'string') return undefined;
  const key = Buffer.from(value.key, 'base64url');
  return key.length === KEY_BYTES ? key : undefined;
}

/**
 * Makes the key of the cluster if there is none: 256 random bits, which all nodes read from the table. Of several nodes that
 * do so at once, one succeeds.
 * @param former the key that this node knows, which a store that has lost it gets back
 * @throws EtherwsError CLUSTER_UNAVAILABLE
 */
export async function ensureClusterKey(config: ClusterTable, former?: Buffer): Promise<void> {
  if (clusterKeyOf(config) !== undefined) return;
  const revision = config.get(KEY_NAME)?.revision ?? 0;
  try {
    const key = former ?? randomBytes(KEY_BYTES);
    await config.put(KEY_NAME, { key: key.toString('base64url') }, { expected: revision });
  } catch (error) {
    // Another node was first. Its key comes by the table.
    if (codeOf(error) !== 'CLUSTER_CONFLICT') throw error;
  }
}
