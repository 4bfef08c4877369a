import type { WantedLink } from './mesh-plan.ts';

/** Of all mesh tunnels of automatic networks those to one node may be this part, while there are several other nodes. */
const SHARE = 1 / 2;

/** How many mesh tunnels of automatic networks a node may have. */
export interface MeshBounds {
  /** to all other nodes together */
  readonly most: number;
  /** the number of other nodes */
  readonly others: number;
}

/** How many of them may lead to one other node. */
export function mostToOne({ most, others }: MeshBounds): number {
  return others > 1 ? Math.max(1, Math.floor(most * SHARE)) : most;
}

/** The tunnels of automatic networks that a node has, counted in all and for each other node. */
export class MeshCount {
  readonly #bounds: MeshBounds;
  readonly #byNode = new Map<string, number>();
  #all = 0;

  constructor(bounds: MeshBounds) {
    this.#bounds = bounds;
  }

  get all(): number {
    return this.#all;
  }

  add(node: string): void {
    this.#all++;
    this.#byNode.set(node, (this.#byNode.get(node) ?? 0) + 1);
  }

  /** Whether there is room for one more tunnel to this node. */
  hasRoom(node: string): boolean {
    return this.#all < this.#bounds.most && (this.#byNode.get(node) ?? 0) < mostToOne(this.#bounds);
  }
}

/**
 * Leaves out what a node does not dial, since it has as many tunnels of automatic networks as it may: clients make such
 * networks, and each may need a tunnel to each other node. A tunnel that is there stays.
 * @param isAutomatic whether a client has made the network. Of others there are as many tunnels as the operator wants
 * @param isHeld whether the tunnel is there, or is being dialled
 * @param isFull whether the other node has refused one lately, since it has as many itself; it holds no room here
 */
export function boundedLinks(
  wanted: readonly WantedLink[],
  bounds: MeshBounds,
  isAutomatic: (network: string) => boolean,
  isHeld: (link: WantedLink) => boolean,
  isFull: (node: string) => boolean = () => false,
): { readonly links: WantedLink[]; readonly left: WantedLink[] } {
  const count = new MeshCount(bounds);
  const isNew = (link: WantedLink): boolean => link.isDialled && isAutomatic(link.network) && !isHeld(link);
  for (const link of wanted) if (isAutomatic(link.network) && isHeld(link)) count.add(link.node);
  const links: WantedLink[] = [];
  const left: WantedLink[] = [];
  for (const link of wanted) {
    if (!isNew(link)) links.push(link);
    else if (isFull(link.node) || !count.hasRoom(link.node)) left.push(link);
    else {
      count.add(link.node);
      links.push(link);
    }
  }
  return { links, left };
}
