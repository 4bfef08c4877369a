import { BYTE_ORDER_MAGIC, ENHANCED_PACKET } from './pcapng-writer.ts';

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

const INTERFACE_DESCRIPTION = 1;
const COMMENT = 1;
const NAME = 2;
const FLAGS = 2;
const DROP_COUNT = 4;
const OUTBOUND = 2;
const DIRECTION_BITS = 3;
/** A block has one frame of at most 64 KiB and short options. */
const MOST_BLOCK_BYTES = 1024 * 1024;

/** Parses the output of pcapng-writer.ts, in pieces of any length. */
export class PcapngReader {
  readonly #names: string[] = [];
  #rest: Buffer = Buffer.alloc(0);

  /** @returns the frames that the piece completes. @throws RangeError for octets not of pcapng-writer.ts */
  read(piece: Uint8Array): ReadPacket[] {
    const bytes = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    const packets: ReadPacket[] = [];
    let at = 0;
    while (bytes.length - at >= 12) {
      const length = bytes.readUInt32LE(at + 4);
      if (length < 12 || length > MOST_BLOCK_BYTES) throw new RangeError(`a block of ${length} octets`);
      if (bytes.length - at < length) break;
      const packet = this.#block(bytes.readUInt32LE(at), bytes.subarray(at + 8, at + length - 4));
      if (packet !== undefined) packets.push(packet);
      at += length;
    }
    this.#rest = bytes.subarray(at);
    return packets;
  }

  #block(type: number, body: Buffer): ReadPacket | undefined {
    if (type === 0x0a0d0d0a && body.readUInt32LE(0) !== BYTE_ORDER_MAGIC) throw new RangeError('a foreign byte order');
    if (type === INTERFACE_DESCRIPTION) this.#names.push(String(optionsIn(body, 8).get(NAME)?.[0] ?? ''));
    return type === ENHANCED_PACKET ? this.#packet(body) : undefined;
  }

  #packet(body: Buffer): ReadPacket {
    const captured = body.readUInt32LE(12);
    const options = optionsIn(body, 20 + ((captured + 3) & ~3));
    const flags = options.get(FLAGS)?.[0]?.readUInt32LE(0) ?? 0;
    return {
      interfaceName: this.#names[body.readUInt32LE(0)] ?? '',
      timeUs: body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8),
      direction: (flags & DIRECTION_BITS) === OUTBOUND ? 'tx' : 'rx',
      bytes: body.subarray(20, 20 + captured),
      length: body.readUInt32LE(16),
      comments: (options.get(COMMENT) ?? []).map(String),
      lost: Number(options.get(DROP_COUNT)?.[0]?.readBigUInt64LE(0) ?? 0),
    };
  }
}

/** The values of the options from `start` on, by code. */
function optionsIn(body: Buffer, start: number): Map<number, Buffer[]> {
  const options = new Map<number, Buffer[]>();
  for (let at = start; at + 4 <= body.length; ) {
    const [code, length] = [body.readUInt16LE(at), body.readUInt16LE(at + 2)];
    if (code === 0) break;
    options.set(code, [...(options.get(code) ?? []), body.subarray(at + 4, at + 4 + length)]);
    at += 4 + ((length + 3) & ~3);
  }
  return options;
}
