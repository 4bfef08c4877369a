import type {
  CloseReason,
  Congestion,
  DiscardReason,
  Port,
  PortEvents,
  PortType,
  Tunnel,
  TunnelPeer,
} from '../../bridge/port.ts';
import type { ConnectionDetails, Described, TlsDetails, TunnelDetails } from '../../bridge/port-details.ts';
import { HEADER_BYTES, MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { MESH_ADDRESS } from '../../wire/mesh/mesh-frame.ts';
import type { Offloads } from '../../wire/offload/virtio-header.ts';
import { CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_SERVICE_RESTART } from '../../wire/websocket/close-code.ts';
import type { Heartbeat } from '../stream/heartbeat.ts';
import { type TunnelLimits, withDefaults } from '../stream/limits.ts';
import { PACKINGS, type Wire } from '../stream/packing.ts';
import type { Transport } from '../stream/transport.ts';
import { Connection } from './connection.ts';

/** The type of ports to other nodes of the cluster. */
export const MESH_TYPE: PortType = 'mesh';

export interface TunnelPortOptions {
  /** `client` for a dialled tunnel, `server` for an accepted one */
  type: 'client' | 'server';
  /** the node of the cluster at the other end: the port is one of the mesh then. Default: none */
  meshNode?: string | undefined;
  /** the target in listport: the URL without credentials, or the peer's address and port */
  target: string;
  /** the connection after the opening handshake; not listened to yet */
  transport: Transport;
  /** the local address of the connection */
  localAddress?: string | undefined;
  /** the remote end of the connection, as of `endsOf` */
  remoteAddress?: string | undefined;
  /** default: no TLS */
  tls?: TlsDetails | undefined;
  /** the wire that the opening handshake selected; default `raw` */
  wire?: Wire;
  /** the peer switch, when it has identified itself */
  peer?: TunnelPeer | undefined;
  limits?: Partial<TunnelLimits>;
  /** default: that of the process */
  heartbeat?: Heartbeat;
  /** as of ConnectionOptions */
  onNodeList?: ((message: Buffer) => void) | undefined;
  /** called once, when the connection is closed and its resources are freed */
  onGone?: () => void;
}

const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  shutdown: CLOSE_GOING_AWAY,
  restart: CLOSE_SERVICE_RESTART,
  removed: CLOSE_NORMAL,
};

/**
 * A tunnel as a port. On the raw wire of 1.x a binary message is one Ethernet
 * frame without FCS; on the batched wire it is many frames, each with its offload
 * header (docs/reference/protocol.md).
 *
 * On the raw wire sent frames are padded to 60 octets, and received frames of at
 * least 14 octets are accepted. When `queueBytes` octets wait in user space,
 * frames are dropped. When the tunnel ends, the link of a dialled one goes `down`
 * and that of an accepted one is `closed`: only its client can dial again, which
 * makes a new port.
 */
export class TunnelPort implements Port, Described {
  readonly type: PortType;
  readonly meshNode: string | undefined;
  readonly target: string;
  readonly #role: 'client' | 'server';
  readonly offloads: Offloads;
  readonly tunnel: Tunnel | undefined;
  readonly maxFrameBytes: number = MAX_SUPER_FRAME_BYTES;
  readonly #wire: Wire;
  readonly #ends: Pick<ConnectionDetails, 'localAddress' | 'peer' | 'tls' | 'transport'>;
  readonly #connection: Connection;

  /** @throws RangeError when a limit is not a positive number */
  constructor(options: TunnelPortOptions) {
    this.#role = options.type;
    this.meshNode = options.meshNode;
    this.type = this.meshNode === undefined ? this.#role : MESH_TYPE;
    this.target = options.target;
    this.#wire = options.wire ?? 'raw';
    this.#ends = {
      localAddress: options.localAddress,
      peer: options.remoteAddress,
      tls: options.tls,
      transport: options.transport.kind,
    };
    this.offloads = PACKINGS[this.#wire].offloads;
    this.#connection = new Connection({
      transport: options.transport,
      role: options.type,
      limits: withDefaults(options.limits),
      maxFrameBytes: this.maxFrameBytes,
      wire: this.#wire,
      // What a node tells of its stations comes before their frames.
      urgent: this.meshNode === undefined ? undefined : MESH_ADDRESS,
      ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
      ...(options.onNodeList === undefined ? {} : { onNodeList: options.onNodeList }),
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
        measure: (answered) => this.#connection.measure(answered),
        url: undefined,
        ...this.#ends,
        queuedBytes: this.#connection.queuedBytes,
        oldestWaitedMs: () => this.#connection.oldestWaitedMs,
      },
      linkReason: undefined,
    };
  }

  /** The round trip of the last ping, in milliseconds; undefined before the first pong. */
  get roundTripMs(): number | undefined {
    return this.#connection.roundTripMs;
  }

  /** Whether any octet has arrived after the opening handshake. */
  get isHeard(): boolean {
    return this.#connection.isHeard;
  }

  /** Whether the peer ended the tunnel by a Close message or a protocol error; false when it was cut or timed out. */
  get hasParted(): boolean {
    return this.#connection.hasParted;
  }

  /** Whether the peer has closed the tunnel with 1012 Service Restart. */
  get isPeerRestarting(): boolean {
    return this.#connection.isPeerRestarting;
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

  /** Octets that wait in user space. */
  get queuedBytes(): number {
    return this.#connection.queuedBytes;
  }

  open(events: PortEvents): void {
    const lostState = this.#role === 'client' ? 'down' : 'closed';
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

  /** Tells the peer, the client of a cluster, the other nodes (node-list.ts). Without effect on the raw wire. */
  tellNodes(message: Buffer): void {
    this.#connection.tellNodes(message);
  }

  /** Ends the tunnel because its peer is no longer authorized, and reports it to the port's events. @param words the reason */
  expel(words: string): void {
    this.#connection.expel(words);
  }

  /** Closes the port at once, without waiting for the peer. @param words the reason in the Close message */
  cut(words: string): Promise<void> {
    return this.#connection.cut(words);
  }

  close(reason: CloseReason = 'removed'): Promise<void> {
    return this.#connection.close(CLOSE_CODES[reason]);
  }
}

function tunnelOf(peer: TunnelPeer, connection: Connection): Tunnel {
  return {
    peer,
    announceLoss: (tunnelId) => connection.announceLoss(tunnelId),
    abandon: (reason) => connection.abandon(reason),
  };
}
