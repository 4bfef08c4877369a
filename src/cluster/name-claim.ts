import { codeOf, EtherwsError } from '../errors.ts';
import type { ClusterStore } from './cluster-store.ts';

/** How long a living node may take to say that it has a name. */
const TIMEOUT_MS = 1000;

const subjectOf = (node: string): string => `claim.${node}`;

/** The start of a node that has a name. */
export interface NameOwner {
  readonly boot: string;
  /** where it is reached */
  readonly url: string | null;
}

/** Tells nodes that want this name that it is taken. @returns stops that */
export function answerClaims(store: ClusterStore, node: string, owner: () => NameOwner): () => void {
  return store.respond(subjectOf(node), async () => owner());
}

/**
 * Asks whether a living node has the name. Without an answer it is free, and where the store cannot be asked.
 * @param boot the id of this start, which may have the name
 * @throws EtherwsError CLUSTER_NODE_TAKEN
 */
export async function requireFreeName(
  store: ClusterStore,
  { cluster, node, boot }: { readonly cluster: string; readonly node: string; readonly boot: string },
): Promise<void> {
  let owner: Partial<NameOwner>;
  try {
    owner = (await store.request(subjectOf(node), { boot }, TIMEOUT_MS)) as typeof owner;
  } catch (error) {
    if (['CLUSTER_TIMEOUT', 'CLUSTER_UNAVAILABLE'].includes(codeOf(error))) return;
    throw error;
  }
  if (owner.boot !== boot) throw nodeTaken(node, cluster, owner.url ?? undefined);
}

export function nodeTaken(node: string, cluster: string, url: string | undefined): EtherwsError {
  const where = url === undefined ? '' : ` (${url})`;
  return new EtherwsError(
    'CLUSTER_NODE_TAKEN',
    `Another living node of the cluster "${cluster}"${where} is called "${node}"`,
    {
      hint: 'Give this node another name with --node, or stop the other one',
    },
  );
}
