import type { Descriptor } from '../../native/descriptors.ts';
import type { FrameList } from './frame-list.ts';
import type { NotedFrames } from './packing.ts';

/**
 * The byte stream under a tunnel, behind as little as the tunnel needs of it,
 * so that a socket of Node, a native one, or a piece of memory can be it.
 *
 * Life: `listen` once; `start` once; then `received` and `written` until
 * `closed`, which is the last event and comes exactly once, never from inside a
 * call, and also when the transport was destroyed before any of this.
 */
export interface Transport {
  /** Whose code moves its octets; which it is decides the speed of a tunnel. */
  readonly kind: 'native' | 'native-tls' | 'node';
  /** Where flows may begin or end, where native code has the stream. */
  readonly flowEnd?: Descriptor | undefined;
  /**
   * Names the receiver of events. Nothing is read before `start`.
   * @param framing what the octets are: native code takes them apart, and tells `arrived` instead of `received`
   */
  listen(events: TransportEvents, framing: Framing): void;
  /** Begins to read, with what arrived before. */
  start(): void;
  /**
   * Sends octets. Only one write may be under way.
   * @returns true when the octets have left and are the caller's again; false
   *   when they wait. They stay in use until `written`, or until `closed`, except where the transport `copies` them
   */
  write(bytes: Buffer): boolean;
  /**
   * Sends frames as messages of the wire that `listen` named, packed where they are sent; they are the caller's again.
   * Absent: the caller packs them. @returns as `write`
   */
  sendFrames?(frames: NotedFrames): boolean;
  /** Whether the peer is another process of this machine. Default: no. */
  readonly isLocal?: boolean;
  /** Whether octets stay with the kernel, and the peer waits, until the next call. Absent: it cannot be done. */
  hold?(isHeld: boolean): void;
  /** Whether what waits of a write is a copy. Default: no. */
  readonly copies?: boolean;
  /**
   * How much is best written at once: what leaves immediately in short pieces,
   * so that little is beyond overtaking; what is only done a turn of the event
   * loop later in long ones.
   */
  readonly writeBytes: number;
  /** Octets of the write that is under way that have not left yet. */
  readonly pendingBytes: number;
  /** Octets that it holds besides: of unfinished messages, and of records that have not left. Default: none. */
  readonly heldBytes?: number;
  /** Ends our direction behind what was written. */
  end(): void;
  /** Cuts the connection; what was not sent is lost. Idempotent. */
  destroy(): void;
}

/** What a tunnel's octets are: the wire, and the receiver of its frames. */
export interface Framing {
  /** Whether we mask, as a client must, and the peer does not; or the other way round. */
  readonly isMasking: boolean;
  readonly isBatched: boolean;
  /** The longest message that is taken. */
  readonly maxMessageBytes: number;
  readonly events: FramingEvents;
}

export interface FramingEvents {
  /**
   * As `received`, behind what is taken apart already: the frames of whole,
   * unmasked messages, `list.starts[i]` and `list.lengths[i]` for `frames` of
   * them, and behind these a message that was no plain run of frames.
   * @param oddStart -1 when there is no such message
   * @returns as `received`, but complemented (~) while the next octets may not be taken apart, because a message is
   *   coming in fragments or nothing is believed any more
   */
  arrived(
    bytes: Buffer,
    list: FrameList,
    frames: number,
    oddStart: number,
    oddLength: number,
    from: number,
    end: number,
  ): number;
}

export interface TransportEvents {
  /**
   * Octets `bytes[from .. end)` have arrived. The receiver may overwrite them,
   * until this returns; then they are the transport's again.
   * @returns the position of the first octet that must be presented again, in front of what comes next
   */
  received(bytes: Buffer, from: number, end: number): number;
  /** A part of the write that is under way has left. Said by transports that know. */
  progressed(): void;
  /** The write that was under way is done. */
  written(): void;
  /** The peer ended its direction. */
  ended(): void;
  /** Everything is gone. @param failure why, when it was no orderly end */
  closed(failure: Error | undefined): void;
}
