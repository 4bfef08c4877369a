import { type IdleFigures, idleFigures } from './idle-figures.ts';
import { octetsOfModel } from './point.ts';

export interface SitesOptions {
  readonly nodes: number;
  readonly stations: number;
  readonly networks: number;
  /** how many nodes have members of a network */
  readonly members: number;
  readonly seed: number;
}

/** A node of a cluster with many networks, each at some of the nodes; octets are for each station of the cluster and minute. */
export interface SitesFigures {
  readonly networksOfNode: number;
  /** the stations that a node knows: those of its networks */
  readonly stationsOfNode: number;
  readonly atRest: number;
  /** while 1 % of the stations move each minute */
  readonly moving: number;
  readonly idle: IdleFigures;
}

/** The networks that are played; all are alike. */
const PLAYED = 20;
const MOVING = 0.01;
const MOVING_MS = 60_000;

/**
 * A network is at the nodes that have members of it only: others have no tunnel for it, and no station. Bridges, tunnels and exchanges
 * of networks share nothing, so one network is played alone, and a node takes as often as much as it has networks.
 */
export function sitesFigures({ nodes, stations, networks, members, seed }: SitesOptions): SitesFigures {
  const ofNetwork = Math.round(stations / networks);
  const networksOfNode = (networks * members) / nodes;
  let [atRest, moving] = [0, 0];
  const played = Math.min(PLAYED, networks);
  for (let network = 0; network < played; network++) {
    const moves = Math.max(1, Math.round(ofNetwork * MOVING));
    const point = { nodes: members, stations: ofNetwork, moves, movingMs: MOVING_MS, seed: seed + network };
    const octets = octetsOfModel(point);
    atRest += octets.atRest / played;
    moving += octets.moving / played;
  }
  return {
    networksOfNode,
    stationsOfNode: networksOfNode * ofNetwork,
    atRest: (networksOfNode * atRest) / stations,
    moving: (networksOfNode * moving) / stations,
    idle: idleFigures(networksOfNode * (members - 1), stations),
  };
}
