import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { Logger } from '../observability/logger.ts';
import type { Descriptors } from '../runtime/descriptors.ts';
import type { AnswerLimits } from './answer-deadline.ts';
import type { EndpointCounters } from './endpoint-counters.ts';
import type { PendingLimits } from './pending-connections.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export interface ListenerOptions {
  /** A name or an address to listen on; undefined: all addresses, IPv6 and IPv4. */
  host: string | undefined;
  listenPort: number;
  /** An inherited listening socket, instead of `host` and `listenPort`. */
  descriptor?: number | undefined;
  /** The address where another process listens, which hands its connections over; `listen` then does nothing. */
  handed?: AddressInfo | undefined;
  /** Makes the listener use TLS, 1.2 or later. */
  tls?: TlsOptions;
  limits?: PendingLimits;
  /** The proxies whose reports of client addresses are trusted. Default: none. */
  proxies?: TrustedProxies;
  /** Counts the connections and refusals of this listener. Default: counters of its own. */
  counters?: EndpointCounters;
  /** The budget of file descriptors. Default: one for the limit of this process. */
  descriptors?: Descriptors;
  /** Whether `originOf` can tell which user of this host a request comes from. Default: no. */
  identifiesUsers?: boolean;
  /** How long a peer may take to read an answer. */
  answers?: AnswerLimits;
  logger?: Logger;
}
