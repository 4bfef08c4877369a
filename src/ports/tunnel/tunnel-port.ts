import type {
  CloseReason,
  Congestion,
  DiscardReason,
  Port,
  PortEvents,
  Tunnel,
  TunnelPeer,
} from '../../bridge/port.ts';
import type { ConnectionDetails, Described, TunnelDetails } from '../../bridge/port-details.ts';
import { HEADER_BYTES, MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { Offloads } from '../../wire/offload/virtio-header.ts';
import { CLOSE_GOING_AWAY, CLOSE_NORMAL } from '../../wire/websocket/close-code.ts';
import type { Heartbeat } from '../stream/heartbeat.ts';
import { type TunnelLimits, withDefaults } from '../stream/limits.ts';
import { PACKINGS, type Wire } from '../stream/packing.ts';
import type { Transport } from '../stream/transport.ts';
import { Connection } from './connection.ts';

export interface TunnelPortOptions {
  /** `client` when we dialled, `server` when we were dialled */
  type: 'client' | 'server';
  /** what listport shows: the URL without credentials, or the peer's address and port */
  target: string;
  /** behind the opening handshake, nothing read from it yet but what it was given */
  transport: Transport;
  /** the address of this host that the connection has */
  localAddress?: string | undefined;
  /** what the opening handshake agreed on; default `raw` */
  wire?: Wire;
  /** the switch at the other end, where it has said which one it is */
  peer?: TunnelPeer | undefined;
  limits?: Partial<TunnelLimits>;
  /** default: the heartbeat that all tunnels of the process share */
  heartbeat?: Heartbeat;
  /** called once, when the connection is gone and nothing of it is left */
  onGone?: () => void;
}

/**
 * A tunnel as a port. On the raw wire of 1.x each binary message is one Ethernet
 * frame, without FCS; on the batched wire it is as many as there are, each with
 * its offload header (docs/reference/protocol.md).
 *
 * On the raw wire frames below 60 octets are padded on their way out; from 14 on they are taken
 * in. At `queueBytes` in user space `send` refuses. When the tunnel ends, a
 * client's link goes `down` and an accepted one's is `closed`: only the far end
 * can bring that one back, as a new port.
 */
export class TunnelPort implements Port, Described {
  readonly type: 'client' | 'server';
  readonly target: string;
  readonly offloads: Offloads;
  readonly tunnel: Tunnel | undefined;
  readonly maxFrameBytes: number = MAX_SUPER_FRAME_BYTES;
  readonly #wire: Wire;
  readonly #localAddress: string | undefined;
  readonly #connection: Connection;

  /** @throws RangeError when a limit is not a positive number */
  constructor(options: TunnelPortOptions) {
    this.type = options.type;
    this.target = options.target;
    this.#wire = options.wire ?? 'raw';
    this.#localAddress = options.localAddress;
    this.offloads = PACKINGS[this.#wire].offloads;
    this.#connection = new Connection({
      transport: options.transport,
      role: options.type,
      limits: withDefaults(options.limits),
      maxFrameBytes: this.maxFrameBytes,
      wire: this.#wire,
      ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
      ...(options.onGone === undefined ? {} : { onGone: options.onGone }),
    });
    this.tunnel = options.peer === undefined ? undefined : tunnelOf(options.peer, this.#connection);
  }

  get details(): TunnelDetails & { readonly connection: ConnectionDetails } {
    return {
      kind: 'tunnel',
      connection: {
        wire: this.#wire,
        roundTripMs: this.#connection.roundTripMs,
        url: undefined,
        localAddress: this.#localAddress,
      },
      linkReason: undefined,
    };
  }

  /** The round trip that the last ping took, in milliseconds; undefined before the first answer. */
  get roundTripMs(): number | undefined {
    return this.#connection.roundTripMs;
  }

  /** Whether anything has arrived behind the opening handshake. */
  get isHeard(): boolean {
    return this.#connection.isHeard;
  }

  /** Whether the far end closed the tunnel in order, or broke the protocol; false for one that was cut, or fell silent. */
  get hasParted(): boolean {
    return this.#connection.hasParted;
  }

  get congestion(): Congestion | undefined {
    return this.#connection.congestion;
  }

  get flowSource(): object | undefined {
    return this.#connection.flowSource;
  }

  get flowTarget(): object | undefined {
    return this.#connection.flowTarget;
  }

  /** Octets that wait in user space to be sent. */
  get queuedBytes(): number {
    return this.#connection.queuedBytes;
  }

  open(events: PortEvents): void {
    const lostState = this.type === 'client' ? 'down' : 'closed';
    this.#connection.open({
      receive: (batch) => events.receive(batch),
      tunnelLost: (tunnelId) => events.tunnelLost?.(tunnelId),
      discarded: (direction, reason, frames, example) => events.discarded(direction, reason, frames, example),
      lost: (reason) => events.linkChanged(lostState, reason),
    });
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    const length = batch.lengths[index] as number;
    if (length > this.maxFrameBytes) return 'tooLong';
    if (length < HEADER_BYTES) return 'runt';
    return this.#connection.send(batch, index);
  }

  flush(isSoleEgress: boolean): void {
    this.#connection.flush(isSoleEgress);
  }

  /** Ends the tunnel because its peer may not be here any more; its owner hears of it. @param words why */
  expel(words: string): void {
    this.#connection.expel(words);
  }

  /** Closes the port at once, without waiting for the far end. @param words tells it why, if it is still there */
  cut(words: string): Promise<void> {
    return this.#connection.cut(words);
  }

  close(reason: CloseReason = 'removed'): Promise<void> {
    return this.#connection.close(reason === 'shutdown' ? CLOSE_GOING_AWAY : CLOSE_NORMAL);
  }
}

function tunnelOf(peer: TunnelPeer, connection: Connection): Tunnel {
  return {
    peer,
    announceLoss: (tunnelId) => connection.announceLoss(tunnelId),
    abandon: (reason) => connection.abandon(reason),
  };
}
