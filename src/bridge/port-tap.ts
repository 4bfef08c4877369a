import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { TAGS_NONE, type TagAllowance } from '../wire/ethernet/frame-length.ts';
import type { Offloads } from '../wire/offload/virtio-header.ts';
import type { CloseReason, Congestion, Direction, DiscardReason, Port, PortEvents, PortType, Tunnel } from './port.ts';
import { detailsOf, type PortDetails } from './port-details.ts';

/**
 * Gets the frames of a port, in order. Octets are valid only during the call. Must not throw. Frames that the port
 * itself discards are only counted.
 */
export interface PortTap {
  /** A batch that the port has received, before the first stage. */
  received(batch: FrameBatch): void;
  /** The port has taken frame `index` for sending. */
  sent(batch: FrameBatch, index: number): void;
  /** `rx`: a frame of the last `received` was not forwarded; `tx`: a frame was refused by `send`. */
  discarded(direction: Direction, reason: DiscardReason, batch: FrameBatch, index: number): void;
  /** The port is about to be flushed: afterwards octets of sent frames may change. */
  flushing?(): void;
}

/** Shows the frames of a port to several taps, in the order in which they were added. */
export class SharedTap implements PortTap {
  readonly #taps: readonly PortTap[];

  constructor(taps: readonly PortTap[]) {
    this.#taps = taps;
  }

  received(batch: FrameBatch): void {
    for (const tap of this.#taps) tap.received(batch);
  }

  sent(batch: FrameBatch, index: number): void {
    for (const tap of this.#taps) tap.sent(batch, index);
  }

  discarded(direction: Direction, reason: DiscardReason, batch: FrameBatch, index: number): void {
    for (const tap of this.#taps) tap.discarded(direction, reason, batch, index);
  }

  flushing(): void {
    for (const tap of this.#taps) tap.flushing?.();
  }
}

/**
 * A wrapper of a port that shows each sent frame to a tap. Flows neither begin nor end at it, so all frames of the port
 * come to the bridge.
 */
export class TappedPort implements Port {
  readonly type: PortType;
  readonly flowSource = undefined;
  readonly flowTarget = undefined;
  readonly #port: Port;
  readonly #tap: PortTap;

  constructor(port: Port, tap: PortTap) {
    this.type = port.type;
    this.#port = port;
    this.#tap = tap;
  }

  get target(): string {
    return this.#port.target;
  }

  get offloads(): Offloads {
    return this.#port.offloads;
  }

  get maxFrameBytes(): number {
    return this.#port.maxFrameBytes;
  }

  get tagAllowance(): TagAllowance {
    return this.#port.tagAllowance ?? TAGS_NONE;
  }

  get congestion(): Congestion | undefined {
    return this.#port.congestion;
  }

  get tunnel(): Tunnel | undefined {
    return this.#port.tunnel;
  }

  /** The details of the wrapped port. */
  get details(): PortDetails | undefined {
    return detailsOf(this.#port);
  }

  open(events: PortEvents): void {
    this.#port.open(events);
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    const refused = this.#port.send(batch, index);
    // For a refused frame the bridge calls `discarded`.
    if (refused === undefined) this.#tap.sent(batch, index);
    return refused;
  }

  flush(isSoleEgress: boolean): void {
    this.#tap.flushing?.();
    this.#port.flush(isSoleEgress);
  }

  close(reason?: CloseReason): Promise<void> {
    return this.#port.close(reason);
  }
}
