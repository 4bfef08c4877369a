/** The bounds of a tunnel, each with the attack or the fault that it stops. */
export interface TunnelLimits {
  /**
   * The longest message accepted on the raw wire, in octets; a longer one closes
   * the tunnel with 1009 before any of it is stored. On the batched wire the
   * limit is always 1 MiB, which both ends rely on. Stops a peer that announces
   * gigabytes. Longer than any Ethernet frame, so that an over-long frame is
   * counted as a discard and does not end the tunnel.
   */
  readonly maxMessageBytes: number;
  /**
   * Octets that may wait in user space for one peer; beyond it frames are
   * dropped and counted. Stops a peer that does not read from using up the
   * memory, and bounds the delay towards a slow peer.
   */
  readonly queueBytes: number;
  /** Interval of pings. Below the 60 s after which nginx closes an idle connection by default. */
  readonly pingIntervalMs: number;
  /**
   * A tunnel on which no octet arrived for this time is pinged at once, if the last ping is as long ago. So of two ends that are
   * to notice each other's silence soon, one pings and the other one answers. Default: not.
   */
  readonly silentPingMs: number;
  /**
   * A tunnel on which no octet arrived for this time is closed. Ends half-open
   * connections, whose far end lost its power or its address.
   */
  readonly silenceMs: number;
  /**
   * For a peer that is known to answer pings: a tunnel on which no octet arrives
   * for this time after a ping is closed. With `pingIntervalMs` this ends a
   * half-open connection within 45 s. For peers that never answer pings, as some
   * relays, `silenceMs` holds.
   */
  readonly pongTimeoutMs: number;
  /** How long an opening handshake may take, authentication included. Stops peers that connect and send nothing. */
  readonly handshakeTimeoutMs: number;
  /** How long the peer may take to answer a Close message before the connection is cut. */
  readonly closeTimeoutMs: number;
  /** Concurrent tunnels and handshakes of a server. Stops a flood of connections from using up file descriptors. */
  readonly maxConnections: number;
  /**
   * Concurrent connections without verified credentials; for one more the oldest
   * is closed. Stops clients without credentials from using up `maxConnections`.
   */
  readonly maxHandshakes: number;
  /** Concurrent tunnels and handshakes of one IPv4 address or IPv6 /64. Many clients may share one address by NAT. */
  readonly maxPerAddress: number;
  /** Concurrent tunnels of one user. */
  readonly maxPerUser: number;
}

export const DEFAULT_LIMITS: TunnelLimits = {
  maxMessageBytes: 256 * 1024,
  queueBytes: 1024 * 1024,
  pingIntervalMs: 20_000,
  silentPingMs: Number.POSITIVE_INFINITY,
  silenceMs: 60_000,
  pongTimeoutMs: 20_000,
  handshakeTimeoutMs: 10_000,
  closeTimeoutMs: 2_000,
  maxConnections: 10_000,
  maxHandshakes: 2048,
  maxPerAddress: 4096,
  maxPerUser: 1024,
};

/** The upper bound of `maxMessageBytes`: a whole message must fit in one slab. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** @throws RangeError when a limit is not a positive number */
export function withDefaults(limits: Partial<TunnelLimits> = {}): TunnelLimits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(all)) {
    if (name === 'maxMessageBytes' && value > MAX_MESSAGE_BYTES) {
      throw new RangeError(`${name} is ${value}; ${MAX_MESSAGE_BYTES} is the most`);
    }
    if (!(value > 0)) throw new RangeError(`${name} is ${value}, not a positive number`);
  }
  return all;
}
