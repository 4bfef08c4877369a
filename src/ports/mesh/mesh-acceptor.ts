import type { IncomingMessage } from 'node:http';
import type { Authenticator } from '../../auth/authenticator.ts';
import type { Port } from '../../bridge/port.ts';
import type { Caller } from '../../net/caller.ts';
import type { EndpointCounters } from '../../net/endpoint-counters.ts';
import type { Logger } from '../../observability/logger.ts';
import type { CongestionChoice } from '../stream/congestion-control.ts';
import { TunnelServer } from '../tunnel/accept/accept-tunnel.ts';
import { meshBase } from './mesh-path.ts';
import { ACCEPTED_MESH_LIMITS, MESH_HEARTBEAT } from './mesh-tunnels.ts';

export interface MeshAcceptorOptions {
  /** checks proofs */
  readonly authenticator: Authenticator;
  /** the path of the node's tunnels for clients */
  readonly path: string;
  /** Why no tunnel of this node for this network is taken: there is no local member, or this node dials itself; or there are too many. */
  readonly refusalOf: (node: string, network: string) => 'unknown' | 'full' | undefined;
  readonly onTunnel: (port: Port, node: string, network: string) => void;
  readonly callerOf: (request: IncomingMessage) => Caller;
  /** count refused proofs and the like, as for clients */
  readonly counters: EndpointCounters;
  readonly congestion?: CongestionChoice | undefined;
  readonly logger: Logger;
}

/** More than a cluster has nodes and networks. Only nodes with the cluster's key take a place for longer than a handshake. */
const MOST = 100_000;
/** Callers that have not proven to be nodes; for one more the oldest is cut. */
const MOST_HANDSHAKES = 256;

/** Accepts tunnels of the other nodes of the cluster, under `/.mesh/NETWORK` below the path of tunnels. */
export function acceptMesh(options: MeshAcceptorOptions): TunnelServer {
  const { path, refusalOf, onTunnel, callerOf, counters, congestion, logger } = options;
  return new TunnelServer({
    path: meshBase(path),
    authenticator: options.authenticator,
    isMesh: true,
    chooseNetwork: (asked, { user, networks }) => {
      const network = asked === undefined ? undefined : decoded(asked);
      if (network === undefined || user === null || networks?.includes(network) !== true)
        return { refused: 'forbidden' };
      const refused = refusalOf(user, network);
      return refused === undefined ? { network } : { refused };
    },
    onTunnel: (port, user, { network }) => onTunnel(port, user ?? '', network),
    callerOf,
    counters,
    ...(congestion === undefined ? {} : { congestion }),
    // Without grace: a node whose tunnel is lost is forgotten at once, since it may be elsewhere.
    graceMs: 0,
    limits: {
      ...ACCEPTED_MESH_LIMITS,
      maxConnections: MOST,
      maxPerAddress: MOST,
      maxPerUser: MOST,
      maxHandshakes: MOST_HANDSHAKES,
    },
    heartbeat: MESH_HEARTBEAT,
    logger,
  });
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
