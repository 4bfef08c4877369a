import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { FrameExample } from '../wire/ethernet/frame-summary.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';

/**
 * The contract that every kind of port keeps: what the bridge asks of a port, and
 * nothing else. What a port tells of itself for listings is in port-details.ts.
 * `test/port-contract.ts` runs the same suite over all kinds.
 *
 * 1. The factory of a kind resolves once the port is ready, or rejects with an
 *    EtherwsError and leaves nothing behind. From then on the port is opened
 *    once, closed once, and never opened again.
 * 2. `open(events)` starts delivery. What arrived earlier is delivered then, or
 *    was dropped at the port's bound. Before `open`, `send` drops.
 * 3. The port calls `events.receive(batch)` once per wake-up of its device or
 *    socket, with everything that the wake-up gave, in order of arrival. The
 *    batch is the port's again when `receive` returns (see FrameBatch).
 *    `receive` never throws. It may return a congestion, which the port may heed
 *    (never for longer than a moment) or not.
 * 4. `send` takes one frame of a batch; `flush` ends the batch. Between the two
 *    the bytes do not change, so `send` may only note the frame and `flush` do
 *    the work in one system call. After `flush` they are gone. A port may be
 *    handed frames of several batches before one `flush`.
 * 5. `send` and `flush` never wait and never throw. A port that is at its bound,
 *    not up, or closed drops the frame and says why: by the return value of
 *    `send`, or later by `events.discarded`. A frame is reported one way or the
 *    other, never both, and the rest of the batch is not affected.
 * 6. Frames of one port leave in the order in which they were sent.
 * 7. `close` is idempotent and resolves when every descriptor, timer and handle
 *    is gone. No event is delivered once it was called.
 */
export interface Port {
  readonly type: PortType;
  /** What the port leads to: a device's name, a URL, a peer's address and port. */
  readonly target: string;
  /** The offloads that `send` takes; a frame that needs others is finished in software first. May change with the link. */
  readonly offloads: Offloads;
  /** The longest finished frame that `send` takes, header included, FCS not. */
  readonly maxFrameBytes: number;
  /** Which tags may stand on top of that; absent: none. */
  readonly tagAllowance?: TagAllowance;
  /** Present while what is sent has to wait; it says when that is over. */
  readonly congestion?: Congestion | undefined;
  /** The tunnel behind the port, where one stands whose other end has said which switch it is. */
  readonly tunnel?: Tunnel | undefined;

  /**
   * Where flows may begin and end (FlowTable); undefined: all frames have to come
   * by `receive`, and by `send`. May change with the link. Only the flow table
   * knows what they are.
   */
  readonly flowSource?: object | undefined;
  readonly flowTarget?: object | undefined;

  open(events: PortEvents): void;
  /** @returns undefined when taken, else why the frame was dropped */
  send(batch: FrameBatch, index: number): DiscardReason | undefined;
  /**
   * Hands on what `send` took since the last flush.
   * @param isSoleEgress no other port was handed a frame of these batches and
   *   the ingress port is done with them: the bytes may be overwritten
   */
  flush(isSoleEgress: boolean): void;
  /** @param reason goes to the far end where the kind has a way to say it */
  close(reason?: CloseReason): Promise<void>;
}

/** The name of a kind of port, as listport shows it: `tap`, `client` (a tunnel that was dialled), `server` (accepted), … */
export type PortType = string;

/** Why we close: the whole switch stops, it stops and will be back soon with its ports, or just this port goes. */
export type CloseReason = 'shutdown' | 'restart' | 'removed';

/**
 * What the link does by itself; whether the operator shut the port is the
 * bridge's matter. `connecting` and `backoff` are for ports that dial, `away` for
 * those that were dialled and wait for their client to come back; `closed` is
 * final: the port cannot come up again by itself.
 */
export type LinkState = 'connecting' | 'up' | 'down' | 'backoff' | 'away' | 'closed';

export interface PortEvents {
  /**
   * The data path: one direct call per batch.
   * @returns the congestion of the one port that all frames of late went to, if
   *   it is congested. A port that can leave frames where they come from may
   *   then do so until it is relieved: no other port waits for them.
   */
  receive(batch: FrameBatch): Congestion | undefined;
  /** @param reason one line for the log and for listport; say it whenever the state is not `up` */
  linkChanged(state: LinkState, reason?: string): void;
  /** The other end of this port's tunnel has lost another tunnel to this switch, named by its id (TunnelPeer). */
  tunnelLost?(tunnelId: string): void;
  /**
   * Frames that were lost outside of `send`: at ingress, or behind a `send` that took them.
   * @param example one of them, where the port can show one; its bytes are good until the call returns
   */
  discarded(direction: Direction, reason: DiscardReason, frames: number, example?: FrameExample): void;
}

export type Direction = 'rx' | 'tx';

/** Why a frame was not forwarded. The names are those of the counters. */
export const DISCARD_REASONS = [
  /** shorter than an Ethernet header */
  'runt',
  /** longer than the egress port takes */
  'tooLong',
  /** the port was shut by the operator */
  'shut',
  /** the port's link was not up */
  'linkDown',
  /** the port's queue was at its bound in octets */
  'queueFull',
  /** the frame had waited for too long (early drop) */
  'queueDelay',
  /** the device refused it */
  'deviceError',
  /** its offload header contradicts its bytes */
  'badOffload',
  /** its destination is on the port it came from (IEEE 802.1Q-2022, 8.6.1) */
  'filtered',
  /** its destination is a reserved group address, which bridges do not relay (IEEE 802.1Q-2022, 8.6.3) */
  'reserved',
  /** its source is no station's: a group address, broadcast among them, or all zeros (IEEE 802.3-2022, 3.2.3) */
  'badSource',
  /** its outer C-TAG has the reserved VID 4095 (IEEE 802.1Q-2022, table 9-2) */
  'badVid',
  /** a relay sent a group frame back that its ingress port had sent */
  'echoed',
  /** the port stands by for another tunnel to the same switch */
  'standby',
  /** the policy of its ingress port does not let its source address in */
  'sourceDenied',
  /** the same for its EtherType */
  'typeDenied',
  /** it answers as a DHCP server or advertises a router, and its ingress port may not */
  'serverDenied',
  /** the policy of its ingress port allows fewer frames or bits a second */
  'rateExceeded',
] as const;

export type DiscardReason = (typeof DISCARD_REASONS)[number];

/** An egress port that is full for the moment. */
export interface Congestion {
  /** @param relieved called once, when it has room again or is gone, however often the same function was given */
  onceRelieved(relieved: () => void): void;
}

/** A tunnel whose other end has said which switch it is (ParallelTunnels). */
export interface Tunnel {
  readonly peer: TunnelPeer;
  /** Tells the other end that another tunnel to it, named by its id, is lost. */
  announceLoss(tunnelId: string): void;
  /** Ends the tunnel as silence of its other end would. @param reason one line */
  abandon(reason: string): void;
}

/** What the opening handshake of a tunnel told of its other end; `rank` and `tunnelId` are the same at both ends. */
export interface TunnelPeer {
  /** Which switch it is: at least 128 random bits, others each time it starts. */
  readonly instance: string;
  /** Names the tunnel; only its two ends know it. */
  readonly tunnelId: string;
  /** Of two tunnels between the same switches the older one has the lower rank, or the same. */
  readonly rank: number;
  /** Whether the tunnel may forward beside others to the same switch. */
  readonly isParallelAllowed: boolean;
  readonly isDialled: boolean;
  /** The user of the other end's credentials; null for a tunnel that we dialled, and where no user is asked for. */
  readonly user: string | null;
}
