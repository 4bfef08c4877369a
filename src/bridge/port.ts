import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { FrameExample } from '../wire/ethernet/frame-summary.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';

/**
 * The contract of all kinds of ports: exactly what the bridge requires of a port.
 * Properties for listings are in port-details.ts. `test/port-contract.ts` runs the
 * same suite over all kinds.
 *
 * 1. The factory of a kind resolves when the port is ready, or rejects with an
 *    EtherwsError and releases all resources. The port is opened once, closed
 *    once, and not opened again.
 * 2. `open(events)` starts delivery. Frames that arrived earlier are delivered
 *    then, or were dropped at the port's limit. Before `open`, `send` drops.
 * 3. The port calls `events.receive(batch)` once for each wake-up of its device or
 *    socket, with all frames of the wake-up, in order of arrival. When `receive`
 *    returns, the port owns the batch again (see FrameBatch). `receive` does not
 *    throw. It may return a congestion; the port may then leave further frames
 *    in their source for a short time.
 * 4. `send` takes one frame of a batch; `flush` ends the batch. Between the two
 *    the bytes do not change, so `send` may only note the frame, and `flush` do
 *    the work in one system call. After `flush` the bytes are invalid. A port may
 *    get frames of several batches before one `flush`.
 * 5. `send` and `flush` do not wait and do not throw. A port that is at its limit,
 *    not up, or closed drops the frame and reports the reason: by the return value
 *    of `send`, or later by `events.discarded`, never by both. The rest of the
 *    batch is not affected.
 * 6. Frames of one port leave in the order in which they were sent.
 * 7. `close` is idempotent and resolves when all descriptors, timers and handles
 *    are closed. After the call of `close` no event is delivered.
 */
export interface Port {
  readonly type: PortType;
  /** The far end of the port: a device's name, a URL, a peer's address and port. */
  readonly target: string;
  /** The offloads that `send` takes; a frame that needs others is finished in software first. May change with the link. */
  readonly offloads: Offloads;
  /** Limit of a finished frame for `send`, with its header, without FCS. */
  readonly maxFrameBytes: number;
  /** The tags that a frame may have beyond that limit; absent: none. */
  readonly tagAllowance?: TagAllowance;
  /** Present while sent frames have to wait; calls back when it ends. */
  readonly congestion?: Congestion | undefined;
  /**
   * The node of the cluster at the other end; absent for all ports but those of the mesh. Frames of one such port leave
   * by no other (split horizon), and its stations are told by the node, not learned.
   */
  readonly meshNode?: string | undefined;
  /** The tunnel of the port, if one is connected and its peer has sent its identity. */
  readonly tunnel?: Tunnel | undefined;

  /**
   * The ends of flows from and to the port (FlowTable); undefined: all frames go
   * through `receive` and `send`. May change with the link. The values are opaque to
   * all but the flow table.
   */
  readonly flowSource?: object | undefined;
  readonly flowTarget?: object | undefined;

  open(events: PortEvents): void;
  /** @returns undefined if the frame was taken, else the reason of its discard */
  send(batch: FrameBatch, index: number): DiscardReason | undefined;
  /**
   * Sends the frames that `send` took since the last flush.
   * @param isSoleEgress no other port got a frame of these batches, and the
   *   ingress port does not use them any more: the bytes may be overwritten
   */
  flush(isSoleEgress: boolean): void;
  /** @param reason is sent to the far end if the kind of port can do so */
  close(reason?: CloseReason): Promise<void>;
}

/** The name of a kind of port, as listport shows it: `tap`, `client` (a tunnel that was dialled), `server` (accepted), … */
export type PortType = string;

/** Why a port is closed: the switch stops, it restarts and keeps its ports, or only this port is removed. */
export type CloseReason = 'shutdown' | 'restart' | 'removed';

/**
 * The state of the link, without the administrative state, which the bridge has.
 * `connecting` and `backoff` are for client ports, `away` for server ports that wait
 * for their client; `closed` is final: the port cannot come up again by itself.
 */
export type LinkState = 'connecting' | 'up' | 'down' | 'backoff' | 'away' | 'closed';

export interface PortEvents {
  /**
   * The data path: one direct call for each batch.
   * @returns the congestion of the only port that all recent frames went to, if it is
   *   congested. Until it is relieved, this port may leave frames in their source:
   *   no other port waits for them.
   */
  receive(batch: FrameBatch): Congestion | undefined;
  /** @param reason one line for the log and for listport; required for all states but `up` */
  linkChanged(state: LinkState, reason?: string): void;
  /** The peer of this port's tunnel has lost another tunnel to this switch, with this id (TunnelPeer). */
  tunnelLost?(tunnelId: string): void;
  /**
   * Reports frames that were lost outside of `send`: at ingress, or after a `send` that took them.
   * @param example one of them, if available; its bytes are valid until the call returns
   */
  discarded(direction: Direction, reason: DiscardReason, frames: number, example?: FrameExample): void;
}

