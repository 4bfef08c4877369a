import type { CloseReason, DiscardReason, LinkState, Port, PortEvents } from '../bridge/port.ts';
import { MAX_SUPER_FRAME_BYTES } from '../wire/ethernet/ethernet-frame.ts';
import { batchOf, type FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE, type Offloads } from '../wire/offload/virtio-header.ts';

export interface MemoryPortOptions {
  /** What listport shows as its target; default `memory`. */
  target?: string;
  /** Called at the end of each batch with copies of its frames, the caller's to keep. */
  onFrames?: (frames: Buffer[]) => void;
  /** The most frames that wait while the port is stalled; default 1024. */
  queueFrames?: number;
  /** The longest frame that the port takes; default a whole super-frame. */
  maxFrameBytes?: number;
}

/**
 * A port whose far end is the program itself: for the library, and a fake for
 * tests that keeps the whole port contract. `deliver` is the wire's way in,
 * `onFrames` its way out.
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

  /** Replaces the receiver of what leaves by this port. */
  onFrames(receiver: (frames: Buffer[]) => void): void {
    this.#onFrames = receiver;
  }

  /** Lets these frames enter the switch as one batch. Their bytes stay the caller's. */
  deliver(...frames: readonly Uint8Array[]): void {
    this.deliverBatch(batchOf(...frames));
  }

  /** The same for a batch that the caller owns. */
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

  /** While stalled, frames wait in the queue and then meet its bound, as behind a slow reader. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
    this.flush(false);
  }

  /** Plays a cable that is pulled (`down`) or plugged in (`up`). */
  setLink(state: 'up' | 'down', reason = 'set down'): void {
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
