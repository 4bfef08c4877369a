import type { DiscardReason, Port, PortEvents } from '../../bridge/port.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE, type Offloads } from '../../wire/offload/virtio-header.ts';

/** What reads the frames that the bridge sends to the switch itself. `bytes` is valid during the call only. */
export type FrameReader = (bytes: Buffer, start: number, length: number) => void;

/** The port between a bridge and its own switch: it hands each frame to a reader. */
export class InternalPort implements Port {
  readonly type = 'internal';
  readonly target = 'internal';
  readonly offloads: Offloads = OFFLOAD_NONE;
  readonly maxFrameBytes: number = MAX_SUPER_FRAME_BYTES;
  readonly #read: FrameReader;

  constructor(read: FrameReader) {
    this.#read = read;
  }

  open(_events: PortEvents): void {
    // Frames enter by `Bridge.receive`.
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    this.#read(batch.bytes, batch.starts[index] as number, batch.lengths[index] as number);
    return undefined;
  }

  flush(_isSoleEgress: boolean): void {
    // `send` has handed on each frame.
  }

  async close(): Promise<void> {
    // It has nothing open.
  }
}
