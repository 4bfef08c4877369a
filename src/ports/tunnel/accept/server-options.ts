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
  /** where tunnels are accepted; begins with `/` */
  path: string;
  authenticator: Authenticator;
  /**
   * Gets each accepted tunnel, to open and to close.
   * @param user the client's, null when no credentials were asked for
   */
  onTunnel: (port: Port, user: string | null) => void;
  /** which web pages may open tunnels; without it all may */
  origins?: OriginRule;
  /**
   * How many tunnels a user may have, 0 for none; without it every admitted
   * user may have `maxPerUser`
   * @param user null when no credentials were asked for
   */
  allowanceOf?: (user: string | null) => number;
  /** which switch this is: its own tunnels are refused, and clients that ask are told; default: not said */
  instance?: SwitchInstance;
  /** the client of a request; default: the other end of its socket */
  callerOf?: (request: IncomingMessage) => Caller;
  /** what is refused here is counted there */
  counters?: EndpointCounters;
  /** `auto` speaks the batched wire with clients that offer it, `raw` never; default `auto` */
  wire?: WireChoice;
  /** how TCP answers congestion on tunnels; default `auto` */
  congestion?: CongestionChoice;
  /**
   * How long the port of a lost tunnel waits for its client, on the batched wire
   * with clients that can come back; 0: not at all. Default 30 000.
   */
  graceMs?: number;
  limits?: Partial<TunnelLimits>;
  /** default: the heartbeat that all tunnels of the process share */
  heartbeat?: Heartbeat;
  logger?: Logger;
}
