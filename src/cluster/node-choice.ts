import type { NodeAnnouncement } from './node-announcement.ts';

/** A node with fewer tunnels sends no client away. */
const LEAST_TUNNELS = 16;
/** The load of a node that sends clients away, as a multiple of the lowest one. */
const MUCH = 1.25;

/** What is asked of an announcement. */
export type Candidate = Pick<NodeAnnouncement, 'node' | 'url' | 'load' | 'isDraining'>;

/** The nodes that clients can be sent to: they take clients, have room, and a URL that clients reach. */
function open<T extends Candidate>(others: readonly T[]): T[] {
  return others.filter((node) => !node.isDraining && isForClients(node) && node.load.tunnels < node.load.mostTunnels);
}

/** Whether clients could ever be sent to a node: it has a URL that they reach. Workers of this machine have none. */
export function isForClients({ url }: Pick<Candidate, 'url'>): boolean {
  return url !== null && /^wss?:/.test(url);
}

/**
 * The node that takes a client instead of one that is drained: one with a low load. Loads are as of up to a second ago, so
 * it is drawn by chance, or all clients of that second would come to one node.
 * @returns undefined if there is none
 */
export function nodeInstead(others: readonly Candidate[], random: () => number = Math.random): Candidate | undefined {
  const nodes = open(others);
  const most = Math.max(...nodes.map(({ load }) => load.tunnels));
  return drawn(nodes, ({ load }) => most - load.tunnels + 1, random);
}

/**
 * The node that takes a new client, because the load of this one is well above its load.
 * @returns undefined: this node takes it
 */
export function lighterNode(
  tunnels: number,
  others: readonly Candidate[],
  random: () => number = Math.random,
): Candidate | undefined {
  if (tunnels <= LEAST_TUNNELS) return undefined;
  const lighter = open(others).filter(({ load }) => tunnels > load.tunnels * MUCH);
  return drawn(lighter, ({ load }) => tunnels - load.tunnels, random);
}

/**
 * The nodes that clients are told of, for the time that this one is gone: `most` of those that take clients, drawn by chance. Those
 * of `former` stay, so that few changes of a large cluster are news for all clients.
 */
export function nodesToTell(
  others: readonly Candidate[],
  former: readonly Candidate[],
  most: number,
  random: () => number = Math.random,
): readonly Candidate[] {
  const nodes = open(others);
  const isFormer = (node: Candidate): boolean => former.some((one) => one.node === node.node);
  const kept = nodes.filter(isFormer).slice(0, most);
  const rest = nodes.filter((node) => !isFormer(node));
  while (kept.length < most && rest.length > 0) kept.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return kept.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** Draws one by its weight, which is above 0. */
function drawn(
  nodes: readonly Candidate[],
  weightOf: (node: Candidate) => number,
  random: () => number,
): Candidate | undefined {
  let left = random() * nodes.reduce((sum, node) => sum + weightOf(node), 0);
  for (const node of nodes) {
    left -= weightOf(node);
    if (left < 0) return node;
  }
  return nodes.at(-1);
}

/**
 * The URL of a network at a node.
 * @param asked the segment of the URL that the client has dialled; undefined without one
 * @returns undefined if the segment cannot be in a URL
 */
export function urlAt({ url }: Candidate, asked: string | undefined): string | undefined {
  if (url === null || asked === undefined) return url ?? undefined;
  if (!/^[\w%~-][\w.%~-]*$/.test(asked)) return undefined;
  return `${url}${url.endsWith('/') ? '' : '/'}${asked}`;
}
