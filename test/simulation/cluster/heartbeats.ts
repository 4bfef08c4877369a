import { ACCEPTED_MESH_LIMITS, MESH_LIMITS } from '../../../src/ports/mesh/mesh-tunnels.ts';
import { withDefaults } from '../../../src/ports/stream/limits.ts';
import { Liveness } from '../../../src/ports/stream/liveness.ts';

/** The interval of MESH_HEARTBEAT. */
const BEAT_MS = 250;
const MINUTE_MS = 60_000;
/** The header of a short message of WebSocket (RFC 6455, 5.2), and the masking key that the dialling end adds. */
const HEADER_BYTES = 2;
const MASK_BYTES = 4;

/** What an idle mesh tunnel takes each minute, both directions together. */
export interface IdleTunnel {
  /** octets of WebSocket: what the tunnel hands to TCP */
  readonly octets: number;
  /** pings and pongs; each is a segment of TCP */
  readonly messages: number;
}

/** Two ends of a mesh tunnel, with the liveness of the product and no frames: a minute of their pings and pongs. */
export function idleTunnel(): IdleTunnel {
  const ends = [MESH_LIMITS, ACCEPTED_MESH_LIMITS].map((limits, at) => ({
    isDialling: at === 0,
    liveness: new Liveness(withDefaults(limits), true),
  }));
  for (const { liveness } of ends) liveness.start(0);
  let [octets, messages] = [0, 0];
  const count = (isDialling: boolean, payload: Buffer): void => {
    messages++;
    octets += HEADER_BYTES + (isDialling ? MASK_BYTES : 0) + payload.length;
  };
  for (let nowMs = BEAT_MS; nowMs <= MINUTE_MS; nowMs += BEAT_MS) {
    for (const [at, { isDialling, liveness }] of ends.entries()) {
      const ping = liveness.tick(nowMs);
      if (typeof ping === 'string') throw new Error(`an end without loss is gone: ${ping}`);
      if (ping === undefined) continue;
      count(isDialling, ping);
      ends[1 - at]?.liveness.heard(nowMs);
      count(!isDialling, ping);
      liveness.heard(nowMs);
      liveness.pong(ping, 0, ping.length);
    }
  }
  return { octets, messages };
}
