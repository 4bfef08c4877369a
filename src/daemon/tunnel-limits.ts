import type { EndpointLimits } from '../config/endpoint-limits.ts';
import type { TunnelLimits } from '../ports/stream/limits.ts';

/** The options of the limits, and `grace`, by their names in a configuration file. */
export const LIMITS_OF_TUNNELS: readonly string[] = [
  ...[
    'max-tunnels',
    'max-per-address',
    'max-per-user',
    'max-unproven',
    'handshake-timeout',
    'max-message',
    'max-queue',
  ].map((key) => `limits.${key}`),
  'tunnels.grace',
];

/** The limits of accepted tunnels; those that are not configured have the default of the tunnel server. */
export function tunnelLimits(limits: EndpointLimits): Partial<TunnelLimits> {
  const { maxTunnels, maxPerAddress, maxPerUser, maxUnproven, handshakeTimeoutMs, maxMessageBytes, queueBytes } =
    limits;
  return {
    ...(maxTunnels === undefined ? {} : { maxConnections: maxTunnels }),
    ...(maxPerAddress === undefined ? {} : { maxPerAddress }),
    ...(maxPerUser === undefined ? {} : { maxPerUser }),
    ...(maxUnproven === undefined ? {} : { maxHandshakes: maxUnproven }),
    ...(handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs }),
    ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    ...(queueBytes === undefined ? {} : { queueBytes }),
  };
}
