import type { IncomingMessage } from 'node:http';
import type { Authenticator } from '../../../auth/authenticator.ts';
import type { Port } from '../../../bridge/port.ts';
import type { Caller } from '../../../net/caller.ts';
import type { EndpointCounters } from '../../../net/endpoint-counters.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { CongestionChoice } from '../../stream/congestion-control.ts';
import type { Heartbeat } from '../../stream/heartbeat.ts';
import type { TunnelLimits } from '../../stream/limits.ts';
import type { WireChoice } from '../../stream/packing.ts';
import type { SwitchInstance } from '../switch-instance.ts';
import type { OriginRule } from './origin.ts';

export interface TunnelServerOptions {
  /** the path at which tunnels are accepted; begins with `/` */
  path: string;
  authenticator: Authenticator;
  /**
   * Called with each accepted tunnel; the receiver opens and closes it.
   * @param user the client's user; null when the service requires no credentials
   */
  onTunnel: (port: Port, user: string | null) => void;
  /** decides which web pages may open tunnels; default: all */
  origins?: OriginRule;
  /**
   * The number of tunnels that a user may have, 0 for none; default: `maxPerUser`
   * for every user
   * @param user null when the service requires no credentials
   */
  allowanceOf?: (user: string | null) => number;
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
  /** default: that of the process */
  heartbeat?: Heartbeat;
  logger?: Logger;
}
