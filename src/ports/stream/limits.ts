/** Every bound of a tunnel, and the attack or the accident that each one stops. */
export interface TunnelLimits {
  /**
   * The longest message that is taken on the raw wire; a longer one closes the
   * tunnel with 1009 before any of it is held. The batched wire has a limit of its
   * own, 1 MiB, on which both ends rely. Stops a peer that announces gigabytes. Large
   * enough for any Ethernet frame there is, so that an over-long frame is
   * counted as a discard and does not cost the tunnel.
   */
  readonly maxMessageBytes: number;
  /**
   * What may wait in user space towards one peer; beyond it frames are dropped
   * and counted. Stops a peer that does not read from eating the memory, and
   * bounds the delay that a slow one suffers.
   */
  readonly queueBytes: number;
  /** How often a peer is pinged. Below the 60 s after which nginx drops an idle tunnel. */
  readonly pingIntervalMs: number;
  /**
   * A tunnel on which nothing at all arrived for so long is closed. Ends
   * half-open connections, whose far end lost power or address.
   */
  readonly silenceMs: number;
  /**
   * The same for a peer that is known to answer pings: when nothing arrives for
   * so long behind one, it is gone. With the interval of the pings this finds a
   * half-open connection within 45 s. Peers that never answer, as some relays
   * do, have `silenceMs`.
   */
  readonly pongTimeoutMs: number;
  /** How long an opening handshake may take, authentication included. Stops peers that connect and say nothing. */
  readonly handshakeTimeoutMs: number;
  /** How long the peer has to answer our close message before the connection is cut. */
  readonly closeTimeoutMs: number;
  /** Tunnels and handshakes that a server serves at a time. Stops a flood of connections from using up descriptors. */
  readonly maxConnections: number;
  /**
   * Those of them that have not shown credentials; for one more the oldest is
   * closed. Stops clients without credentials from taking all places.
   */
  readonly maxHandshakes: number;
  /** Tunnels and handshakes from one address, or one /64 of IPv6. Behind one address many clients may live. */
  readonly maxPerAddress: number;
  /** Tunnels of one user. */
  readonly maxPerUser: number;
}

export const DEFAULT_LIMITS: TunnelLimits = {
  maxMessageBytes: 256 * 1024,
  queueBytes: 1024 * 1024,
  pingIntervalMs: 20_000,
  silenceMs: 60_000,
  pongTimeoutMs: 20_000,
  handshakeTimeoutMs: 10_000,
  closeTimeoutMs: 2_000,
  maxConnections: 10_000,
  maxHandshakes: 2048,
  maxPerAddress: 4096,
  maxPerUser: 1024,
};

/** A message is read whole, into one slab. */
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
