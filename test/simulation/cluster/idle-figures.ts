import { idleTunnel } from './heartbeats.ts';
import { loopHelloOctets } from './loop-hellos.ts';

/** What the mesh tunnels of a node take beside the exchange of stations: octets for each station and minute. */
export interface IdleFigures {
  readonly tunnels: number;
  /** pings and pongs, as octets of WebSocket */
  readonly heartbeats: number;
  /** hellos of loop detection, as octets of frames */
  readonly hellos: number;
  /** messages of heartbeats of all tunnels in a second, sent and received */
  readonly messagesPerSecond: number;
}

const MINUTE_MS = 60_000;

/** @param tunnels of the node @param stations of the cluster */
export function idleFigures(tunnels: number, stations: number): IdleFigures {
  const { octets, messages } = idleTunnel();
  return {
    tunnels,
    heartbeats: (tunnels * octets) / stations,
    hellos: (tunnels * loopHelloOctets(MINUTE_MS)) / stations,
    messagesPerSecond: Math.round((tunnels * messages) / 60),
  };
}
