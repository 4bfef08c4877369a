import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { FrameExample } from '../wire/ethernet/frame-summary.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';

/**
 * The contract that every kind of port keeps. `test/port-contract.ts` runs the
 * same suite over all of them.
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
  /** The network namespace that the device behind the port is in, where it is not the switch's own. */
  readonly netns?: string | undefined;
  /** The device behind the port, where there is one that has addresses. */
  readonly networkInterface?: NetworkInterface;
  /** Present while what is sent has to wait; it says when that is over. */
  readonly congestion?: Congestion | undefined;
  /** What is to be known of the tunnel behind the port, where there is one. */
  readonly tunnel?: TunnelFacts | undefined;
  /** The reason of `linkChanged` as of now, where time changes it; undefined while the link is up. */
  readonly linkReason?: string | undefined;

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

/** `server` is a tunnel that was accepted, `client` one that was dialled, as in 1.x. */
export type PortType = 'tap' | 'netdev' | 'client' | 'server' | 'memory';

/** Why we close: the whole switch stops, or just this port goes. */
export type CloseReason = 'shutdown' | 'removed';

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

/** Those that point at a fault of a device, a driver or a peer, not at what the network is used for. */
export const FAULT_REASONS: ReadonlySet<DiscardReason> = new Set(['tooLong', 'badOffload', 'deviceError']);

/** A port has dropped the first frame for a reason that points at a fault. */
export interface PortFault {
  readonly direction: Direction;
  readonly reason: DiscardReason;
  /** Where one can be shown; its bytes are good until the call returns. */
  readonly example: FrameExample | undefined;
}

/** An egress port that is full for the moment. */
export interface Congestion {
  /** @param relieved called once, when it has room again or is gone, however often the same function was given */
  onceRelieved(relieved: () => void): void;
}

/** How a tunnel does, as listport shows it. */
export interface TunnelFacts {
  /** `raw` as in 1.x, or `batched` between two switches that both know it */
  readonly wire: 'raw' | 'batched';
  /** The round trip of the last ping; undefined before the first answer. */
  readonly roundTripMs: number | undefined;
  /** The URL that was dialled, where it is not the port's target. */
  readonly url?: string | undefined;
  /** The address of this host that its connection has. */
  readonly localAddress?: string | undefined;
  /** The switch at the other end, where it has said which one it is. */
  readonly peer?: TunnelPeer | undefined;
  /** Tells the other end that another tunnel to it, named by its id, is lost. Without effect where there is no `peer`. */
  announceLoss?(tunnelId: string): void;
  /** Takes the tunnel for lost, as silence would. @param reason one line */
  abandon?(reason: string): void;
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

/** An address with its prefix length: `{address: '192.0.2.1', prefixLength: 24}`. */
export interface InterfaceAddress {
  readonly address: string;
  readonly prefixLength: number;
}

/** The settings of the device behind a port, as the kernel has them now. */
export interface InterfaceSettings {
  readonly addresses: readonly InterfaceAddress[];
  readonly mtu: number;
  /** The network namespace that the device is in, where it is not the switch's own. */
  readonly netns?: string | undefined;
}

/** What `setif` changes; what is not named stays. */
export interface InterfaceChange {
  /** The IPv4 address as in 1.x: replaces the primary one. */
  address?: string;
  /** Dotted IPv4 netmask of `address`, or of the present primary address. */
  netmask?: string;
  /** Addresses with a prefix length, IPv4 or IPv6; each is added, or its prefix length changed. */
  addresses?: readonly InterfaceAddress[];
  /** Layer-3 MTU in octets, at least 576. */
  mtu?: number;
}

export interface NetworkInterface {
  /** @throws EtherwsError DEVICE_NOT_FOUND while the port waits for its device, PERMISSION_DENIED, DEVICE_FAILED */
  read(): InterfaceSettings;
  /** @throws EtherwsError ADDRESS_INVALID, PERMISSION_DENIED, DEVICE_FAILED; then nothing was changed, or it says what was */
  configure(change: InterfaceChange): void;
}
