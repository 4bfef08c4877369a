import { BlockSplitter, HEAD_BYTES, LEAST_BLOCK_BYTES, numberIn, optionsIn, textIn, viewOf } from './pcapng-blocks.ts';
import { BLOCK, BYTE_ORDER_MAGIC, COMMENT, DIRECTION_MASK, INTERFACE, OUTBOUND, PACKET } from './pcapng-codes.ts';

/** A frame of a pcapng file. */
export interface ReadPacket {
  readonly interfaceName: string;
  readonly timeUs: number;
  readonly direction: 'rx' | 'tx';
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly comments: readonly string[];
  readonly lost: number;
}

/** A block of a pcapng file: its octets as they were received, and the frame in it, if it has one. */
export interface ReadBlock {
  readonly octets: Uint8Array;
  readonly packet: ReadPacket | undefined;
}

const LEAST_PACKET_BYTES = LEAST_BLOCK_BYTES + 20;

/** Parses the output of pcapng-writer.ts, in pieces of any length. The console reads by it, too, so there is no `Buffer`. */
export class PcapngReader {
  readonly #names: string[] = [];
  readonly #splitter = new BlockSplitter();

  /** @returns the frames that the piece completes. @throws RangeError for octets not of pcapng-writer.ts */
  read(piece: Uint8Array): ReadPacket[] {
    return this.readBlocks(piece).flatMap(({ packet }) => packet ?? []);
  }

  /** @returns the blocks that the piece completes, in their order; they may share its memory. @throws RangeError as `read` */
  readBlocks(piece: Uint8Array): ReadBlock[] {
    return this.#splitter.split(piece).map(({ type, octets }) => ({ octets, packet: this.#block(type, octets) }));
  }

  #block(type: number, block: Uint8Array): ReadPacket | undefined {
    const body = block.subarray(HEAD_BYTES, -4);
    if (type === BLOCK.sectionHeader && (body.length < 4 || viewOf(body).getUint32(0, true) !== BYTE_ORDER_MAGIC)) {
      throw new RangeError('a foreign byte order');
    }
    if (type === BLOCK.interfaceDescription) {
      this.#names.push(textIn(optionsIn(body, 8).get(INTERFACE.name)?.[0]));
    }
    return type === BLOCK.enhancedPacket ? this.#packet(block, body) : undefined;
  }

  #packet(block: Uint8Array, body: Uint8Array): ReadPacket {
    const view = viewOf(body);
    const captured = block.length < LEAST_PACKET_BYTES ? Number.POSITIVE_INFINITY : view.getUint32(12, true);
    if (captured > body.length - 20)
      throw new RangeError(`a frame of ${captured} octets in a block of ${block.length}`);
    const options = optionsIn(body, 20 + ((captured + 3) & ~3));
    return {
      interfaceName: this.#names[view.getUint32(0, true)] ?? '',
      timeUs: view.getUint32(4, true) * 2 ** 32 + view.getUint32(8, true),
      direction: (numberIn(options.get(PACKET.flags)?.[0]) & DIRECTION_MASK) === OUTBOUND ? 'tx' : 'rx',
      bytes: body.subarray(20, 20 + captured),
      length: view.getUint32(16, true),
      comments: (options.get(COMMENT) ?? []).map(textIn),
      lost: numberIn(options.get(PACKET.dropCount)?.[0]),
    };
  }
}
