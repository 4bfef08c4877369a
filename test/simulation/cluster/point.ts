import { Random } from '../../support/random.ts';
import { ClusterModel } from './cluster-model.ts';
import { faultsOf } from './judge.ts';

/** One point of the curve: a small cluster that both the model and real processes can play. */
export interface Point {
  readonly nodes: number;
  readonly stations: number;
  /** how many stations move, and within what time */
  readonly moves: number;
  readonly movingMs: number;
  readonly seed: number;
}

/** A frame of a station comes to a node. */
export interface Placing {
  readonly atMs: number;
  readonly station: number;
  readonly node: number;
}

/** Octets of the frames of the mesh at a node, sent and received: the mean of the nodes. */
export interface PointOctets {
  /** all stations come, evenly */
  readonly filling: number;
  /** a minute in which nothing happens */
  readonly atRest: number;
  /** stations move */
  readonly moving: number;
}

export const FILLING_MS = 20_000;
export const REST_MS = 60_000;
/** Behind it nothing of a change is left to be sent: the digest comes 1 s after it. */
export const SETTLE_MS = 4000;

/** Stations come by so many at once, as behind a switch that is plugged in: what is announced together does not depend on a few ms. */
const GROUP = 5;

/** When which station comes to which node first. */
export function placingsOf({ nodes, stations }: Point): Placing[] {
  const groups = Math.ceil(stations / GROUP);
  return Array.from({ length: stations }, (_, station) => {
    const group = Math.floor(station / GROUP);
    return { atMs: (FILLING_MS * group) / groups, station, node: group % nodes };
  });
}

/** Each station that moves does so once, so that where it is in the end does not depend on the clock of a process. */
export function movesOf({ nodes, stations, moves, movingMs, seed }: Point): Placing[] {
  const random = new Random(seed);
  return Array.from({ length: moves }, (_, move) => {
    const station = Math.floor((move * stations) / moves);
    const from = Math.floor(station / GROUP) % nodes;
    return { atMs: (movingMs * move) / moves, station, node: (from + 1 + random.below(nodes - 1)) % nodes };
  });
}

/** The octets by the model. @throws Error if its nodes do not know where the stations are */
export function octetsOfModel(point: Point): PointOctets {
  const { nodes, stations, seed } = point;
  const model = new ClusterModel({ nodes, stations, full: nodes, seed });
  for (let one = 0; one < nodes; one++) for (let other = 0; other < one; other++) model.join(one, other);
  model.run(SETTLE_MS);
  const octetsOf = (placings: readonly Placing[], ms: number): number => {
    model.octets.reset();
    for (const { atMs, station, node } of placings) model.after(atMs, () => model.place(station, node, false));
    model.run(ms);
    const [fault] = faultsOf(model);
    if (fault !== undefined) throw new Error(fault);
    return model.octets.atNodes.mean;
  };
  return {
    filling: octetsOf(placingsOf(point), FILLING_MS + SETTLE_MS),
    atRest: octetsOf([], REST_MS),
    moving: octetsOf(movesOf(point), point.movingMs + SETTLE_MS),
  };
}
