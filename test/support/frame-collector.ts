import { EventEmitter } from 'node:events';
import type { PortEvents } from '../../src/bridge/port.ts';
import type { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { once } from './waits.ts';

/** Collects the frames of tests that a port receives: their addresses are local ones that end in .bb. */
export class FrameCollector extends EventEmitter implements PortEvents {
  readonly #frames: Buffer[] = [];

  receive(batch: FrameBatch): undefined {
    for (let index = 0; index < batch.count; index++) {
      const frame = batch.frame(index);
      if (frame.toString('hex', 0, 6) === '0200000000bb') this.#frames.push(Buffer.from(frame));
    }
    this.emit('frames');
  }

  linkChanged(): void {}

  discarded(): void {}

  /** Waits for the next `count` frames. */
  async take(count: number): Promise<Buffer[]> {
    while (this.#frames.length < count) await once(this, 'frames');
    return this.#frames.splice(0, count);
  }
}
