import { EventEmitter } from 'node:events';
import type { Direction, DiscardReason, LinkState, PortEvents } from '../../src/bridge/port.ts';
import type { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { describeFrame, type FrameExample } from '../../src/wire/ethernet/frame-summary.ts';
import { once } from './waits.ts';

/** IEEE 802's local experimental EtherType, which only frames of tests have. */
const TEST_TYPE = 0x88b5;
const NUMBER = 14;

/** A frame that contains its number, if it is long enough, and whose octets all depend on it. */
export function testFrame(number: number, length: number): Buffer {
  const frame = Buffer.alloc(length);
  for (let index = 0; index < length; index++) frame[index] = number + index * 7;
  Buffer.from('02000000000202000000000188b5', 'hex').copy(frame);
  if (length >= NUMBER + 4) frame.writeUInt32BE(number, NUMBER);
  return frame;
}

export function numberOf(frame: Buffer): number {
  return frame.readUInt32BE(NUMBER);
}

/** Frames in order of arrival, with waits for further ones. Other frames than those of tests are ignored. */
class Arrivals extends EventEmitter {
  readonly frames: Buffer[] = [];
  #taken = 0;

  protected add(frame: Buffer): void {
    if (frame.length < NUMBER || frame.readUInt16BE(12) !== TEST_TYPE) return;
    this.frames.push(Buffer.from(frame));
  }

  /** Resolves when so many frames have arrived in all. */
  async taken(count: number | (() => number)): Promise<void> {
    const wanted = (): number => (typeof count === 'number' ? count : count());
    while (this.frames.length < wanted()) await once(this, 'change');
  }

  /** Waits for the next `count` frames. */
  async take(count: number): Promise<Buffer[]> {
    this.#taken += count;
    await this.taken(this.#taken);
    return this.frames.slice(this.#taken - count, this.#taken);
  }

  /** Waits for the frame with this number. @returns all frames up to it */
  async takeUntil(number: number): Promise<Buffer[]> {
    while (!this.frames.some((frame) => numberOf(frame) === number)) await once(this, 'change');
    return this.frames;
  }
}

/** The frames that have reached the far end of a port. */
export class FarEnd extends Arrivals {
  /** To be called by the fixture for frames that have arrived. */
  reached(...frames: readonly Buffer[]): void {
    for (const frame of frames) this.add(frame);
    this.emit('change');
  }

  settled(count: number | (() => number)): Promise<void> {
    return this.taken(count);
  }
}

/** Takes the part of the bridge: records the events of a port. */
export class PortRecorder extends Arrivals implements PortEvents {
  /** frames by direction and reason: `rx runt` */
  readonly discards: Map<string, number> = new Map();
  /** the example frames of discards: `rx tooLong: …` */
  readonly examples: string[] = [];
  readonly linkChanges: { state: LinkState; reason: string | undefined }[] = [];
  /** the number of events of all kinds */
  count = 0;
  onBatch: (batch: FrameBatch) => void = () => undefined;

  receive(batch: FrameBatch): undefined {
    this.count++;
    for (let index = 0; index < batch.count; index++) this.add(batch.frame(index));
    this.onBatch(batch);
    this.emit('change');
  }

  linkChanged(state: LinkState, reason?: string): void {
    this.count++;
    this.linkChanges.push({ state, reason });
    this.emit('change');
  }

  discarded(direction: Direction, reason: DiscardReason, frames: number, example?: FrameExample): void {
    this.count++;
    if (example !== undefined) this.examples.push(`${direction} ${reason}: ${describeFrame(example)}`);
    const key = `${direction} ${reason}`;
    this.discards.set(key, (this.discards.get(key) ?? 0) + frames);
    this.emit('change');
  }

  discardsOf(direction: Direction): number {
    let sum = 0;
    for (const [key, frames] of this.discards) if (key.startsWith(direction)) sum += frames;
    return sum;
  }

  async settledDiscards(count: number): Promise<void> {
    while (this.discardsOf('rx') + this.discardsOf('tx') < count) await once(this, 'change');
  }

  async linkChange(): Promise<{ state: LinkState; reason: string | undefined }> {
    while (this.linkChanges.length === 0) await once(this, 'change');
    return this.linkChanges.at(-1) as { state: LinkState; reason: string | undefined };
  }
}
