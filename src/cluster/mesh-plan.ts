import type { NodeAnnouncement } from './node-announcement.ts';

/** A mesh tunnel that this node wants to another one. */
export interface WantedLink {
  readonly node: string;
  readonly network: string;
  /** which of the two ends dials */
  readonly isDialled: boolean;
}

/** What the plan asks of this node. */
export type OwnEnd = Pick<NodeAnnouncement, 'node' | 'url' | 'networks'>;

/**
 * The mesh tunnels of this node: one to each other node for each network that both have members of. So frames of a network
 * reach only nodes with members, and a node that takes over after another one needs no agreement.
 */
export function wantedLinks(own: OwnEnd, others: Iterable<OwnEnd>): WantedLink[] {
  const networks = new Set(own.networks);
  const links: WantedLink[] = [];
  for (const other of others) {
    const isDialled = dials(own, other);
    if (isDialled === undefined) continue;
    for (const network of new Set(other.networks)) {
      if (networks.has(network)) links.push({ node: other.node, network, isDialled });
    }
  }
  return links;
}

/** Whether `own` dials `other`: the lower id does, if the other one can be dialled. undefined: neither of them can. */
export function dials(own: Pick<OwnEnd, 'node' | 'url'>, other: Pick<OwnEnd, 'node' | 'url'>): boolean | undefined {
  if (own.url === null && other.url === null) return undefined;
  if (own.url === null || other.url === null) return own.url === null;
  return own.node < other.node;
}
