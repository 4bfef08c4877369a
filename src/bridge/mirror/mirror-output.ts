import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import { framesIn, MAX_FINISHED_BYTES } from '../../wire/offload/gso.ts';
import { neededOffloads, OFFLOAD_HEADER_BYTES, OFFLOAD_NONE } from '../../wire/offload/virtio-header.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { Pass } from '../pass.ts';

/**
 * A port that sends copies of frames, and nothing else. Frames that it cannot send are discards of this port only. Super-frames
 * that it does not take are finished in software, in a slab of its own.
 */
export class MirrorOutput {
  readonly port: BridgePort;
  /** Whether a copy is being handed to the port: what taps see of it is not mirrored again, so copies make no loop. */
  isCopying = false;
  readonly #engine: OffloadEngine;
  #slab: FrameBatch | undefined;
  #hasNoted = false;
  /** The last frame that was copied as it was sent: its pass, its place there, and the port that sent it. */
  #lastPass = 0;
  #lastIndex = -1;
  #lastSource: BridgePort | undefined;

  constructor(port: BridgePort, engine: OffloadEngine) {
    this.port = port;
    this.#engine = engine;
  }

  /**
   * Whether another port has made the copy of the present frame of a pass; if not, `source` makes it. What one port sends of
   * a frame may be several: its segments.
   */
  hasCopyOfOther(source: BridgePort, { id, index }: Pass): boolean {
    if (this.#lastPass === id && this.#lastIndex === index) return this.#lastSource !== source;
    this.#lastPass = id;
    this.#lastIndex = index;
    this.#lastSource = source;
    return false;
  }

  /** Sends frame `index`, whose octets must stay until `flush`. Its offload header, if any, was checked. */
  copy(batch: FrameBatch, index: number): void {
    const { port } = this;
    if (!port.isUsable) {
      port.drop('tx', port.isShut ? 'shut' : 'linkDown', 1, batch, index);
      return;
    }
    this.isCopying = true;
    const needed = batch.hasOffloadHeaders
      ? neededOffloads(batch.bytes, (batch.starts[index] as number) - OFFLOAD_HEADER_BYTES)
      : OFFLOAD_NONE;
    if ((needed & ~port.port.offloads) === OFFLOAD_NONE) this.#send(batch, index);
    else this.#sendFinished(batch, index);
    this.isCopying = false;
  }

  /** To be called before the octets of copied frames change. */
  flush(): void {
    if (!this.#hasNoted) return;
    this.#hasNoted = false;
    this.port.port.flush(false);
    this.#slab?.clear();
  }

  #sendFinished(batch: FrameBatch, index: number): void {
    const { offloads } = this.port.port;
    this.#slab ??= new FrameBatch(Buffer.allocUnsafeSlow(MAX_FINISHED_BYTES), 64);
    let from = this.#slab.count;
    let failure = this.#engine.finish(batch, index, this.#slab, offloads);
    if (failure === 'queueFull') {
      this.flush();
      from = 0;
      failure = this.#engine.finish(batch, index, this.#slab, offloads);
    }
    if (failure !== undefined) {
      this.port.drop('tx', failure, 1, batch, index);
      return;
    }
    for (let at = from; at < this.#slab.count; at++) this.#send(this.#slab, at);
  }

  #send(batch: FrameBatch, index: number): void {
    const { port } = this;
    this.#hasNoted = true;
    const refused = port.port.send(batch, index);
    const frames = framesIn(batch, index);
    if (refused === undefined) port.tx.count(batch.lengths[index] as number, frames);
    else port.drop('tx', refused, frames, batch, index);
  }
}
