import type { CloseReason, DiscardReason, LinkState, Port, PortEvents } from '../bridge/port.ts';
import { MAX_SUPER_FRAME_BYTES } from '../wire/ethernet/ethernet-frame.ts';
import { batchOf, type FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE, type Offloads } from '../wire/offload/virtio-header.ts';

export interface MemoryPortOptions {
  /** The target that listport shows; default `memory`. */
  target?: string;
  /** Called at the end of each batch with copies of its frames, which belong to the receiver. */
  onFrames?: (frames: Buffer[]) => void;
  /** The bound of the queue of a stalled port, in frames; default 1024. */
  queueFrames?: number;
  /** The longest frame that the port takes, in octets; default the length of the longest super-frame. */
  maxFrameBytes?: number;
}

/**
 * A port whose far end is this program: for users of the library, and for
 * tests. It keeps the whole port contract. `deliver` makes ingress frames,
 * `onFrames` receives egress frames.
 */
export class MemoryPort implements Port {
  readonly type = 'memory';
  readonly target: string;
  readonly offloads: Offloads = OFFLOAD_NONE;
  readonly maxFrameBytes: number;
  readonly #queueFrames: number;
  #onFrames: (frames: Buffer[]) => void;
  #events: PortEvents | undefined;
  #link: LinkState = 'up';
  #isStalled = false;
  #queue: Buffer[] = [];

  constructor(options: MemoryPortOptions = {}) {
    this.target = options.target ?? 'memory';
    this.maxFrameBytes = options.maxFrameBytes ?? MAX_SUPER_FRAME_BYTES;
    this.#queueFrames = options.queueFrames ?? 1024;
    this.#onFrames = options.onFrames ?? (() => undefined);
  }

  open(events: PortEvents): void {
    this.#events = events;
    if (this.#link !== 'up') events.linkChanged(this.#link, 'set down');
  }

  /** Replaces the receiver of egress frames. */
  onFrames(receiver: (frames: Buffer[]) => void): void {
    this.#onFrames = receiver;
  }

  /** Sends these frames into the switch as one batch. Their bytes still belong to the caller. */
  deliver(...frames: readonly Uint8Array[]): void {
    this.deliverBatch(batchOf(...frames));
  }

  /** As `deliver`, for a batch that belongs to the caller. */
  deliverBatch(batch: FrameBatch): void {
    if (this.#events === undefined) return;
    if (this.#link !== 'up') this.#events.discarded('rx', 'linkDown', batch.count);
    else this.#events.receive(batch);
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    if (this.#events === undefined || this.#link !== 'up') return 'linkDown';
    if ((batch.lengths[index] as number) > this.maxFrameBytes) return 'tooLong';
    if (this.#queue.length >= this.#queueFrames) return 'queueFull';
    this.#queue.push(Buffer.from(batch.frame(index)));
    return undefined;
  }

  flush(_isSoleEgress: boolean): void {
    if (this.#isStalled || this.#queue.length === 0) return;
    const frames = this.#queue;
    this.#queue = [];
    this.#onFrames(frames);
  }

  /** While stalled, egress frames wait in the queue, and frames beyond its bound are dropped, as with a slow reader. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
    this.flush(false);
  }

  /** Simulates a cable that is pulled (`down`) or plugged in (`up`), or a tunnel that is lost for a moment (`away`). */
  setLink(state: 'up' | 'down' | 'away', reason = 'set down'): void {
    if (this.#link === 'closed') return;
    this.#link = state;
    this.#events?.linkChanged(state, state === 'up' ? undefined : reason);
  }

  close(_reason?: CloseReason): Promise<void> {
    this.#link = 'closed';
    this.#events = undefined;
    this.#queue = [];
    return Promise.resolve();
  }
}
