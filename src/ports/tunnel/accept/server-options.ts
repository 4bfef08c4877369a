import type { IncomingMessage } from 'node:http';
import type { Authenticator } from '../../../auth/authenticator.ts';
import type { Port } from '../../../bridge/port.ts';
import type { Caller } from '../../../net/caller.ts';
import type { EndpointCounters } from '../../../net/endpoint-counters.ts';
import type { Refusal } from '../../../net/http-refusal.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { CongestionChoice } from '../../stream/congestion-control.ts';
import type { Heartbeat } from '../../stream/heartbeat.ts';
import type { TunnelLimits } from '../../stream/limits.ts';
import type { WireChoice } from '../../stream/packing.ts';
import type { SwitchInstance } from '../switch-instance.ts';
import type { OriginRule } from './origin.ts';
import type { NodesFor } from './told-nodes.ts';

/** A client that wants to join a network. */
export interface NetworkApplicant {
  /** null when the service requires no credentials */
  readonly user: string | null;
  /** the only networks that the credentials allow; undefined: they do not say */
  readonly networks: readonly string[] | undefined;
  /** the client's address */
  readonly address: string;
}

/** The network that a tunnel joins, or why it joins none. */
export type NetworkChoice =
  | { readonly network: string; readonly refused?: undefined }
  | { readonly network?: undefined; readonly refused: 'unknown' | 'forbidden' | 'full' };

/** What the receiver of a tunnel is told of it. */
export interface TunnelFacts {
  /** the network that it joins */
  readonly network: string;
  /** the client's address, without a port */
  readonly address: string;
}

/** The tunnels that other nodes of a cluster have, whose clients may come to this one. */
export interface TunnelsElsewhere {
  /** Whether a token is of a tunnel at another node, of any user. @param hash as of `hashOf` */
  knows(hash: string): boolean;
  /**
   * Takes a tunnel over from another node, if the token is of one of this user in this network: its port is restored
   * (`KeptPorts.restore`) before the call returns, and waits for the client.
   */
  recall(hash: string, user: string | null, network: string): void;
  /** how many tunnels a user has at other nodes */
  tunnelsOf(user: string | null): number;
  /** Ends a tunnel of a user whose client is away. @returns whether there was one */
  displace(user: string): boolean;
}

/** A client before its credentials are asked for. */
export interface Newcomer {
  /** the segment of the URL behind `path`; undefined without one */
  readonly asked: string | undefined;
  /** Whether it follows redirects. */
  readonly follows: boolean;
  /** Whether it shows the token of a port that waits for it here or elsewhere. */
  readonly isReturning: boolean;
}

export interface TunnelServerOptions {
  /** the path at which tunnels are accepted; begins with `/` */
  path: string;
  authenticator: Authenticator;
  /**
   * Called with each accepted tunnel; the receiver opens and closes it.
   * @param user the client's user; null when the service requires no credentials
   */
  onTunnel: (port: Port, user: string | null, facts: TunnelFacts) => void;
  /**
   * Decides which network a tunnel joins; default: `default`, and there is none but `path`.
   * @param asked the segment of the URL behind `path`; undefined without one. Its form is not checked
   */
  chooseNetwork?: (asked: string | undefined, applicant: NetworkApplicant) => NetworkChoice;
  /** decides which web pages may open tunnels; default: all */
  origins?: OriginRule;
  /**
   * The number of tunnels that a user may have, 0 for none; default: `maxPerUser`
   * for every user
   * @param user null when the service requires no credentials
   */
  allowanceOf?: (user: string | null) => number;
  /** the tunnels of other nodes, which count for limits of users, and which clients resume here; default: none */
  elsewhere?: TunnelsElsewhere;
  /** Sends a client to another node, or away; default: none. @returns undefined: it may come in */
  divert?: (newcomer: Newcomer) => Refusal | undefined;
  /** The other nodes, which clients are told that follow redirects; default: they are told none. */
  nodesFor?: NodesFor;
  /** identifies this switch to clients, and refuses tunnels from itself; default: not identified */
  instance?: SwitchInstance;
  /** the client of a request; default: the other end of its socket */
  callerOf?: (request: IncomingMessage) => Caller;
  /** count the refused requests */
  counters?: EndpointCounters;
  /** `auto` uses the batched wire with clients that offer it, `raw` never does; default `auto` */
  wire?: WireChoice;
  /** TCP congestion control of tunnels; default `auto` */
  congestion?: CongestionChoice;
  /**
   * How long the port of a lost tunnel waits for its client, in milliseconds;
   * only on the batched wire, for clients that support resumption; 0: not at
   * all. Default 30 000.
   */
  graceMs?: number;
  limits?: Partial<TunnelLimits>;
  /** Whether the clients are nodes of the cluster, each as the user with its name: then the tunnels are ports of the mesh. */
  isMesh?: boolean;
  /** default: that of the process */
  heartbeat?: Heartbeat;
  logger?: Logger;
}
