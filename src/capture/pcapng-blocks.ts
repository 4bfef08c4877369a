/** The blocks of a pcapng file and their options, as they are read. Pure: the console reads by it, too, so there is no `Buffer`. */

/** Type and length in front of the body, the length again behind it. */
export const HEAD_BYTES = 8;
export const LEAST_BLOCK_BYTES = 12;
/** A block has one frame of at most 64 KiB and short options. */
const MOST_BLOCK_BYTES = 1024 * 1024;
const UTF_8 = new TextDecoder();

export interface Block {
  readonly type: number;
  /** the whole block; it may share the memory of the piece */
  readonly octets: Uint8Array;
}

/** Splits pieces of any length into blocks. */
export class BlockSplitter {
  #rest: Uint8Array = new Uint8Array();

  /** @returns the blocks that the piece completes. @throws RangeError for a length that no block has */
  split(piece: Uint8Array): Block[] {
    const bytes = joined(this.#rest, piece);
    const view = viewOf(bytes);
    const blocks: Block[] = [];
    let at = 0;
    while (bytes.length - at >= LEAST_BLOCK_BYTES) {
      const length = view.getUint32(at + 4, true);
      if (length < LEAST_BLOCK_BYTES || length > MOST_BLOCK_BYTES) throw new RangeError(`a block of ${length} octets`);
      if (bytes.length - at < length) break;
      blocks.push({ type: view.getUint32(at, true), octets: bytes.subarray(at, at + length) });
      at += length;
    }
    this.#rest = bytes.subarray(at);
    return blocks;
  }
}

/** An option of text; `''` without it. */
export function textIn(option: Uint8Array | undefined): string {
  return option === undefined ? '' : UTF_8.decode(option);
}

/** The values of the options from `start` on, by code. */
export function optionsIn(body: Uint8Array, start: number): Map<number, Uint8Array[]> {
  const view = viewOf(body);
  const options = new Map<number, Uint8Array[]>();
  for (let at = start; at + 4 <= body.length; ) {
    const [code, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (code === 0) break;
    options.set(code, [...(options.get(code) ?? []), body.subarray(at + 4, at + 4 + length)]);
    at += 4 + ((length + 3) & ~3);
  }
  return options;
}

/** An option of four or eight octets; 0 without it. */
export function numberIn(option: Uint8Array | undefined): number {
  if (option?.length === 4) return viewOf(option).getUint32(0, true);
  return option?.length === 8 ? Number(viewOf(option).getBigUint64(0, true)) : 0;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
