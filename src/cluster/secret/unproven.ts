import { EtherwsError } from '../../errors.ts';

/** What came by the store is of no node of the cluster, as far as its code tells. */
export function unproven(message: string, cause?: unknown): EtherwsError {
  return new EtherwsError('CLUSTER_NODE_UNPROVEN', message, {
    cause,
    hint: 'All nodes need the same --cluster-secret; look for a node, or another program, without it in the NATS account',
  });
}
