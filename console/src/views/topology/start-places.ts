import type { Graph, Node } from './graph.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** How far a node is from its parent at the start, by its kind, in px. */
const REACH: Readonly<Record<Node['kind'], number>> = {
  ...{
    switch: 0,
    network: 130,
    more: 130,
    port: 120,
    ports: 130,
    neighbor: 120,
    station: 100,
    stations: 100,
    member: 160,
  },
};
/** Pictures are drawn out in the direction in which the view is longer. */
const WIDENING = 1.35;

/**
 * The places where nodes start: a radial tree around the switch, each branch with an angle by its number of leaves. The
 * same graph gives the same places. Parents come before their children.
 * @param isTall whether the view is higher than wide
 */
export function startPlaces({ nodes }: Graph, isTall = false): ReadonlyMap<string, Place> {
  const children = new Map<string, Node[]>();
  const roots: Node[] = [];
  for (const node of nodes) {
    if (node.parent === undefined) roots.push(node);
    else children.set(node.parent, [...(children.get(node.parent) ?? []), node]);
  }
  const leaves = new Map<string, number>();
  const countLeaves = ({ id }: Node): number => {
    const count = (children.get(id) ?? []).reduce((sum, child) => sum + countLeaves(child), 0);
    leaves.set(id, Math.max(1, count));
    return Math.max(1, count);
  };
  const [widening, heightening] = isTall ? [1, WIDENING] : [WIDENING, 1];
  const places = new Map<string, Place>();
  const spread = (node: Node, radius: number, from: number, to: number): void => {
    const middle = (from + to) / 2;
    places.set(node.id, { x: radius * Math.cos(middle) * widening, y: radius * Math.sin(middle) * heightening });
    const those = children.get(node.id) ?? [];
    const all = those.reduce((sum, { id }) => sum + (leaves.get(id) ?? 1), 0);
    let at = from;
    for (const child of those) {
      const part = ((to - from) * (leaves.get(child.id) ?? 1)) / all;
      spread(child, radius + reachOf(child, those.length), at, at + part);
      at += part;
    }
  };
  for (const root of roots) {
    countLeaves(root);
    spread(root, 0, -Math.PI / 2, (3 * Math.PI) / 2);
  }
  return places;
}

/** Crowds get more room. */
function reachOf({ kind }: Node, siblings: number): number {
  return REACH[kind] * Math.max(1, Math.sqrt(siblings / 12));
}

/** Where a node starts that comes later: beyond its parent, seen from the switch, turned by what its id says. */
export function placeBeside(parent: Place | undefined, node: Pick<Node, 'id' | 'kind'>): Place {
  const { x, y } = parent ?? { x: 0, y: 0 };
  const outward = x === 0 && y === 0 ? turnOf(node.id) * Math.PI : Math.atan2(y, x);
  const angle = outward + turnOf(node.id) * 0.9;
  return { x: x + REACH[node.kind] * Math.cos(angle), y: y + REACH[node.kind] * Math.sin(angle) };
}

/** A number in -1 ... 1 that only depends on the id (FNV-1a). */
function turnOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return (hash >>> 0) / 0x7fffffff - 1;
}
