import { type DissectedFrame, dissect } from '../../../../src/capture/dissect/dissect.ts';
import { PcapngReader, type ReadPacket } from '../../../../src/capture/pcapng-reader.ts';

/** The frames that the page keeps: the last ones. */
export const MOST_FRAMES = 10_000;
/** The octets of their blocks. A frame has at most 64 KiB, so 10 000 could be 640 MiB. */
export const MOST_OCTETS = 64 * 1024 * 1024;

/** A frame of the list. */
export interface KeptFrame {
  /** counted from 1 in the whole capture */
  readonly number: number;
  readonly packet: ReadPacket;
  /** its block of the file, as it was received */
  readonly block: Uint8Array;
  /** It is dissected when it is looked at for the first time. */
  readonly dissected: DissectedFrame;
}

class Kept implements KeptFrame {
  readonly number: number;
  readonly packet: ReadPacket;
  readonly block: Uint8Array;
  #dissected: DissectedFrame | undefined;

  constructor(number: number, packet: ReadPacket, block: Uint8Array) {
    this.number = number;
    this.packet = packet;
    this.block = block;
  }

  get dissected(): DissectedFrame {
    this.#dissected ??= dissect(this.packet.bytes);
    return this.#dissected;
  }
}

/** A block without a frame, and the number of the frame in front of it. */
interface OtherBlock {
  readonly behind: number;
  readonly octets: Uint8Array;
}

/** The frames of one capture, and the octets that make a file of them. */
export class FrameStore {
  /** the last frames, the oldest first; it is changed in place */
  readonly frames: KeptFrame[] = [];
  /** frames that were received, with those that are no longer kept */
  received = 0;
  /** frames that the filter has matched, but that are missing since the page was too slow */
  lost = 0;
  /** octets of the blocks of `frames` */
  octets = 0;
  readonly #reader = new PcapngReader();
  readonly #others: OtherBlock[] = [];
  readonly #mostFrames: number;
  readonly #mostOctets: number;

  constructor(mostFrames: number = MOST_FRAMES, mostOctets: number = MOST_OCTETS) {
    this.#mostFrames = mostFrames;
    this.#mostOctets = mostOctets;
  }

  /** frames that were received, and are no longer kept */
  get dropped(): number {
    return this.received - this.frames.length;
  }

  /** @param piece of the capture, in the order of receipt; it is kept. @throws RangeError if it is no pcapng */
  add(piece: Uint8Array): void {
    for (const { octets, packet } of this.#reader.readBlocks(piece)) {
      if (packet === undefined) this.#others.push({ behind: this.received, octets });
      else {
        this.frames.push(new Kept(++this.received, packet, octets));
        this.octets += octets.length;
        this.lost += packet.lost;
      }
    }
    this.#drop();
  }

  /** The file: all octets as they were received, without the frames that are no longer kept. */
  file(): Uint8Array[] {
    const blocks: Uint8Array[] = [];
    let at = 0;
    for (const { behind, octets } of this.#others) {
      for (; at < this.frames.length && (this.frames[at] as KeptFrame).number <= behind; at++) {
        blocks.push((this.frames[at] as KeptFrame).block);
      }
      blocks.push(octets);
    }
    blocks.push(...this.frames.slice(at).map(({ block }) => block));
    return blocks;
  }

  #drop(): void {
    let over = Math.max(0, this.frames.length - this.#mostFrames);
    let freed = this.frames.slice(0, over).reduce((sum, { block }) => sum + block.length, 0);
    while (this.octets - freed > this.#mostOctets && over < this.frames.length - 1) {
      freed += (this.frames[over] as KeptFrame).block.length;
      over++;
    }
    this.frames.splice(0, over);
    this.octets -= freed;
  }
}
