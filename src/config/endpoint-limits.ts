import { DEFAULT_BUFFERS_BYTES } from '../ports/stream/buffer-budget.ts';
import type { SwValues } from '../schema/sw-options.ts';

/** Bounds before and after a client has shown credentials. The defaults stand where they are applied. */
export interface EndpointLimits {
  readonly maxTunnels?: number;
  /** of one address: tunnels with their handshakes, and on each listener connections without credentials */
  readonly maxPerAddress?: number;
  readonly maxPerUser?: number;
  /** connections without credentials, on each listener */
  readonly maxUnproven?: number;
  readonly handshakeTimeoutMs?: number;
  readonly loginFailures?: number;
  readonly maxMessageBytes?: number;
  readonly queueBytes?: number;
  /** what all queues and unfinished messages of the process may hold together */
  readonly buffersBytes?: number;
  /** how long a port waits for a client whose tunnel was lost; 0: not at all */
  readonly graceMs?: number;
}

const MIB = 1024 * 1024;
/** As `--max-buffers` may be. */
const LEAST_BUFFERS_BYTES = 16 * MIB;

/** The limits of one of several processes. They share the octets; counts of tunnels are compared across all of them. */
export function limitsOfEach(limits: EndpointLimits, processes: number): EndpointLimits {
  if (processes === 1) return limits;
  const { buffersBytes = DEFAULT_BUFFERS_BYTES } = limits;
  return { ...limits, buffersBytes: Math.max(Math.floor(buffersBytes / processes), LEAST_BUFFERS_BYTES) };
}

export function endpointLimits({ limits = {}, tunnels = {} }: SwValues): EndpointLimits {
  const { handshakeTimeout, maxMessage, maxQueue, maxBuffers, trustedProxies: _, ...counts } = limits;
  const { grace } = tunnels;
  return {
    ...counts,
    ...(handshakeTimeout === undefined ? {} : { handshakeTimeoutMs: handshakeTimeout * 1000 }),
    ...(maxMessage === undefined ? {} : { maxMessageBytes: maxMessage }),
    ...(maxQueue === undefined ? {} : { queueBytes: maxQueue }),
    ...(maxBuffers === undefined ? {} : { buffersBytes: maxBuffers * MIB }),
    ...(grace === undefined ? {} : { graceMs: grace * 1000 }),
  };
}
