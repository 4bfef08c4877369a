import { Heartbeat } from '../stream/heartbeat.ts';
import type { TunnelLimits } from '../stream/limits.ts';

/**
 * The bounds of mesh tunnels that differ from those of clients. The dialling end pings four times a second, the other one answers,
 * and any octet counts as life, so a silent node is noticed within 1.75 s. The heartbeat's clock advances by at most two intervals
 * a tick: a process that got no processor time reads what has arrived before it judges.
 */
export const MESH_LIMITS: Partial<TunnelLimits> = {
  pingIntervalMs: 200,
  silenceMs: 1500,
  // The first unanswered ping is not what counts: `silenceMs` is shorter.
  pongTimeoutMs: 60_000,
  closeTimeoutMs: 500,
};

/**
 * The bounds of the accepting end. It pings only to measure the round trip, and when the dialling end is silent: in a large cluster
 * the pings of a thousand tunnels are most of what a node sends at rest.
 */
export const ACCEPTED_MESH_LIMITS: Partial<TunnelLimits> = {
  ...MESH_LIMITS,
  pingIntervalMs: 10_000,
  silentPingMs: 600,
};

/** The heartbeat of all mesh tunnels of the process. */
export const MESH_HEARTBEAT: Heartbeat = new Heartbeat(250);
