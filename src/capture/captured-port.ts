import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { Capture } from './capture.ts';
import { interfaceStatistics, type PacketRecord } from './pcapng-writer.ts';

/** Numbers of frames of a port in a capture. */
export interface PortStatistics {
  /** received or sent by the port */
  readonly seen: number;
  /** of these, matched by the filter */
  readonly matched: number;
  /** of the matched ones, not in the capture, since its reader was too slow */
  readonly lost: number;
}

/** A port of a capture: the bridge's tap gives it the port's frames. */
export class CapturedPort {
  /** the number of its interface in the file */
  readonly index: number;
  received = 0;
  accepted = 0;
  isRemoved = false;
  readonly #capture: Capture;
  readonly #startUs: number;
  #lost = 0;
  /** frames lost since the last record */
  #lostNow = 0;
  #timeUs = 0;
  /** The records of the batch that was received last; the bridge may still discard its frames. */
  #serial = 0;
  #records: (PacketRecord | undefined)[] = [];

  constructor(index: number, capture: Capture) {
    this.index = index;
    this.#capture = capture;
    this.#startUs = capture.nowUs();
  }

  get statistics(): PortStatistics {
    return { seen: this.received, matched: this.accepted, lost: this.#lost };
  }

  /** The time of the frames that are recorded now, in microseconds since 1970. */
  get timeUs(): number {
    return this.#timeUs;
  }

  receive(batch: FrameBatch): void {
    this.#timeUs = this.#capture.nowUs();
    this.#serial = batch.serial;
    this.#records.length = 0;
    for (let index = 0; index < batch.count; index++) {
      this.#records.push(this.#capture.record(this, 'rx', batch, index));
    }
  }

  send(batch: FrameBatch, index: number): void {
    this.#timeUs = this.#capture.nowUs();
    this.#capture.record(this, 'tx', batch, index);
  }

  discard(direction: 'rx' | 'tx', reason: string, batch: FrameBatch, index: number): void {
    const comment = `discarded: ${reason}`;
    if (direction === 'tx') {
      this.#timeUs = this.#capture.nowUs();
      this.#capture.record(this, 'tx', batch, index)?.comments.push(comment);
    } else if (batch.serial === this.#serial) this.#records[index]?.comments.push(comment);
  }

  /** The port was removed. */
  remove(): void {
    this.#capture.remove(this);
  }

  lose(): void {
    this.#lost++;
    this.#lostNow++;
  }

  /** The number of frames that were lost since the last call. */
  takeLost(): number {
    const lost = this.#lostNow;
    this.#lostNow = 0;
    return lost;
  }

  /** @returns the block of its statistics for the file */
  finish(): Buffer {
    this.isRemoved = true;
    return interfaceStatistics({
      interfaceId: this.index,
      startUs: this.#startUs,
      endUs: this.#capture.nowUs(),
      received: this.received,
      accepted: this.accepted,
      delivered: this.accepted - this.#lost,
      dropped: this.#lost,
    });
  }
}
