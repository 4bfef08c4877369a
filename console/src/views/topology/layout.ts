import {
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from 'd3-force';
import type { Graph, Link, Node, NodeKind } from './graph.ts';
import { secondLine } from './names.ts';
import { type Box, boxOf, forceRoom } from './room.ts';
import { type Place, placeBeside, startPlaces } from './start-places.ts';

/** A node with its place; d3-force moves it. */
export interface Placed extends SimulationNodeDatum {
  readonly id: string;
  readonly kind: NodeKind;
  /** the room that it needs with its label */
  box: Box;
  x: number;
  y: number;
  /** where it has settled: it is drawn back to here when others come */
  rest: Place | undefined;
}

interface Spring extends SimulationLinkDatum<Placed> {
  readonly kind: NodeKind;
}

/** The natural length of a link to a node, in px. */
const LENGTH: Readonly<Record<NodeKind, number>> = {
  ...{
    switch: 0,
    network: 130,
    port: 110,
    ports: 120,
    neighbor: 110,
    station: 80,
    stations: 80,
    more: 110,
    member: 150,
  },
};
/** Of a first layout, and of one to which something came. The former may move everything, the latter what is near. */
const FRESH_HEAT = 0.6;
const CHANGED_HEAT = 0.15;
/** When more nodes come, as a part of those that stay, it is another picture: it is laid out anew. */
const MOST_GROWTH = 0.5;
const DRAGGED_HEAT = 0.1;
const SETTLED = 0.01;
/** Nodes are drawn more to the middle line of the view, along its longer side, than to the middle of it. */
const FLATTENING = 1.4;

/**
 * The places of nodes. Deterministic: the same sequence of graphs gives the same places. Nodes that have settled are held
 * by a weak force where they are, so one that comes later moves those beside it, and not the picture.
 */
export class Layout {
  readonly #simulation: Simulation<Placed, Spring>;
  readonly #links;
  readonly #isViewTall: () => boolean;
  /** As the view was when the picture was laid out anew. */
  #isTall = false;
  #placed = new Map<string, Placed>();
  #linkIds = '';

  /** @param isViewTall whether the view is higher than wide now; asked whenever all is laid out anew */
  constructor(isViewTall: () => boolean = () => false) {
    this.#isViewTall = isViewTall;
    this.#links = forceLink<Placed, Spring>()
      .id(({ id }) => id)
      .distance(({ kind }) => LENGTH[kind])
      .strength(0.35);
    this.#simulation = forceSimulation<Placed, Spring>()
      .force('links', this.#links)
      .force('apart', forceManyBody<Placed>().strength(-260).distanceMax(600).theta(1))
      .force('room', forceRoom<Placed>(0.5))
      .alphaMin(SETTLED)
      .stop();
    this.#renewHold();
  }

  get placed(): ReadonlyMap<string, Placed> {
    return this.#placed;
  }

  get isSettled(): boolean {
    return this.#simulation.alpha() < SETTLED;
  }

  /** Takes another graph. Nodes that stay keep their places. @returns whether nodes or links came or went */
  update(graph: Graph): boolean {
    const former = this.#placed;
    const kept = graph.nodes.filter(({ id }) => former.has(id)).length;
    const isFresh = graph.nodes.length - kept > MOST_GROWTH * kept;
    if (isFresh) this.#isTall = this.#isViewTall();
    const starts = isFresh ? startPlaces(graph, this.#isTall) : undefined;
    const placed = new Map<string, Placed>();
    for (const node of graph.nodes) {
      const known = former.get(node.id);
      const start = starts?.get(node.id);
      if (known !== undefined) {
        known.box = boxOf({ ...node, note: secondLine(node) });
        if (start !== undefined && typeof known.fx !== 'number')
          Object.assign(known, start, { rest: undefined, vx: 0, vy: 0 });
      }
      placed.set(node.id, known ?? place(node, start ?? besideParent(node, placed)));
    }
    const isOtherSet = kept !== placed.size || former.size !== placed.size;
    const isChanged = this.#hasOtherLinks(graph.links) || isOtherSet;
    if (!isChanged) return false;
    this.#placed = placed;
    this.#simulation.nodes([...placed.values()]);
    this.#links.links(
      graph.links.map(({ from, to }) => ({ source: from, target: to, kind: placed.get(to)?.kind ?? 'port' })),
    );
    if (isFresh) this.#renewHold();
    this.#simulation.alpha(Math.max(this.#simulation.alpha(), isFresh ? FRESH_HEAT : CHANGED_HEAT));
    return true;
  }

  #hasOtherLinks(links: readonly Link[]): boolean {
    const ids = links.map(({ id }) => id).join('\n');
    const isOther = ids !== this.#linkIds;
    this.#linkIds = ids;
    return isOther;
  }

  /** Moves nodes for at most `budgetMs`, and at least once. @returns whether it has settled */
  run(budgetMs: number, now: () => number = () => performance.now()): boolean {
    const end = now() + budgetMs;
    while (!this.isSettled) {
      this.#simulation.tick();
      if (now() >= end) break;
    }
    if (this.isSettled) this.#holdAll();
    return this.isSettled;
  }

  #holdAll(): void {
    for (const one of this.#placed.values()) {
      if (one.rest === undefined) one.rest = { x: one.x, y: one.y };
    }
    this.#renewHold();
  }

  /** d3-force reads places and strengths of a force when its nodes are set. */
  #renewHold(): void {
    const [flatX, flatY] = this.#isTall ? [FLATTENING, 1] : [1, FLATTENING];
    this.#simulation
      .force(
        'x',
        forceX<Placed>(({ rest }) => rest?.x ?? 0).strength((one) => flatX * holding(one)),
      )
      .force(
        'y',
        forceY<Placed>(({ rest }) => rest?.y ?? 0).strength((one) => flatY * holding(one)),
      );
  }

  /** The node follows the pointer, and its neighbours follow it. */
  drag(id: string, to: Place): void {
    const one = this.#placed.get(id);
    if (one === undefined) return;
    one.fx = to.x;
    one.fy = to.y;
    one.x = to.x;
    one.y = to.y;
    this.#simulation.alpha(Math.max(this.#simulation.alpha(), DRAGGED_HEAT));
  }

  /** The node stays where it was dragged. */
  drop(id: string): void {
    const one = this.#placed.get(id);
    if (one !== undefined) one.rest = { x: one.x, y: one.y };
    this.#renewHold();
  }

  /** Gives up all places, also of nodes that were dragged. */
  reset(graph: Graph): void {
    this.#placed = new Map();
    this.#simulation.nodes([]);
    this.#links.links([]);
    this.update(graph);
    this.#renewHold();
  }
}

/** How strongly a node is drawn to its place: the switch to the centre, settled ones to where they are, new ones hardly. */
function holding({ kind, rest }: Placed): number {
  if (rest !== undefined) return 0.6;
  return kind === 'switch' ? 0.3 : 0.02;
}

function place(node: Node, at: Place): Placed {
  return {
    id: node.id,
    kind: node.kind,
    box: boxOf({ ...node, note: secondLine(node) }),
    x: at.x,
    y: at.y,
    rest: undefined,
  };
}

function besideParent(node: Node, placed: ReadonlyMap<string, Placed>): Place {
  return placeBeside(node.parent === undefined ? undefined : placed.get(node.parent), node);
}