export type Direction = 'rx' | 'tx';

/** Why a frame was not forwarded. The names are those of the counters. */
export const DISCARD_REASONS = [
  /** shorter than an Ethernet header */
  'runt',
  /** longer than the limit of the egress port */
  'tooLong',
  /** the port was shut by the operator */
  'shut',
  /** the port's link was not up */
  'linkDown',
  /** the port's queue was at its limit in octets */
  'queueFull',
  /** the frame had waited for too long (early drop) */
  'queueDelay',
  /** the device refused it */
  'deviceError',
  /** its offload header contradicts its bytes */
  'badOffload',
  /** its destination is at its ingress port (IEEE 802.1Q-2022, 8.6.1) */
  'filtered',
  /** its destination is a reserved group address, which bridges do not relay (IEEE 802.1Q-2022, 8.6.3) */
  'reserved',
  /** its source is no individual address: a group address, with broadcast, or all zeros (IEEE 802.3-2022, 3.2.3) */
  'badSource',
  /** its outer C-TAG has the reserved VID 4095 (IEEE 802.1Q-2022, table 9-2) */
  'badVid',
  /** its VLAN is not one of the port (IEEE 802.1Q-2022, 8.6.2 and 8.6.4) */
  'vlanFiltered',
  /** it has a tag, and the ingress port takes untagged and priority-tagged frames only (IEEE 802.1Q-2022, 6.9.1) */
  'tagDenied',
  /** it has no VID, and the ingress port takes VLAN-tagged frames only (IEEE 802.1Q-2022, 6.9.1) */
  'tagMissing',
  /** an IGMP or MLD message with wrong lengths or checksums, in a network with snooping (RFC 4541, 2.1.1, rule 4) */
  'badMembership',
  /** a group frame that its ingress port had sent, and that a relay has sent back */
  'echoed',
  /** the port is on standby for another tunnel to the same switch */
  'standby',
  /** the port does not forward in the active topology of the spanning tree (IEEE 802.1Q-2022, 8.4) */
  'discarding',
  /** it is from one isolated port to another */
  'isolated',
  /** it came from a node of the cluster, and its station is at another one, to which its sender has to send it */
  'splitHorizon',
  /** the port is reserved for the copies of a mirror */
  'mirrorOutput',
  /** the policy of its ingress port does not allow its source address */
  'sourceDenied',
  /** the same for its EtherType */
  'typeDenied',
  /** a frame of a DHCP server, or a router advertisement, which the policy of its ingress port forbids */
  'serverDenied',
  /** the policy of its ingress port allows fewer frames or bits a second */
  'rateExceeded',
  /** the switch has shut the port: it is in a loop, or had more addresses than it may have */
  'protected',
  /** its ingress port has as many addresses as it may have, and its source is another one */
  'macLimit',
  /** its ingress port is locked, and its source has no entry there */
  'locked',
  /** the egress port is set not to get flooded frames of its kind */
  'floodOff',
  /** its ingress port brings more flooded frames a second than it may: to all stations, to groups, to unknown stations */
  'stormBroadcast',
  'stormMulticast',
  'stormUnicast',
  /** its IP source address is not that of its station */
  'ipSourceDenied',
  /** the same for the sender of an ARP packet, and of neighbour discovery */
  'arpDenied',
  'ndDenied',
] as const;

export type DiscardReason = (typeof DISCARD_REASONS)[number];

/** The state of an egress port whose queue is full. */
export interface Congestion {
  /** whether another process of this machine takes the frames, so that they wait for its work and not for a line; default: no */
  readonly isLocal?: boolean;
  /** @param relieved called once, when the port has room again or is closed, even if it was given several times */
  onceRelieved(relieved: () => void): void;
}

/** A tunnel whose peer has sent its identity (ParallelTunnels). */
export interface Tunnel {
  readonly peer: TunnelPeer;
  /** Announces to the peer that another tunnel to it, with this id, is lost. */
  announceLoss(tunnelId: string): void;
  /** Ends the tunnel as after a silence of the peer. @param reason one line */
  abandon(reason: string): void;
}

/** The facts of a tunnel's peer from the opening handshake; `rank` and `tunnelId` are the same at both ends. */
export interface TunnelPeer {
  /** The identity of the switch: at least 128 random bits, new at each start. */
  readonly instance: string;
  /** The id of the tunnel, known only to its two ends. */
  readonly tunnelId: string;
  /** Of two tunnels between the same switches the older one has the lower rank, or the same. */
  readonly rank: number;
  /** Whether the tunnel may forward beside others to the same switch. */
  readonly isParallelAllowed: boolean;
  readonly isDialled: boolean;
  /** The user of the peer's credentials; null for a dialled tunnel, and where no credentials are required. */
  readonly user: string | null;
}
